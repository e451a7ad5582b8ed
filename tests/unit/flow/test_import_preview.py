"""Previews: nothing is added before a person says so, and what they say is what is imported."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.domain.dialog import Dialog, TagFilter
from chalicelib.domain.file_columns import Choice, Use
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.dialogs import list_dialogs, start_dialog_file
from chalicelib.flow.import_preview import approve_import, preview_import, preview_key
from chalicelib.flow.imports import import_contacts, start_import, upload_key
from chalicelib.flow.suppressions import start_list_import
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.flow.test_imports import LATER, draft, job_of, run

ROWS = "Kunde;email\nAnna;anna@example.com\nBob;bob@example.com\nEve;nobody\n"


def reviewed(world: World, campaign_id: str, text: str = ROWS) -> str:
    job, _ = start_import(ACCOUNT, campaign_id, "people.csv", "csv", world.contact_ports, review=True)
    world.files.contents[upload_key(ACCOUNT, campaign_id, job.import_id)] = text.encode()
    assert run(world, job.import_id) is JobState.REVIEW
    return job.import_id


def look(world: World, import_id: str, choice: Choice | None = None) -> Mapping[str, Any] | None:
    return preview_import(ACCOUNT, import_id, choice, world.contact_ports)[1]


def test_an_upload_for_review_is_looked_through_and_adds_nobody() -> None:
    world = World()
    one = draft(world)
    listed = Suppression("bob@example.com", "bob@example.com", SuppressionReason.ADDED, world.clock.now())
    world.suppressions.add(ACCOUNT, [listed])
    made = look(world, reviewed(world, one))
    assert made is not None
    assert (made["valid"], made["invalid"], made["suppressed"]) == (2, 1, 1)
    assert world.all_contacts(one) == []


def test_started_it_imports_what_was_previewed() -> None:
    world = World()
    one = draft(world)
    job = reviewed(world, one)
    assert look(world, job, Choice(((1, Use.FIRST_NAME),))) is None, "it is being made anew"
    assert run(world, job) is JobState.REVIEW
    made = look(world, job)
    assert made is not None
    assert made["rows"][0]["person"]["first_name"] == "Anna"
    approve_import(ACCOUNT, job, world.contact_ports)
    assert run(world, job) is JobState.DONE
    assert sorted(contact.person.first_name for contact in world.all_contacts(one)) == ["Anna", "Bob"]
    assert (job_of(world, job).progress.added, job_of(world, job).progress.rejected) == (2, 1)


def test_while_it_is_made_there_is_no_preview_and_it_can_not_be_started() -> None:
    world = World()
    job, _ = start_import(ACCOUNT, draft(world), "people.csv", "csv", world.contact_ports, review=True)
    assert look(world, job.import_id) is None
    with pytest.raises(Conflict) as caught:
        approve_import(ACCOUNT, job.import_id, world.contact_ports)
    assert caught.value.code == "not_in_review"


def test_a_second_message_of_the_upload_changes_nothing() -> None:
    world = World()
    one = draft(world)
    job = reviewed(world, one)
    assert run(world, job) is JobState.DONE, "there is nothing to run"
    assert job_of(world, job).state is JobState.REVIEW
    assert world.all_contacts(one) == []


def test_started_twice_it_is_imported_once() -> None:
    world = World()
    one = draft(world)
    job = reviewed(world, one)
    approve_import(ACCOUNT, job, world.contact_ports)
    approve_import(ACCOUNT, job, world.contact_ports)
    assert [run(world, job), run(world, job)] == [JobState.DONE, JobState.DONE]
    assert job_of(world, job).progress.added == 2


@pytest.mark.parametrize(
    ("uses", "field", "code"),
    [
        (((3, Use.EMAIL),), "columns[0].number", "no_such_column"),
        (((1, Use.FIRST_NAME), (9, Use.P1)), "columns[1].number", "no_such_column"),
        (((2, Use.IGNORED),), "columns", "no_email_column"),
    ],
)
def test_a_choice_that_can_not_be_is_told(uses: tuple[tuple[int, Use], ...], field: str, code: str) -> None:
    world = World()
    job = reviewed(world, draft(world))
    with pytest.raises(Invalid) as caught:
        look(world, job, Choice(uses))
    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]
    assert job_of(world, job).state is JobState.REVIEW


def test_an_import_without_review_has_no_preview() -> None:
    world = World()
    job, _ = start_import(ACCOUNT, draft(world), "people.csv", "csv", world.contact_ports)
    with pytest.raises(Conflict) as caught:
        look(world, job.import_id)
    assert caught.value.code == "no_preview"


def test_a_file_that_can_not_be_taken_fails_at_the_preview() -> None:
    world = World()
    one = draft(world)
    job, _ = start_import(ACCOUNT, one, "people.csv", "csv", world.contact_ports, review=True)
    world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = b"Kunde\nAnna\n"
    assert run(world, job.import_id) is JobState.FAILED
    reason = job_of(world, job.import_id).reason
    assert reason is not None
    assert reason.code == "no_email_column"


def test_another_account_sees_no_preview() -> None:
    world = World()
    job = reviewed(world, draft(world))
    with pytest.raises(NotFound):
        preview_import(STRANGER, job, None, world.contact_ports)
    with pytest.raises(NotFound):
        approve_import(STRANGER, job, world.contact_ports)


def test_a_preview_of_a_campaign_that_is_removed_meanwhile_leaves_no_file() -> None:
    world = World()
    one = draft(world)
    job, _ = start_import(ACCOUNT, one, "people.csv", "csv", world.contact_ports, review=True)
    world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = ROWS.encode()
    found = world.import_ports.suppressions.find

    class Removing:
        def find(self, account_id: str, keys: Any) -> Any:
            world.imports.purge(ACCOUNT, one)
            return found(account_id, keys)

    from dataclasses import replace

    ports = replace(world.import_ports, suppressions=Removing())  # type: ignore[arg-type]
    import_contacts(ACCOUNT, job.import_id, ports, world.clock.now() + LATER)
    assert preview_key(ACCOUNT, one, job.import_id) not in world.files.contents


class TestBesideCampaigns:
    """Files of dialogs and of the suppression list are looked at and corrected alike."""

    def reviewed(self, world: World, job: ImportJob, text: str) -> str:
        world.files.contents[upload_key(ACCOUNT, job.campaign_id, job.import_id)] = text.encode()
        assert run(world, job.import_id) is JobState.REVIEW
        return job.import_id

    def corrected(self, world: World, import_id: str, *uses: tuple[int, Use]) -> Mapping[str, Any]:
        assert look(world, import_id, Choice(uses)) is None
        assert run(world, import_id) is JobState.REVIEW
        made = look(world, import_id)
        assert made is not None
        return made

    def test_a_file_of_dialogs(self) -> None:
        world = World()
        world.add_line()
        job, _ = start_dialog_file(ACCOUNT, "line1", "a.csv", "csv", world.dialog_ports, review=True)
        text = "email;Group;Seen\nann@mail.example;VIP;2026-02-01\nbob@mail.example;x;never\n"
        made = look(world, self.reviewed(world, job, text))
        assert made is not None
        assert ([column["use"] for column in made["columns"]], made["valid"]) == (["email", "p1", "p2"], 2)
        made = self.corrected(world, job.import_id, (2, Use.TAGS), (3, Use.LAST_MESSAGE))
        assert (made["valid"], made["invalid_by_code"]) == (1, {"time_not_understood": 1})
        assert find_dialogs(world) == []
        approve_import(ACCOUNT, job.import_id, world.contact_ports)
        assert run(world, job.import_id) is JobState.DONE
        assert [(dialog.person.email, dialog.tags) for dialog in find_dialogs(world)] == [
            ("ann@mail.example", ("VIP",))
        ]

    def test_a_file_of_addresses_not_to_write_to(self) -> None:
        world = World()
        job, _ = start_list_import(ACCOUNT, "a.csv", "csv", world.list_ports, review=True)
        text = "Who asked;Whom\nboss@mail.example;ann@mail.example\nboss@mail.example;bob@mail.example\n"
        self.reviewed(world, job, text)
        made = self.corrected(world, job.import_id, (1, Use.IGNORED), (2, Use.EMAIL))
        assert (made["email_columns"], made["valid"], made["duplicates"]) == ([2], 2, 0)
        approve_import(ACCOUNT, job.import_id, world.contact_ports)
        assert run(world, job.import_id) is JobState.DONE
        keys = ["ann@mail.example", "bob@mail.example", "boss@mail.example"]
        assert sorted(world.suppressions.find(ACCOUNT, keys)) == keys[:2]

    def test_contacts_have_no_tags(self) -> None:
        world = World()
        job = reviewed(world, draft(world))
        with pytest.raises(Invalid) as caught:
            look(world, job, Choice(((1, Use.TAGS),)))
        assert [(error.field, error.code) for error in caught.value.errors] == [
            ("columns[0].use", "only_of_dialogs")
        ]


def find_dialogs(world: World) -> list[Dialog]:
    return list(list_dialogs(ACCOUNT, "line1", None, 10, TagFilter(), "", world.dialog_ports).items)
