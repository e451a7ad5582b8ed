"""No form of a password stays in what a server said."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.credentials import Credentials

OWN = Credentials("user", "Secr3t-canary")
PLAIN = base64.b64encode(OWN.plain).decode()
ALONE = base64.b64encode(OWN.password.encode()).decode()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("AUTH PLAIN " + PLAIN, "AUTH PLAIN ***"),
        (f"unknown: {PLAIN.upper()} ({ALONE.lower()})", "unknown: *** (***)"),
        (f"{PLAIN[:12]} {PLAIN[12:20]} {PLAIN[20:]}", "*** *** ***"),
        (f"AUTH PLAIN {PLAIN[:-9]}...", "AUTH PLAIN ***..."),
        ("SECR3T-CANARY, secr3t-canary", "***, ***"),
        (
            "5.7.8 Authentication credentials invalid for user",
            "5.7.8 Authentication credentials invalid for user",
        ),
    ],
)
def test_every_form_is_struck_out_and_nothing_else(said: str, shown: str) -> None:
    assert OWN.strike_out(said) == shown


def test_the_escaped_form_goes_before_the_plain_one() -> None:
    own = Credentials("u", 'a"\\')
    assert own.strike_out('"a\\"\\\\" a"\\') == '"***" ***'


def test_without_a_password_nothing_is_struck_out() -> None:
    assert Credentials("user", "").strike_out("dXNlcg== user") == "dXNlcg== user"


def test_it_does_not_show_its_password() -> None:
    assert OWN.password not in repr(OWN)


@given(
    st.text(st.characters(), min_size=1).filter(lambda text: "*" not in text),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_whatever_the_password_is(password: str, before: str, after: str) -> None:
    own = Credentials("u", password)
    shown = own.strike_out(f"{before}{password}{after}")
    assert password not in shown
