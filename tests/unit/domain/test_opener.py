"""Who opened a message: examples of what programs say of themselves."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.delivery_event import Opener
from chalicelib.domain.opener import QUICK, judge

HUMAN, MACHINE, UNKNOWN = Opener
LATER = timedelta(minutes=10)
GMAIL_AHEAD = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.mark.parametrize(
    ("user_agent", "opener"),
    [
        (FIREFOX, HUMAN),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML) Mobile", HUMAN),
        ("Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/122.0 Mobile", HUMAN),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)", HUMAN),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; Pro)", HUMAN),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", HUMAN),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", HUMAN),
        ("Mozilla/5.0", MACHINE),
        (" mozilla/5.0 ", MACHINE),
        (f"{GMAIL_AHEAD} Mozilla/5.0", MACHINE),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", MACHINE),
        (
            "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
            MACHINE,
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36", MACHINE),
        ("Barracuda Sentinel (EE)", MACHINE),
        ("Mozilla/5.0 (compatible; Mimecast link check)", MACHINE),
        ("curl/8.5.0", MACHINE),
        ("python-requests/2.31.0", MACHINE),
        ("Go-http-client/2.0", MACHINE),
        ("Java/17.0.2", MACHINE),
        ("", UNKNOWN),
        (None, UNKNOWN),
        ("MyMail 3", UNKNOWN),
    ],
)
def test_by_what_it_says_of_itself(user_agent: str | None, opener: Opener) -> None:
    assert judge(user_agent, None, None) is opener
    assert judge(user_agent, LATER, "192.0.2.1") is opener


@pytest.mark.parametrize("after", [timedelta(0), QUICK - timedelta(milliseconds=1), timedelta(seconds=-2)])
@pytest.mark.parametrize("user_agent", [FIREFOX, "GoogleImageProxy", None])
def test_nobody_reads_so_soon(after: timedelta, user_agent: str | None) -> None:
    assert judge(user_agent, after, None) is MACHINE
    assert judge(user_agent, QUICK, None) is not MACHINE


@pytest.mark.parametrize(
    ("source_ip", "opener"),
    [("17.58.101.7", MACHINE), ("18.0.0.1", HUMAN), ("2001:db8::1", HUMAN), ("17", HUMAN), ("", HUMAN)],
)
def test_apples_own_network_is_machines(source_ip: str, opener: Opener) -> None:
    assert judge(FIREFOX, LATER, source_ip) is opener


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.text(max_size=2_000), st.text(max_size=50))
def test_any_request_has_a_verdict(user_agent: str, source_ip: str) -> None:
    assert judge(user_agent, None, source_ip) in Opener
