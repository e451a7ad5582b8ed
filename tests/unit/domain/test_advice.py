"""Advice on a line: what receivers would find, each with its code, its level and the record to add."""

import pytest

from chalicelib.domain.advice import advise
from chalicelib.domain.advice.finding import Level, Record
from chalicelib.domain.dns_answers import (
    MOST_QUESTIONS,
    UNANSWERED,
    Answer,
    AnswerStatus,
    DnsAnswers,
    RecordType,
    found,
)
from chalicelib.domain.line import Security
from chalicelib.domain.mail_providers import replaced_by
from tests.unit.domain.advice_builders import GOOD, LINE, Zone, answers, findings, problems, without

NOTHING = Answer(AnswerStatus.NO_NAME)
GONE: dict[str, tuple[tuple[str, str], str]] = {
    "spf_missing": (("shop.example", "TXT"), "spf_unchecked"),
    "dkim_record_missing": (("pl1._domainkey.shop.example", "TXT"), "dkim_unchecked"),
    "dmarc_missing": (("_dmarc.shop.example", "TXT"), "dmarc_unchecked"),
    "ptr_missing": (("4.4.8.8.in-addr.arpa", "PTR"), "ptr_unchecked"),
}


def test_nothing_is_wrong_with_a_good_domain() -> None:
    said = findings()
    assert problems(said) == {}
    assert set(said) == {
        *("spf_ok", "dkim_ok", "dmarc_ok", "alignment_ok", "return_path_mx_ok", "ptr_ok", "tls_ok"),
    }
    assert not any(finding.record for finding in said.values())


@pytest.mark.parametrize("code", GONE)
def test_what_is_missing_and_what_could_not_be_checked_are_told_apart(code: str) -> None:
    place, unchecked = GONE[code]
    missing = findings({place: NOTHING})
    assert code in missing
    assert missing[code].level in {Level.MUST, Level.INFO}
    silent = findings({place: UNANSWERED})
    assert code not in silent
    assert silent[unchecked].level is Level.UNKNOWN
    assert "missing" not in " ".join(silent)


def test_when_nobody_answers_nothing_is_missing() -> None:
    said = advise(LINE, DnsAnswers(lambda name, kind: UNANSWERED))
    assert {finding.level for finding in said} == {Level.UNKNOWN, Level.OK}
    assert {finding.code for finding in said if finding.level is Level.OK} == {"alignment_ok", "tls_ok"}


def test_the_most_pressing_comes_first() -> None:
    said = advise(without(security=Security.NONE), answers({}))
    levels = [finding.level for finding in said]
    order = [Level.MUST, Level.SHOULD, Level.UNKNOWN, Level.INFO, Level.OK]
    assert levels == sorted(levels, key=order.index)
    assert levels[0] is Level.MUST


def test_the_records_to_add_are_shown() -> None:
    said = findings(dict.fromkeys((place for place, _ in GONE.values()), NOTHING))
    assert said["spf_missing"].record == Record("TXT", "shop.example", "v=spf1 ip4:8.8.4.4 ~all")
    assert said["dkim_record_missing"].record == Record(
        "TXT", "pl1._domainkey.shop.example", "v=DKIM1; k=rsa; p=QUJD"
    )
    assert said["dmarc_missing"].record == Record("TXT", "_dmarc.shop.example", "v=DMARC1; p=none")


class TestDkim:
    @pytest.mark.parametrize(
        ("record", "code"),
        [
            ("v=DKIM1; p=OTHER", "dkim_record_different"),
            ("v=DKIM1; p=", "dkim_record_different"),
            ("v=DKIM1; t=y; p=QUJD", "dkim_testing"),
        ],
    )
    def test_a_record_that_is_not_ours_is_to_be_replaced(self, record: str, code: str) -> None:
        said = findings({("pl1._domainkey.shop.example", "TXT"): found(record)})
        (problem,) = problems(said)
        assert problem == code
        assert said[code].record == Record("TXT", "pl1._domainkey.shop.example", "v=DKIM1; k=rsa; p=QUJD")

    def test_a_short_key_is_told(self) -> None:
        short = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL8eJ5AKoIsjURpcEoGubZMxLD7+kT+TLr7UkvEtFrRhDDKMtuIIq19FrL4pUIMymPMSLBn3hJLe30Dw48GQM4UCAwEAAQ=="  # noqa: E501
        said = findings({("pl1._domainkey.shop.example", "TXT"): found(f"v=DKIM1; p={short}")})
        assert "512 bits, too short to count" in said["dkim_record_different"].text

    def test_without_a_key_of_ours_the_domain_is_to_be_added(self) -> None:
        said = findings(subject=without(own=None))
        assert problems(said) == {"dkim_no_key": Level.MUST, "alignment_spf_only": Level.SHOULD}

    def test_a_provider_may_sign_itself(self) -> None:
        said = findings(subject=without(own=None, host="smtp.gmail.com"))
        assert said["dkim_no_key"].level is Level.SHOULD


