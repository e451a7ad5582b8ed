"""SPF: what a receiver's parser and its limits would make of the record (RFC 7208)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.advice.finding import Level, Record
from chalicelib.domain.advice.spf_record import BadTerm, SpfRecord, is_spf, parse_spf
from chalicelib.domain.advice.spf_walk import walk_spf
from chalicelib.domain.dns_answers import UNANSWERED, Answer, AnswerStatus, found
from tests.unit.domain.advice_builders import Zone, all_findings, answers, findings, problems, without

SPF = ("shop.example", "TXT")


def spf(text: str, **included: str) -> Zone:
    """The domain's record, and those of other names under .example."""
    zone: Zone = {(f"{name}.example", "TXT"): found(record) for name, record in included.items()}
    return zone | {SPF: found(text)}


def judged(zone: Zone, host: str = "mail.shop.example") -> dict[str, Level]:
    said = problems(findings(zone, without(host=host)))
    return {code: level for code, level in said.items() if code.startswith("spf")}


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1",
        "v=spf1 -all",
        "V=SPF1  A  MX:mail.example/24//64 ?all",
        "v=spf1 a:b.example/24 a/24 a//64 mx/0 ip4:8.8.8.0/24 ip6:2001:db8::/32 ptr ptr:b.example -all",
        "v=spf1 exists:%{ir}.b.example redirect=b.example exp=e.example unknown=thing",
        "v=spf1 include:_spf.b.example. ~all",
    ],
)
def test_these_are_records(text: str) -> None:
    assert is_spf(text)
    assert isinstance(parse_spf(text), SpfRecord)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("v=spf1 include -all", "include"),
        ("v=spf1 include: -all", "include:"),
        ("v=spf1 include:b.example/24", "include:b.example/24"),
        ("v=spf1 includes:b.example", "includes:b.example"),
        ("v=spf1 ip4:8.8.8.8.8", "ip4:8.8.8.8.8"),
        ("v=spf1 ip4:8.8.8.0/33", "ip4:8.8.8.0/33"),
        ("v=spf1 ip4:2001:db8::1", "ip4:2001:db8::1"),
        ("v=spf1 ip6:8.8.8.8", "ip6:8.8.8.8"),
        ("v=spf1 ip4", "ip4"),
        ("v=spf1 all:b.example", "all:b.example"),
        ("v=spf1 a:", "a:"),
        ("v=spf1 a/33", "a/33"),
        ("v=spf1 a//129", "a//129"),
        ("v=spf1 mx/x", "mx/x"),
        ("v=spf1 redirect=", "redirect="),
        ("v=spf1 redirect=a.example redirect=b.example", "redirect=b.example"),
        ("v=spf1 +redirect=a.example", "+redirect=a.example"),
        ("v=spf1 -all,", "-all,"),
        ("v=spf1 8.8.8.8", "8.8.8.8"),
        ("v=spf1 é", "é"),
    ],
)
def test_these_have_a_term_nobody_can_read(text: str, term: str) -> None:
    assert parse_spf(text) == BadTerm(term)


@pytest.mark.parametrize("text", ["", "v=spf10 -all", "v=spf2.0/pra -all", "spf1 -all", " v=spf1"])
def test_these_are_something_else(text: str) -> None:
    assert not is_spf(text)


WORDS = st.sampled_from(
    [
        *(
            "a",
            "mx",
            "include:",
            "ip4:",
            "ip6:",
            "/",
            "//",
            "24",
            "::",
            "8.8.8.8",
            "all",
            "redirect=",
            "%{i}",
        ),
        *("+", "-", "~", "?", " ", "b.example", "exists:", "exp=", "ptr", "%{i}", "\x00", "é", "=", ":"),
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=12).map("".join)))
def test_no_text_makes_reading_or_following_fail(text: str) -> None:
    record = f"v=spf1 {text}"
    assert isinstance(parse_spf(record), SpfRecord | BadTerm)
    walk_spf("b.example", answers({("b.example", "TXT"): found(record)}))
    all_findings({SPF: found(record)})


def test_the_same_fault_is_said_once_and_another_by_itself() -> None:
    said = all_findings({SPF: found("v=spf1 include:a.example INCLUDE:a.example include:b.example -all")})
    assert [finding.code for finding in said].count("spf_include_missing") == 2


def test_exactly_one_record() -> None:
    assert judged({SPF: found("v=spf1 -all", "v=spf1 a -all")}) == {"spf_several": Level.MUST}
    assert judged({SPF: found("other=1")}) == {"spf_missing": Level.MUST}
    assert judged({SPF: Answer(AnswerStatus.NO_DATA)}) == {"spf_missing": Level.MUST}
    assert judged(spf("v=spf1 ipv4:8.8.4.4 -all")) == {"spf_syntax": Level.MUST}


def test_the_faulty_term_is_named() -> None:
    text = findings(spf("v=spf1 ipv4:8.8.4.4 -all"))["spf_syntax"].text
    assert "ipv4:8.8.4.4 (shop.example)" in text


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("-all", {}),
        ("~all", {}),
        ("+all", {"spf_pass_all": Level.MUST}),
        ("all", {"spf_pass_all": Level.MUST}),
        ("?all", {"spf_neutral": Level.SHOULD}),
        ("", {"spf_neutral": Level.SHOULD}),
        ("redirect=b.example", {}),
        ("redirect=b.example ?all", {"spf_neutral": Level.SHOULD}),
    ],
)
def test_what_it_says_of_others(end: str, expected: dict[str, Level]) -> None:
    assert judged(spf(f"v=spf1 ip4:8.8.4.4 {end}", b="v=spf1 -all")) == expected


