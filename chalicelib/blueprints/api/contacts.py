"""Routes of a campaign's contacts."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from chalice import Blueprint
from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Address, Input, Output, PageQuery, Reason, one_line
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.contact_file import MAX_COLUMNS
from chalicelib.domain.file_columns import MAX_HEADER
from chalicelib.domain.further_columns import MAX_EXTRA
from chalicelib.flow import contacts as steps

contacts = Blueprint(__name__)


def _printable(value: str) -> str:
    if any(not character.isprintable() and character not in "\n\t" for character in value):
        raise ValueError("Use printable characters.")
    return value


Field_ = Annotated[str, Field(max_length=1_024), AfterValidator(_printable)]
PersonName = Annotated[str, Field(max_length=1_024), AfterValidator(one_line)]


def _variable_name(value: str) -> str:
    name = " ".join(value.split())
    if not name or not name.isprintable() or set(name) & set("[]|{}"):
        raise ValueError("A variable's name is one line of printable characters without [ ] | { }.")
    return name


def _extra(value: dict[str, str]) -> dict[str, str]:
    if sum(len(f"{name}{text}".encode("utf-8", "replace")) for name, text in value.items()) > MAX_EXTRA:
        raise ValueError(f"All further variables of a contact have at most {MAX_EXTRA:,} bytes together.")
    return value


VariableName = Annotated[str, Field(max_length=MAX_HEADER), AfterValidator(_variable_name)]
Extra = Annotated[dict[VariableName, Field_], Field(max_length=MAX_COLUMNS), AfterValidator(_extra)]


def pairs(extra: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in extra.items() if value)


class ContactInput(Input):
    """One contact; an empty field inserts nothing."""

    email: Address
    first_name: PersonName = ""
    last_name: PersonName = ""
    middle_name: PersonName = ""
    p1: Field_ = ""
    p2: Field_ = ""
    p3: Field_ = ""
    extra: Extra = Field(default_factory=dict, description="Further variables, by the names they are called.")

    def person(self) -> Person:
        """The person it speaks of."""
        fields = self.model_dump(exclude={"extra"})
        return Person(**fields, extra=pairs(self.extra))


class ContactsInput(Input):
    """Contacts to add by hand."""

    contacts: list[ContactInput] = Field(min_length=1, max_length=500)


class ContactShown(Output):
    """A contact and what became of it."""

    contact_id: str
    email: str = Field(description="Empty when the person's data were erased.")
    first_name: str
    last_name: str
    middle_name: str
    p1: str
    p2: str
    p3: str
    extra: dict[str, str] = Field(description="Further variables, by the names they are called.")
    status: ContactStatus
    outcome_unknown: bool
    reason: Reason | None
    line_id: str | None
    content_version: int | None
    attempts: int
    next_attempt_at: datetime | None = Field(description="Not before this; None when no time is set.")
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None = Field(description="By a person, or by who can't be told from one.")
    machine_opened_at: datetime | None = Field(
        description="By a privacy proxy ahead of any person, by a link scanner, or too soon for anybody."
    )
    downloaded_at: datetime | None = Field(
        description="When a person first fetched an attachment by the message's link."
    )
    bounced_at: datetime | None = Field(description="When it came back for good.")
    complained_at: datetime | None = Field(description="When the recipient reported it as unwanted.")
    unsubscribed_at: datetime | None
    remote_id: str | None = Field(description="What the server that took the message calls it.")

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """A contact as it is shown."""
        person = contact.person
        return cls(
            contact_id=contact.contact_id,
            email=person.email,
            first_name=person.first_name,
            last_name=person.last_name,
            middle_name=person.middle_name,
            p1=person.p1,
            p2=person.p2,
            p3=person.p3,
            extra=dict(person.extra),
            status=contact.status,
            outcome_unknown=contact.outcome_unknown,
            reason=Reason.of(contact.reason),
            line_id=contact.line_id,
            content_version=contact.content_version,
            attempts=contact.attempt,
            next_attempt_at=contact.due if contact.failures else None,
            sent_at=contact.sent_at,
            delivered_at=contact.delivered_at,
            opened_at=contact.opened_at,
            remote_id=contact.remote_id,
            machine_opened_at=contact.machine_opened_at,
            downloaded_at=contact.downloaded_at,
            bounced_at=contact.bounced_at,
            complained_at=contact.complained_at,
            unsubscribed_at=contact.unsubscribed_at,
        )


class ContactsAdded(Output):
    """What became of contacts added by hand; a duplicate is one that was there already."""

    added: int
    duplicates: int
    suppressed: int = Field(
        description="How many of these contacts won't be sent to: they are on the suppression list."
    )
    contacts: list[ContactShown]


class ContactPatch(Input):
    """Changes to a contact's fields; its address stays: add another contact for another address."""

    first_name: PersonName | None = None
    last_name: PersonName | None = None
    middle_name: PersonName | None = None
    p1: Field_ | None = None
    p2: Field_ | None = None
    p3: Field_ | None = None
    extra: Extra | None = Field(None, description="Replaces all further variables; null removes them.")

    def apply(self, old: Person) -> Person:
        """The person with the given fields replaced; null empties one."""
        changes: dict[str, Any] = {name: getattr(self, name) or "" for name in self.model_fields_set}
        if "extra" in changes:
            changes["extra"] = pairs(self.extra or {})
        return replace(old, **changes)


