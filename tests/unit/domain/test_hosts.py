"""Which addresses and names are let through, beside what Python's own tables say of them."""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.hosts import PORTS, is_host_name, is_public

REFUSED = {
    "unspecified": ["0.0.0.0", "::"],
    "this network": ["0.1.2.3"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0"],
    "site-local": ["fec0::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1", "5f00::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "protocol assignments": ["192.0.0.8", "2001:20::1"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "NAT64": ["64:ff9b::a9fe:a9fe", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1"],
    "6to4": ["2002:a9fe:a9fe::", "2002:808:808::1", "192.88.99.1"],
    "Teredo": ["2001::a9fe:a9fe", "2001:0:808:808::1"],
    "metadata services": [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    ],
    "no address": [
        "",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "8.8.8.8 ",
        "1.1.1.1\0",
    ],
    "scoped": ["2606:4700::1111%1"],
}


@pytest.mark.parametrize(
    ("kind", "address"), [(kind, address) for kind, addresses in REFUSED.items() for address in addresses]
)
def test_addresses_that_are_refused(kind: str, address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:810::2003",
    ],
)
def test_public_addresses_are_let_through(address: str) -> None:
    assert is_public(address)


SPECIAL = ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_reserved", "is_unspecified")


@given(st.ip_addresses())
def test_nothing_python_calls_special_is_let_through(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not any(getattr(address, kind) for kind in SPECIAL)


BEYOND_PYTHON = [IPv4Network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]


@given(st.ip_addresses(v=4).filter(lambda a: a.is_global and not a.is_multicast and not a.is_reserved))
def test_no_other_ipv4_address_is_refused(address: IPv4Address) -> None:
    assert is_public(str(address)) or any(address in network for network in BEYOND_PYTHON)


@given(
    st.ip_addresses(v=4),
    st.sampled_from([0xFFFF << 32, 0, 0x64FF9B << 96, 0x64FF9B0001 << 80]),
    st.integers(0, 2**80 - 1),
)
def test_an_address_inside_another_is_refused(inner: IPv4Address, prefix: int, rest: int) -> None:
    assert not is_public(str(IPv6Address(prefix | int(inner))))
    assert not is_public(str(IPv6Address(0x2002 << 112 | int(inner) << 80 | rest)))
    assert not is_public(str(IPv6Address(0x20010000 << 96 | int(inner) << 64 | rest >> 16)))


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    if is_public(text):
        assert str(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "name",
    ["smtp.example.com", "a.io", "xn--80a.xn--p1ai", "1.mail-2.example", "mx.a1", "x" * 63 + ".example"],
)
def test_names_of_hosts(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "localhost.",
        "intranet",
        "Smtp.example.com",
        "smtp.example.com.",
        "smtp..example.com",
        "-a.example",
        "a-.example",
        "a_b.example",
        "smtp.example.com:25",
        "smtp.example.com\n",
        "user@smtp.example.com",
        "http://smtp.example.com",
        "bücher.example",
        "x" * 64 + ".example",
        "x." * 127 + "example",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.0x1",
        "[::1]",
        "::1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127.0.0.1\0.example.com",
    ],
)
def test_what_is_no_name_of_a_host(text: str) -> None:
    assert not is_host_name(text)


@given(st.from_regex(r"[0-9a-fx]{1,10}(\.[0-9a-fx]{1,10}){0,3}", fullmatch=True))
def test_no_spelling_of_an_ipv4_address_is_a_name(text: str) -> None:
    if is_host_name(text):
        with pytest.raises(OSError, match="illegal"):
            socket.inet_aton(text)


def test_mail_is_taken_in_at_four_ports() -> None:
    assert PORTS == (25, 465, 587, 2525)
