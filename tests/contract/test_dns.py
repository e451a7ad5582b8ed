"""``DnsClient`` against a name server that misbehaves: a missing record and a missing answer differ."""

from collections.abc import Iterator

import pytest

from chalicelib.adapters.dns import DnsClient, DnsTimes
from chalicelib.domain.advice import advise
from chalicelib.domain.advice.finding import Level, Subject
from chalicelib.domain.dns_answers import Answer, AnswerStatus, DnsAnswers, RecordType
from chalicelib.domain.line import Security
from tests.name_server import NameServer, Trouble, Zone, run_name_server

SHORT = DnsTimes(one_try=0.3, question=0.6, check=20)
LONG = "v=DKIM1; k=rsa; p=" + "A" * 900
ZONE: Zone = {
    ("shop.example", "TXT"): ["v=spf1 include:b.example -all", 'with "quotes" and \\'],
    ("shop.example", "MX"): ["10 Mail.Shop.Example.", "20 other.example."],
    ("mail.shop.example", "A"): ["8.8.4.4", "8.8.8.8"],
    ("mail.shop.example", "AAAA"): ["2001:4860:4860::8888"],
    ("null.example", "MX"): ["0 ."],
    ("4.4.8.8.in-addr.arpa", "PTR"): ["mail.shop.example."],
    ("key.shop.example", "TXT"): [LONG],
    ("many.example", "TXT"): [f"text {number} " + "x" * 200 for number in range(40)],
    ("alias.example", "CNAME"): ["key.shop.example."],
    ("loop.example", "CNAME"): ["loop2.example."],
    ("loop2.example", "CNAME"): ["loop.example."],
    ("lost.example", "CNAME"): ["nowhere.example."],
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with run_name_server(ZONE) as running:
        yield running


def ask(server: NameServer, name: str, kind: RecordType, times: DnsTimes = SHORT) -> Answer:
    return DnsClient(server.address, times).session()(name, kind)


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("shop.example", RecordType.TXT, {"v=spf1 include:b.example -all", 'with "quotes" and \\'}),
        ("shop.example", RecordType.MX, {"10 mail.shop.example", "20 other.example"}),
        ("mail.shop.example", RecordType.A, {"8.8.4.4", "8.8.8.8"}),
        ("mail.shop.example", RecordType.AAAA, {"2001:4860:4860::8888"}),
        ("null.example", RecordType.MX, {"0 ."}),
        ("4.4.8.8.in-addr.arpa", RecordType.PTR, {"mail.shop.example"}),
        ("key.shop.example", RecordType.TXT, {LONG}),
        ("alias.example", RecordType.TXT, {LONG}),
    ],
)
def test_records_are_read(server: NameServer, name: str, kind: RecordType, values: set[str]) -> None:
    answer = ask(server, name, kind)
    assert (answer.status, set(answer.values)) == (AnswerStatus.FOUND, values)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("nothing.example", RecordType.TXT, AnswerStatus.NO_NAME),
        ("mail.shop.example", RecordType.TXT, AnswerStatus.NO_DATA),
        ("lost.example", RecordType.TXT, AnswerStatus.NO_NAME),
        ("a" * 64 + ".example", RecordType.TXT, AnswerStatus.NO_NAME),
        ("a..example", RecordType.TXT, AnswerStatus.NO_NAME),
        ("x." * 130 + "example", RecordType.TXT, AnswerStatus.NO_NAME),
    ],
)
def test_what_is_certainly_not_there(
    server: NameServer, name: str, kind: RecordType, status: AnswerStatus
) -> None:
    assert ask(server, name, kind) == Answer(status)


@pytest.mark.parametrize("trouble", [Trouble.SERVFAIL, Trouble.REFUSED, Trouble.SILENT, Trouble.GARBAGE])
def test_trouble_is_no_answer(server: NameServer, trouble: Trouble) -> None:
    server.troubles["shop.example"] = trouble
    assert ask(server, "shop.example", RecordType.TXT).failed


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with run_name_server() as gone:
        address = gone.address
    assert DnsClient(address, SHORT).session()("shop.example", RecordType.TXT).failed


def test_aliases_in_a_circle_are_no_answer_and_end(server: NameServer) -> None:
    assert not ask(server, "loop.example", RecordType.TXT).values


def test_a_slow_answer_is_waited_for_within_the_time(server: NameServer) -> None:
    server.troubles["shop.example"] = Trouble.SLOW
    assert ask(server, "shop.example", RecordType.TXT, DnsTimes(5, 10, 20)).values


def test_what_is_cut_short_is_asked_for_by_tcp(server: NameServer) -> None:
    answer = ask(server, "many.example", RecordType.TXT)
    assert len(answer.values) == 40
    assert [by for name, _, by in server.asked if name == "many.example"] == ["udp", "tcp"]


def test_names_are_asked_as_they_are(server: NameServer) -> None:
    ask(server, "mail", RecordType.A)
    assert {name for name, _, _ in server.asked} == {"mail"}


def test_after_the_time_of_a_check_nobody_is_asked(server: NameServer) -> None:
    session = DnsClient(server.address, DnsTimes(check=0)).session()
    assert session("shop.example", RecordType.TXT).failed
    assert server.asked == []


def test_silence_ends_with_the_check_and_is_told_as_unknown(server: NameServer) -> None:
    for name in ("shop.example", "_dmarc.shop.example", "_dmarc.example", "mail.shop.example"):
        server.troubles[name] = Trouble.SILENT
    times = DnsTimes(one_try=0.2, question=0.4, check=1)
    subject = Subject(
        "news@shop.example", "shop.example", host="mail.shop.example", security=Security.STARTTLS
    )
    said = advise(subject, DnsAnswers(DnsClient(server.address, times).session()))
    codes = {finding.code for finding in said if finding.level is Level.UNKNOWN}
    assert codes == {"spf_unchecked", "dmarc_unchecked", "return_path_mx_unchecked", "ptr_unchecked"}


def test_a_whole_zone_is_judged_over_the_wire(server: NameServer) -> None:
    server.add(
        {
            ("b.example", "TXT"): ["v=spf1 ip4:8.8.4.4 ip4:8.8.8.8 ip6:2001:4860:4860::8888 -all"],
            ("_dmarc.shop.example", "TXT"): ["v=DMARC1; p=reject"],
        }
    )
    subject = Subject(
        "news@shop.example", "shop.example", host="mail.shop.example", security=Security.STARTTLS
    )
    said = advise(subject, DnsAnswers(DnsClient(server.address, SHORT).session()))
    assert {finding.code: finding.level for finding in said if finding.level is Level.MUST} == {
        "dkim_no_key": Level.MUST
    }
    assert {"spf_ok", "dmarc_ok", "return_path_mx_ok", "ptr_ok"} <= {finding.code for finding in said}