class TestLookups:
    def test_ten_are_fine_and_eleven_are_not(self) -> None:
        def nested(more: str) -> Zone:
            mechanisms = " ".join(f"a:h{number}.example" for number in range(4))
            zone = spf(
                f"v=spf1 ip4:8.8.4.4 include:b.example {mechanisms} -all",
                b="v=spf1 include:c.example mx:h0.example -all",
                c=f"v=spf1 exists:%{{i}}.h1.example ptr redirect=d.example {more}",
                d="v=spf1 ip4:8.8.8.8 -all",
            )
            for number in range(4):
                zone[f"h{number}.example", "A"] = found("8.8.8.8")
            return zone | {("h0.example", "MX"): found("10 h1.example")}

        ten = walk_spf("shop.example", answers(nested("")))
        assert (ten.lookups, ten.voids, ten.faults) == (10, 0, [])
        assert "10 of 10" in findings(nested(""))["spf_ok"].text
        assert judged(nested("a:h2.example")) == {
            "spf_too_many_lookups": Level.MUST,
            "spf_ptr": Level.INFO,
        }

    def test_addresses_and_all_cost_none(self) -> None:
        walk = walk_spf("shop.example", answers(spf("v=spf1 ip4:8.8.4.4 ip6:2001:db8::/32 -all")))
        assert walk.lookups == 0

    def test_redirect_behind_all_is_not_followed(self) -> None:
        assert walk_spf("shop.example", answers(spf("v=spf1 redirect=b.example -all"))).lookups == 0

    def test_two_names_that_lead_nowhere_are_fine_and_three_are_not(self) -> None:
        assert judged(spf("v=spf1 ip4:8.8.4.4 a:x.example mx:y.example -all")) == {}
        assert judged(spf("v=spf1 ip4:8.8.4.4 a:x.example a:y.example a:z.example -all")) == {
            "spf_void_lookups": Level.MUST
        }

    def test_a_loop_ends(self) -> None:
        zone = spf(
            "v=spf1 include:b.example -all", b="v=spf1 include:c.example", c="v=spf1 include:b.example"
        )
        assert "spf_loop" in judged(zone)
        assert "spf_loop" in judged(spf("v=spf1 redirect=shop.example"))

    def test_a_tree_without_end_ends(self) -> None:
        names = [f"n{number}" for number in range(300)]
        tree = {
            name: f"v=spf1 include:n{2 * at + 1}.example include:n{2 * at + 2}.example -all"
            for at, name in enumerate(names)
        }
        walk = walk_spf("shop.example", answers(spf("v=spf1 include:n0.example -all", **tree)))
        assert 10 < walk.lookups <= 40

    def test_an_include_without_a_record_is_an_error(self) -> None:
        assert judged(spf("v=spf1 ip4:8.8.4.4 include:b.example -all")) == {"spf_include_missing": Level.MUST}

    def test_more_than_ten_mail_servers_are_an_error(self) -> None:
        zone = spf("v=spf1 ip4:8.8.4.4 mx:b.example -all")
        zone["b.example", "MX"] = found(*(f"10 m{number}.example" for number in range(11)))
        assert "spf_many_mx" in judged(zone)


class TestServer:
    @pytest.mark.parametrize(
        "record",
        [
            "v=spf1 ip4:8.8.4.0/24 -all",
            "v=spf1 a:mail.shop.example -all",
            "v=spf1 mx -all",
            "v=spf1 a:near.example/29 -all",
            "v=spf1 include:b.example -all",
            "v=spf1 redirect=b.example",
        ],
    )
    def test_it_may_be_allowed_in_many_ways(self, record: str) -> None:
        zone = spf(record, b="v=spf1 ip4:8.8.4.4 -all")
        assert judged(zone | {("near.example", "A"): found("8.8.4.1")}) == {}

    def test_if_not_the_record_with_it_is_shown(self) -> None:
        said = findings(spf("v=spf1 -ip4:8.8.4.4 include:b.example ~all", b="v=spf1 ip4:1.1.1.1 -all"))
        assert said["spf_server_missing"].level is Level.SHOULD
        assert said["spf_server_missing"].record == Record(
            "TXT", "shop.example", "v=spf1 ip4:8.8.4.4 -ip4:8.8.4.4 include:b.example ~all"
        )

    def test_a_macro_could_allow_it(self) -> None:
        assert judged(spf("v=spf1 exists:%{i}.b.example -all")) == {}

    @pytest.mark.parametrize(
        ("host", "include"),
        [
            ("smtp.gmail.com", "_spf.google.com"),
            ("smtp.yandex.ru", "_spf.yandex.net"),
            ("smtp.mail.ru", "_spf.mail.ru"),
            ("smtp.mailgun.org", "mailgun.org"),
        ],
    )
    def test_a_provider_must_be_included(self, host: str, include: str) -> None:
        said = findings(spf("v=spf1 mx ~all"), without(host=host))
        assert said["spf_provider_missing"].level is Level.MUST
        assert said["spf_provider_missing"].record == Record(
            "TXT", "shop.example", f"v=spf1 include:{include} mx ~all"
        )
        good = {(include, "TXT"): found("v=spf1 ip4:8.8.8.8 -all")}
        assert judged(spf(f"v=spf1 include:{include} ~all") | good, host) == {}
        missing = findings({SPF: Answer(AnswerStatus.NO_NAME)}, without(host=host))["spf_missing"].record
        assert missing == Record("TXT", "shop.example", f"v=spf1 include:{include} ~all")

    def test_a_part_nobody_answered_for_is_no_verdict(self) -> None:
        zone = spf("v=spf1 include:b.example -all") | {("b.example", "TXT"): UNANSWERED}
        assert judged(zone) == {"spf_unchecked": Level.UNKNOWN}
