"""Contacts by hand: added, found, edited while they wait, and removed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.contact import ContactStatus, Person
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.contacts import (
    add_contacts,
    edit_contact,
    find_contact,
    list_contacts,
    read_contact,
    remove_contact,
)
from chalicelib.flow.imports import (
    list_imports,
    read_import,
    start_import,
)
from tests.fakes.world import ACCOUNT, STRANGER, World

LATER = timedelta(hours=1)


def draft(world: World) -> str:
    world.add_line()
    return world.add_campaign(0).campaign_id


def people(count: int) -> list[str]:
    return [f"p{number}@mail.example" for number in range(count)]


class TestByHand:
    def test_people_are_added_and_shown(self) -> None:
        world = World()
        one = draft(world)
        added = add_contacts(ACCOUNT, one, [Person("A@mail.example", "Ann")], world.contact_ports)
        assert (added.added, added.duplicates) == (1, 0)
        (contact,) = added.contacts
        assert contact.person == Person("A@mail.example", "Ann")
        assert read_contact(ACCOUNT, one, contact.contact_id, world.contact_ports) == contact
        assert list_contacts(ACCOUNT, one, None, 10, None, world.contact_ports).items == [contact]
        assert list_contacts(ACCOUNT, one, None, 10, ContactStatus.SENT, world.contact_ports).items == []

    def test_the_same_address_twice_is_one_contact(self) -> None:
        world = World()
        one = draft(world)
        twice = [Person("a@mail.example"), Person("A@MAIL.example")]
        added = add_contacts(ACCOUNT, one, twice, world.contact_ports)
        assert (added.added, added.duplicates, len(added.contacts)) == (1, 1, 1)

    def test_wrong_addresses_are_told_all_at_once_and_nobody_is_added(self) -> None:
        world = World()
        one = draft(world)
        with pytest.raises(Invalid) as refused:
            add_contacts(
                ACCOUNT, one, [Person("x"), Person("a@mail.example"), Person("y@")], world.contact_ports
            )
        assert [error.field for error in refused.value.errors] == ["contacts[0].email", "contacts[2].email"]
        assert world.all_contacts(one) == []

    def test_a_contact_that_waits_is_removed(self) -> None:
        world = World()
        one = world.running(2)
        first, second = world.all_contacts(one)
        remove_contact(ACCOUNT, one, first.contact_id, world.contact_ports)
        assert world.all_contacts(one) == [second]
        world.visit(one)
        with pytest.raises(Conflict):
            remove_contact(ACCOUNT, one, second.contact_id, world.contact_ports)

    def test_another_account_finds_no_campaign(self) -> None:
        world = World()
        one = world.running(1)
        contact = world.only(one).contact_id
        job, _ = start_import(ACCOUNT, one, "f.csv", "csv", world.contact_ports)
        for attempt in (
            lambda: add_contacts(STRANGER, one, [Person("a@mail.example")], world.contact_ports),
            lambda: list_contacts(STRANGER, one, None, 10, None, world.contact_ports),
            lambda: read_contact(STRANGER, one, contact, world.contact_ports),
            lambda: remove_contact(STRANGER, one, contact, world.contact_ports),
            lambda: start_import(STRANGER, one, "f.csv", "csv", world.contact_ports),
            lambda: list_imports(STRANGER, one, None, 10, world.contact_ports),
            lambda: read_import(STRANGER, job.import_id, world.contact_ports),
        ):
            with pytest.raises(NotFound):
                attempt()

    def test_a_contact_is_found_by_its_address_however_it_is_written(self) -> None:
        world = World()
        one = world.running(1)
        found = find_contact(ACCOUNT, one, " C0@MAIL.example", world.contact_ports)
        assert (found.items, found.cursor) == ([world.only(one)], None)
        assert find_contact(ACCOUNT, one, "eve@mail.example", world.contact_ports).items == []
        with pytest.raises(Invalid):
            find_contact(ACCOUNT, one, "nobody", world.contact_ports)
        with pytest.raises(NotFound):
            find_contact(STRANGER, one, "c0@mail.example", world.contact_ports)

    def test_a_contact_is_edited_while_it_waits(self) -> None:
        world = World()
        one = world.running(1)
        before = world.only(one)
        gold = edit_contact(
            ACCOUNT, one, before.contact_id, lambda old: replace(old, p1="Gold"), world.contact_ports
        )
        assert gold == world.only(one) == replace(before, person=replace(before.person, p1="Gold"))
        world.visit(one)
        with pytest.raises(Conflict):
            edit_contact(ACCOUNT, one, before.contact_id, lambda old: old, world.contact_ports)