class TestProviders:
    def test_a_provider_that_takes_the_bounces_is_judged_by_dkim(self) -> None:
        said = findings(
            {("shop.example", "TXT"): NOTHING}, without(host="email-smtp.eu-west-1.amazonaws.com", own=None)
        )
        assert said["spf_of_provider"].level is Level.INFO
        assert said["alignment_missing"].level is Level.MUST
        assert "reply_mx_ok" in said
        assert not any(code.startswith(("return_path", "ptr", "spf_missing")) for code in said)

    def test_an_api_of_a_provider_signs_and_has_no_server(self) -> None:
        said = findings(subject=without(host=None, security=None, own=None))
        assert not any(code.startswith(("dkim", "tls", "ptr")) for code in said)
        assert said["alignment_by_provider"].level is Level.INFO

    @pytest.mark.parametrize(
        ("host", "replaced"),
        [
            ("email-smtp.us-east-1.amazonaws.com", {"message-id", "date"}),
            ("EMAIL-SMTP.us-east-1.amazonaws.com", {"message-id", "date"}),
            ("smtp.gmail.com", set()),
            ("amazonaws.com.shop.example", set()),
            ("notamazonaws.com", set()),
        ],
    )
    def test_what_a_provider_writes_anew_is_known(self, host: str, replaced: set[str]) -> None:
        assert replaced_by(host) == replaced


class TestFreeMail:
    @pytest.mark.parametrize("domain", ["gmail.com", "mail.ru", "yandex.ru", "outlook.com"])
    def test_a_free_mail_address_through_a_foreign_server_is_refused(self, domain: str) -> None:
        said = findings(subject=without(from_address=f"shop@{domain}", from_domain=domain, own=None))
        assert problems(said) == {"free_mail_foreign_server": Level.MUST}

    def test_through_its_own_servers_it_is_advised_against(self) -> None:
        own = without(from_address="s@gmail.com", from_domain="gmail.com", host="smtp.gmail.com", own=None)
        assert problems(findings(subject=own)) == {"free_mail": Level.SHOULD}
        assert set(findings(subject=own)) == {"free_mail", "tls_ok"}


class TestMailboxes:
    MX = ("shop.example", "MX")

    @pytest.mark.parametrize(
        ("zone", "code", "level"),
        [
            ({MX: found("0 .")}, "return_path_null_mx", Level.MUST),
            ({MX: found("10 gone.shop.example")}, "return_path_mx_missing", Level.MUST),
            ({MX: NOTHING}, "return_path_mx_missing", Level.MUST),
            ({MX: NOTHING, ("shop.example", "A"): found("8.8.4.4")}, "return_path_mx_implicit", Level.INFO),
            ({MX: UNANSWERED}, "return_path_mx_unchecked", Level.UNKNOWN),
            (
                {MX: found("10 b.example"), ("b.example", "A"): UNANSWERED},
                "return_path_mx_unchecked",
                Level.UNKNOWN,
            ),
        ],
    )
    def test_bounces_need_a_mail_server(self, zone: Zone, code: str, level: Level) -> None:
        assert problems(findings(zone)) == {code: level}

    def test_one_of_several_that_is_there_is_enough(self) -> None:
        assert problems(findings({self.MX: found("5 gone.example", "10 mail.shop.example")})) == {}

    def test_answers_to_another_domain_need_one_too(self) -> None:
        said = findings(subject=without(reply_to_domain="help.example"))
        assert problems(said) == {"reply_mx_missing": Level.SHOULD}

    @pytest.mark.parametrize("local", ["noreply", "no-reply", "NoReply", "do_not_reply", "donotreply-news"])
    def test_an_address_nobody_reads_needs_a_reply_to(self, local: str) -> None:
        nobody = without(from_address=f"{local}@shop.example")
        assert problems(findings(subject=nobody)) == {"from_noreply": Level.SHOULD}
        assert problems(findings(subject=without(nobody, reply_to_domain="shop.example"))) == {}


class TestServer:
    def test_clear_text_is_told(self) -> None:
        assert problems(findings(subject=without(security=Security.NONE))) == {"tls_none": Level.MUST}

    def test_a_reverse_name_must_lead_back(self) -> None:
        zone: Zone = {("4.4.8.8.in-addr.arpa", "PTR"): found("other.example")}
        assert problems(findings(zone)) == {"ptr_mismatch": Level.INFO}

    def test_ipv6_is_looked_at_too(self) -> None:
        reverse = f"8.8.8.8.{'0.' * 16}0.6.8.4.0.6.8.4.1.0.0.2.ip6.arpa"
        zone: Zone = {
            ("mail.shop.example", "AAAA"): found("2001:4860:4860::8888"),
            ("shop.example", "TXT"): found("v=spf1 a:mail.shop.example -all"),
        }
        assert problems(findings(zone)) == {"ptr_missing": Level.INFO}
        zone[reverse, "PTR"] = found("mail.shop.example")
        assert problems(findings(zone)) == {}

    def test_a_private_address_is_nobodys_business(self) -> None:
        said = findings({("mail.shop.example", "A"): found("10.0.0.7")})
        assert not any(code.startswith("ptr") for code in said)
        assert "10.0.0.7" not in repr(said)


class TestAnswers:
    def test_a_question_is_asked_once_and_not_too_many_are(self) -> None:
        asked: list[str] = []

        def ask(name: str, kind: RecordType) -> Answer:
            asked.append(name)
            return NOTHING

        known = DnsAnswers(ask)
        for _ in range(2):
            assert known.get("Shop.Example.", RecordType.A) == known.get("shop.example", RecordType.A)
        assert asked == ["shop.example"]
        for number in range(2 * MOST_QUESTIONS):
            known.get(f"n{number}.example", RecordType.A)
        assert len(asked) == MOST_QUESTIONS
        assert known.get("one-more.example", RecordType.A).failed

    def test_addresses_of_one_family_are_enough(self) -> None:
        zone: Zone = {("a.example", "A"): found("8.8.8.8"), ("a.example", "AAAA"): UNANSWERED}
        assert answers(zone).addresses("a.example").values == ("8.8.8.8",)
        assert answers({("a.example", "AAAA"): UNANSWERED}).addresses("a.example").failed
        assert not answers(GOOD).addresses("nothing.example").failed
