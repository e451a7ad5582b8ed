"""Who fetched an image or followed a link: a person, a machine, or nobody can tell.

A verdict is all that is kept of a request: the address it came from and what it said of itself are forgotten.
Proxies of Google and Yahoo fetch when a person opens the message, Apple's as soon as it arrives. What nothing
speaks for or against is unknown, and an unknown open counts as one: the product doesn't explain opens away.
"""

import re
from datetime import timedelta
from ipaddress import ip_address, ip_network

from chalicelib.domain.delivery_event import Opener

# Sooner after the hand-over than anybody can read: filters look at a message before they deliver it.
QUICK = timedelta(seconds=5)

_LONGEST = 500  # characters of what a program says of itself that are looked at
_APPLE = ip_network("17.0.0.0/8")
_PREFETCHES = re.compile(
    # Apple's Mail Privacy Protection says no more; Gmail says the other when it fetches ahead of a person.
    r"Mozilla/5\.0|.*\bEdge/12\.246 Mozilla/5\.0",
    re.IGNORECASE,
)
_PERSONS_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
_MACHINE = re.compile(
    r"(?<!cu)bot\b|crawl|spider|scan|preview|prefetch|headless|phantomjs|monitor"  # Cubot makes telephones
    r"|safelinks|proofpoint|barracuda|mimecast|messagelabs|symantec|forcepoint|fortinet|trend ?micro|sophos"
    r"|ironport|cloudmark|zscaler|bitdefender|kaspersky|virustotal|facebookexternalhit|whatsapp"
    r"|\bcurl/|\bwget/|python-|\baiohttp\b|\bhttpx?/|go-http-client|\bjava/|apache-httpclient|libwww-perl"
    r"|node-fetch|\baxios\b|\bruby\b|\bphp\b|powershell",
    re.IGNORECASE,
)
_READER = re.compile(
    r"Mozilla/\d\.\d \(.*(Gecko|AppleWebKit|Trident|MSIE|Thunderbird|Outlook)"
    r"|Microsoft Office|Microsoft Outlook|Outlook-(iOS|Android)|Thunderbird|Opera/",
    re.IGNORECASE,
)


def judge(user_agent: str | None, after_sending: timedelta | None, source_ip: str | None) -> Opener:
    """Who it was. ``after_sending`` is how long after the hand-over, where the caller knows it."""
    words = (user_agent or "").strip()[:_LONGEST]
    if after_sending is not None and is_quick(after_sending):
        return Opener.MACHINE
    if _PERSONS_PROXY.search(words):
        return Opener.HUMAN
    if _PREFETCHES.fullmatch(words) or _MACHINE.search(words) or _is_apples(source_ip):
        return Opener.MACHINE
    return Opener.HUMAN if _READER.match(words) else Opener.UNKNOWN


def is_quick(after_sending: timedelta) -> bool:
    """Whether it is too soon for a person; also just before, while the server's reply was on its way."""
    return abs(after_sending) < QUICK


def _is_apples(source_ip: str | None) -> bool:
    """Apple's own network: whole offices of people it has, and far more machines that fetch for customers."""
    try:
        return ip_address(source_ip or "") in _APPLE
    except ValueError:
        return False
