"""A preview shows what the sender would send, by the same path, and changes nothing."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from chalicelib.domain.contact import Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.preview_frame import framed
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.attachments import file_key
from chalicelib.flow.campaign import edit_campaign, launch_campaign
from chalicelib.flow.contacts import add_contacts
from chalicelib.flow.preview import Preview, preview_contact, preview_person
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.flow.test_attachments import upload

CONTENT = Content(
    "[greeting] [firstName|friend]",
    "<p>[greeting], [firstName|friend] of [town]</p>",
    variables=(CustomVariable("greeting", tuple(f"Hello{number}" for number in range(50))),),
)
ADA = Person("ada@mail.example", "Ada <b>", extra=(("town", "York"),))


@pytest.fixture
def world() -> World:
    made = World()
    made.add_line()
    return made


def show(world: World, campaign_id: str, contact_id: str, account: str = ACCOUNT) -> Preview:
    return preview_contact(account, campaign_id, contact_id, None, world.preview_ports)


def test_a_contact_gets_what_its_preview_shows(world: World) -> None:
    campaign_id = world.add_campaign(0, content=CONTENT).campaign_id
    add_contacts(ACCOUNT, campaign_id, [ADA], world.contact_ports)
    contact_id = world.only(campaign_id).contact_id
    shown = show(world, campaign_id, contact_id)
    launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
    (order,) = world.visit(campaign_id)
    world.sender().send(order, world.stop_at())
    mail = message_from_bytes(world.channel.accepted[0].text, policy=policy.default)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert mail["Subject"] == shown.rendered.subject
    begin = shown.rendered.text.partition("about:blank")[0]
    assert text.get_content().replace("\r\n", "\n").startswith(begin)
    assert (
        html.get_content().replace("\r\n", "\n").startswith(shown.rendered.html.partition("about:blank")[0])
    )
    assert "Ada &lt;b&gt; of York" in shown.rendered.html
    assert shown.rendered.html.count("about:blank") == 2, "the unsubscribe link and the opening picture"


def test_an_example_person_reads_what_it_would_as_a_contact(world: World) -> None:
    campaign_id = world.add_campaign(0, content=CONTENT).campaign_id
    example = preview_person(ACCOUNT, campaign_id, ADA, None, world.preview_ports)
    assert world.all_contacts(campaign_id) == []
    add_contacts(ACCOUNT, campaign_id, [ADA], world.contact_ports)
    assert example == show(world, campaign_id, world.only(campaign_id).contact_id)


def test_the_newest_version_and_the_sender_are_told(world: World) -> None:
    campaign = world.add_campaign(1)
    campaign_id, contact_id = campaign.campaign_id, world.only(campaign.campaign_id).contact_id
    newer = replace(CONTENT, subject="Newer")
    edit_campaign(ACCOUNT, campaign_id, lambda old: replace(old, content=newer), None, world.campaign_ports)
    shown = show(world, campaign_id, contact_id)
    assert (shown.content_version, shown.rendered.subject) == (2, "Newer")
    assert shown.sender is not None
    assert (shown.sender.from_name, shown.sender.from_address) == ("Oak & Linen", "news@shop.example")


def test_a_campaign_without_a_line_has_no_sender_yet(world: World) -> None:
    campaign_id = world.add_campaign(1, line_ids=()).campaign_id
    assert show(world, campaign_id, world.only(campaign_id).contact_id).sender is None


def test_a_stranger_sees_nothing(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    with pytest.raises(NotFound):
        show(world, campaign_id, world.only(campaign_id).contact_id, STRANGER)
    with pytest.raises(NotFound):
        preview_person(STRANGER, campaign_id, ADA, None, world.preview_ports)
    with pytest.raises(Invalid, match="line_id"):
        preview_person(ACCOUNT, campaign_id, ADA, "no-line", world.preview_ports)


def test_images_within_the_mail_are_at_hand_for_who_looks_at_it(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    logo = upload(world, campaign_id, png, "logo.png", "logo")
    unused = upload(world, campaign_id, png, "other.png", "other")
    html = '<img src="cid:logo"><img src="cid:missing">'
    edit_campaign(
        ACCOUNT,
        campaign_id,
        lambda old: replace(old, content=Content("Hi", html), attachment_ids=(logo, unused)),
        None,
        world.campaign_ports,
    )
    shown = show(world, campaign_id, world.only(campaign_id).contact_id)
    digest = world.attachments.get(ACCOUNT, campaign_id, logo).digest
    url = f"https://files.example/{file_key(ACCOUNT, campaign_id, logo, digest)}?name=logo.png"
    assert shown.images == {"logo": url}
    assert 'src="cid:logo@' in shown.rendered.html, "what is sent stays as it is"
    document = framed(shown.rendered.html, shown.images)
    assert f'<img src="{url}"><img src="cid:missing">' in document


def test_what_cannot_be_shown_says_why(world: World) -> None:
    campaign_id = world.add_campaign(0).campaign_id
    with pytest.raises(Invalid):
        preview_person(ACCOUNT, campaign_id, Person("nobody"), None, world.preview_ports)
    version = world.campaigns.get(ACCOUNT, campaign_id).content_version
    world.campaigns._contents[ACCOUNT, campaign_id, version] = Content("{{ broken", "x")
    with pytest.raises(Conflict):
        preview_person(ACCOUNT, campaign_id, ADA, None, world.preview_ports)
