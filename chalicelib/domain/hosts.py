"""Which mail servers a customer may name. The tables are IANA's special-purpose registries (RFC 6890).

A customer's host is a way to have our functions knock at doors inside a network. What is refused is listed
here by ourselves: ``ipaddress.is_global`` is True for NAT64, 6to4, multicast and site-local addresses.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

PORTS = (25, 465, 587, 2525)
"""Where mail is taken in: RFC 5321, RFC 8314, RFC 6409, and what providers offer where those are blocked."""

IMAP_PORTS = (993, 143)
"""Where mailboxes are read: RFC 8314, RFC 9051."""

_IPV4_REFUSED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform service: looks public, answers inside only
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

# Global unicast (RFC 4291, 2.4). Outside are ::, ::1, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96 and
# 64:ff9b:1::/48), discard-only, segment routing, unique local, link-local, site-local and multicast.
_IPV6_GLOBAL = IPv6Network("2000::/3")
_IPV6_REFUSED = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)

# The last label starts with a letter, so no name is one of the many spellings of an IPv4 address that the C
# library reads: 127.1, 2130706433, 0x7f.1.
_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", re.ASCII
)


def is_host_name(text: str) -> bool:
    """Whether it is a full host name in lower-case ASCII (RFC 1123), with a dot and no IP address."""
    return _NAME.fullmatch(text) is not None


def is_public(address: str) -> bool:
    """Whether an IP address, as a resolver writes it, is one of the public Internet; False for other text.

    What carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo) is never public, whichever it carries.
    """
    try:
        return (
            _is_public_ipv6(IPv6Address(address)) if ":" in address else _is_public_ipv4(IPv4Address(address))
        )
    except AddressValueError:
        return False


def _is_public_ipv4(number: IPv4Address) -> bool:
    return not any(number in network for network in _IPV4_REFUSED)


def _is_public_ipv6(number: IPv6Address) -> bool:
    if number.scope_id is not None or number not in _IPV6_GLOBAL:
        return False
    return not any(number in network for network in _IPV6_REFUSED)
