"""The report's split by option: of the version each contact was sent, and equal to what was sent."""

from dataclasses import replace

from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.delivery import Reason, Refused, Scope
from chalicelib.domain.job import JobState
from chalicelib.flow.campaign import edit_campaign, launch_campaign
from chalicelib.flow.report import export_key, export_report, start_export
from chalicelib.flow.report_options import OptionSplit
from tests.fakes.world import ACCOUNT, World

GREETING = CustomVariable("Greeting", ("Hi", "=Hello, [firstName]"))
CONTENT = Content("[Greeting]", "<p>[Greeting]</p>", variables=(GREETING,))
WHY = Reason("mailbox_unknown", "No such mailbox.", reply_code=550)


def launched(world: World, people: int, content: Content = CONTENT) -> str:
    world.add_line()
    one = world.add_campaign(people, content=content).campaign_id
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    return one


def send(world: World, campaign_id: str, *refused: str) -> None:
    for email in refused:
        world.channel.outcomes[email] = [Refused(WHY, Scope.CONTACT)]
    for order in world.visit(campaign_id):
        world.sender().send(order, world.stop_at())


def sheets(world: World, campaign_id: str) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of both sheets, each with its title left out."""
    job = start_export(ACCOUNT, campaign_id, world.export_ports)
    export_report(ACCOUNT, job.export_id, world.report_ports)
    assert world.exports.get(ACCOUNT, job.export_id).state is JobState.DONE
    text = world.files.contents[export_key(ACCOUNT, job)].decode()
    contacts, _, summary = text.partition("\n# Summary\n")
    return [line.split("|") for line in contacts.splitlines()[1:]], [
        line.split("|") for line in summary.splitlines()
    ]


def edit(world: World, campaign_id: str, content: Content) -> None:
    edit_campaign(ACCOUNT, campaign_id, lambda old: replace(old, content=content), None, world.campaign_ports)


def column(rows: list[list[str]], name: str) -> dict[str, str]:
    """A column of the contacts, by address."""
    place = rows[0].index(name)
    return {row[0]: row[place] for row in rows[1:]}


def split(summary: list[list[str]]) -> dict[tuple[str, str], list[int]]:
    """The counts of the summary by variable and option: sent, delivered, opened, error."""
    start = summary.index(["Variable", "Option", "Sent", "Delivered", "Opened", "Error"])
    return {(row[0], row[1]): [int(count) for count in row[2:]] for row in summary[start + 1 :]}


def subjects(world: World) -> dict[str, str]:
    found = {}
    for mail in world.channel.accepted:
        header = mail.text.decode().split("\r\n")
        found[mail.recipient] = next(line[9:] for line in header if line.startswith("Subject: "))
    return found


def test_the_report_says_of_each_contact_what_its_message_said() -> None:
    world = World()
    one = launched(world, 12)
    send(world, one, "c0@mail.example")
    rows, summary = sheets(world, one)
    said = {"1: Hi": "Hi", "2: =Hello, [firstName]": "=Hello,"}
    got = column(rows, "Option of Greeting")
    assert set(got.values()) == set(said)
    assert {email: said[got[email]] for email in subjects(world)} == subjects(world)
    counts = split(summary)
    for (_, option), (sent, _, _, error) in counts.items():
        others = [email for email in got if got[email] == option]
        assert error == others.count("c0@mail.example")
        assert sent == len(others) - error
    assert sum(map(sum, counts.values())) == 12


def test_who_was_not_sent_to_got_no_option() -> None:
    world = World()
    one = launched(world, 3)
    world.suppress("c1@mail.example")
    send(world, one)
    world.add_people(one, "late@mail.example")
    rows, summary = sheets(world, one)
    got = column(rows, "Option of Greeting")
    assert (got["c1@mail.example"], got["late@mail.example"]) == ("", "")
    assert sum(map(sum, split(summary).values())) == 2


def test_each_contact_is_shown_with_the_version_it_was_sent() -> None:
    world = World()
    one = launched(world, 2)
    send(world, one)
    renamed = (CustomVariable("GREETING", ("Dear",)), CustomVariable("End", ("Bye",)))
    edit(world, one, replace(CONTENT, variables=renamed))
    world.add_people(one, "late@mail.example")
    world.clock.wait(minutes=1)
    send(world, one)
    rows, summary = sheets(world, one)
    got, ends = column(rows, "Option of GREETING"), column(rows, "Option of End")
    assert (got["late@mail.example"], ends["late@mail.example"]) == ("1: Dear", "1: Bye")
    assert {got["c0@mail.example"], got["c1@mail.example"]} <= {"1: Hi", "2: =Hello, [firstName]"}
    assert ends["c0@mail.example"] == ""
    assert split(summary)["GREETING", "1: Dear"] == [1, 0, 0, 0]
    assert split(summary)["End", "1: Bye"] == [1, 0, 0, 0]


def test_a_version_that_comes_while_the_report_is_written_is_counted_too() -> None:
    world = World()
    one = launched(world, 1)
    campaign = world.campaigns.get(ACCOUNT, one)
    options = OptionSplit(ACCOUNT, campaign, world.campaigns)
    edit(world, one, replace(CONTENT, variables=(GREETING, CustomVariable("End", ("Bye",)))))
    send(world, one)
    (cell,) = options.note(world.only(one))
    assert cell in ("1: Hi", "2: =Hello, [firstName]")


def test_an_option_that_nobody_got_is_counted_as_none() -> None:
    world = World()
    one = launched(world, 1)
    counts = split(sheets(world, one)[1])
    assert counts == {("Greeting", "1: Hi"): [0] * 4, ("Greeting", "2: =Hello, [firstName]"): [0] * 4}


def test_without_custom_variables_nothing_is_split() -> None:
    world = World()
    one = launched(world, 1, replace(CONTENT, subject="Hi", variables=()))
    rows, summary = sheets(world, one)
    assert not [name for name in rows[0] if name.startswith("Option")]
    assert all(row[0] != "Variable" for row in summary)
