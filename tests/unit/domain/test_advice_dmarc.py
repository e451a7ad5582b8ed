"""DMARC: the record, whose it is, and alignment by the walk up the tree of names."""

import pytest

from chalicelib.domain.advice.dmarc import aligned, walk_dmarc
from chalicelib.domain.advice.finding import Level
from chalicelib.domain.dns_answers import UNANSWERED, Answer, AnswerStatus, DnsAnswers, RecordType, found
from tests.unit.domain.advice_builders import Zone, answers, findings, problems, without


def dmarc(**records: str) -> Zone:
    """DMARC records by domain; an underscore is a dot."""
    return {(f"_dmarc.{name.replace('_', '.')}", "TXT"): found(text) for name, text in records.items()}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=DMARC1; p=reject; rua=mailto:r@shop.example", {}),
        ("v=DMARC1;p=quarantine", {}),
        ("v=DMARC1; p=Quarantine; adkim=S; aspf=r;", {}),
        ("v=DMARC1; p=none", {"dmarc_policy_none": Level.INFO}),
        ("v=DMARC1", {"dmarc_policy_none": Level.INFO}),
        ("v=DMARC1; p=block", {"dmarc_syntax": Level.MUST}),
        ("v=DMARC1; p=reject; adkim=x", {"dmarc_syntax": Level.MUST}),
        ("v=DMARC1; p=reject; p=none", {"dmarc_syntax": Level.MUST}),
        ("v=dmarc1; p=reject", {"dmarc_syntax": Level.MUST}),
        ("v=DMARC1 p=reject", {"dmarc_syntax": Level.MUST}),
        ("some other text", {"dmarc_missing": Level.MUST}),
    ],
)
def test_the_record_is_read(record: str, expected: dict[str, Level]) -> None:
    assert problems(findings(dmarc(shop_example=record))) == expected


def test_several_are_none() -> None:
    twice: Zone = {("_dmarc.shop.example", "TXT"): found("v=DMARC1; p=none", "v=DMARC1; p=reject")}
    assert problems(findings(twice)) == {"dmarc_several": Level.MUST}


def test_a_subdomain_has_the_policy_its_organization_gives_to_subdomains() -> None:
    own = without(from_address="a@news.shop.example", from_domain="news.shop.example", own=None)
    inherited = findings(dmarc(shop_example="v=DMARC1; p=reject; sp=none"), own)
    assert inherited["dmarc_policy_none"].level is Level.INFO
    assert "dmarc_policy_none" not in findings(dmarc(shop_example="v=DMARC1; p=reject"), own)
    assert "dmarc_missing" in findings({("_dmarc.shop.example", "TXT"): Answer(AnswerStatus.NO_NAME)}, own)


def test_no_answer_above_is_no_verdict() -> None:
    zone: Zone = {
        ("_dmarc.shop.example", "TXT"): Answer(AnswerStatus.NO_NAME),
        ("_dmarc.example", "TXT"): UNANSWERED,
    }
    assert problems(findings(zone)) == {"dmarc_unchecked": Level.UNKNOWN}


class TestOrganization:
    @pytest.mark.parametrize(
        ("records", "organization"),
        [
            ({}, "a.mail.shop.example"),
            ({"shop_example": "v=DMARC1; p=none"}, "shop.example"),
            ({"mail_shop_example": "v=DMARC1; p=none", "shop_example": "v=DMARC1; p=none"}, "shop.example"),
            (
                {"mail_shop_example": "v=DMARC1; p=none; psd=n", "shop_example": "v=DMARC1"},
                "mail.shop.example",
            ),
            ({"shop_example": "v=DMARC1; p=none; psd=y"}, "mail.shop.example"),
            ({"a_mail_shop_example": "v=DMARC1; psd=y"}, "a.mail.shop.example"),
            ({"mail_shop_example": "broken", "example": "v=DMARC1; p=none; psd=y"}, "shop.example"),
        ],
    )
    def test_it_is_found_by_the_records_on_the_way_up(
        self, records: dict[str, str], organization: str
    ) -> None:
        assert walk_dmarc("a.mail.shop.example", answers(dmarc(**records))).organization == organization

    def test_a_long_name_is_looked_up_eight_times_at_most(self) -> None:
        asked: list[str] = []

        def ask(name: str, kind: RecordType) -> Answer:
            asked.append(name)
            return Answer(AnswerStatus.NO_NAME)

        name = ".".join([*"abcdefghij", "shop", "example"])
        walk_dmarc(name, DnsAnswers(ask))
        assert len(asked) == 8
        assert asked[:2] == [f"_dmarc.{name}", "_dmarc.f.g.h.i.j.shop.example"]
        assert asked[-1] == "_dmarc.example"


@pytest.mark.parametrize(
    ("one", "other", "mode", "expected"),
    [
        ("shop.example", "shop.example", "s", True),
        ("shop.example", "news.shop.example", "s", False),
        ("shop.example", "news.shop.example", "r", True),
        ("a.shop.example", "b.shop.example", "r", True),
        ("shop.example", "other.example", "r", False),
        ("shop.example", "eshop.example", "r", False),
    ],
)
def test_alignment_is_by_organization_or_strict(one: str, other: str, mode: str, expected: bool) -> None:
    assert aligned(one, other, mode, answers(dmarc(shop_example="v=DMARC1; p=none"))) is expected