class ContactQuery(PageQuery):
    """A page of contacts: all, those of one status, or the one with an address."""

    email: str | None = Field(None, max_length=1_024, description="Only the contact with this address.")
    status: ContactStatus | None = None


class ContactPage(Output):
    """A page of contacts. With a status filter a page may be short, or empty, and not the last."""

    items: list[ContactShown]
    next_cursor: str | None


@route(
    contacts,
    "POST",
    "/campaigns/{campaign_id}/contacts",
    ContactsInput,
    Nothing,
    ContactsAdded,
    status=201,
    problems=(409,),
    audit="contacts_added",
)
def add_contacts(call: Call[ContactsInput, Nothing], campaign_id: str) -> ContactsAdded:
    """Add contacts by hand; if one address is wrong, all wrong ones are told and none is added."""
    people = [contact.person() for contact in call.body.contacts]
    added = steps.add_contacts(call.account_id, campaign_id, people, wiring.contact_ports())
    return ContactsAdded(
        added=added.added,
        duplicates=added.duplicates,
        suppressed=added.suppressed,
        contacts=[ContactShown.of(contact) for contact in added.contacts],
    )


@route(contacts, "GET", "/campaigns/{campaign_id}/contacts", Nothing, ContactQuery, ContactPage)
def list_contacts(call: Call[Nothing, ContactQuery], campaign_id: str) -> ContactPage:
    """List the contacts of a campaign: all, those of one status, or the one with an address."""
    query = call.query
    if query.email is not None:
        found = steps.find_contact(call.account_id, campaign_id, query.email, wiring.contact_ports())
        return ContactPage(items=[ContactShown.of(contact) for contact in found.items], next_cursor=None)
    page = steps.list_contacts(
        call.account_id, campaign_id, query.cursor, query.limit, query.status, wiring.contact_ports()
    )
    return ContactPage(items=[ContactShown.of(contact) for contact in page.items], next_cursor=page.cursor)


@route(contacts, "GET", "/campaigns/{campaign_id}/contacts/{contact_id}", Nothing, Nothing, ContactShown)
def read_contact(call: Call[Nothing, Nothing], campaign_id: str, contact_id: str) -> ContactShown:
    """Read a contact and what became of it."""
    return ContactShown.of(
        steps.read_contact(call.account_id, campaign_id, contact_id, wiring.contact_ports())
    )


@route(
    contacts,
    "PATCH",
    "/campaigns/{campaign_id}/contacts/{contact_id}",
    ContactPatch,
    Nothing,
    ContactShown,
    problems=(409,),
    audit="contact_edited",
)
def edit_contact(call: Call[ContactPatch, Nothing], campaign_id: str, contact_id: str) -> ContactShown:
    """Change the fields of a contact that has not been sent to."""
    contact = steps.edit_contact(
        call.account_id, campaign_id, contact_id, call.body.apply, wiring.contact_ports()
    )
    return ContactShown.of(contact)


@route(
    contacts,
    "DELETE",
    "/campaigns/{campaign_id}/contacts/{contact_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    problems=(409,),
    audit="contact_deleted",
)
def delete_contact(call: Call[Nothing, Nothing], campaign_id: str, contact_id: str) -> None:
    """Remove a contact that has not been sent to."""
    steps.remove_contact(call.account_id, campaign_id, contact_id, wiring.contact_ports())
