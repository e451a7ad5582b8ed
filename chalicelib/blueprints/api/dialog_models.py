"""What the dialog routes read and show."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SkipValidation, ValidationError

from chalicelib.blueprints.api.contacts import Extra, Field_, PersonName, pairs
from chalicelib.blueprints.api.models import Address, Input, Instant, Output, PageQuery, one_line
from chalicelib.blueprints.api.problems import WrongField, invalid_from
from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.dialog import (
    MAX_CHOSEN,
    MAX_TAGS,
    Dialog,
    DialogChange,
    Outcome,
    TagFilter,
    distinct_tags,
    read_tag,
    split_tags,
)
from chalicelib.errors import Invalid
from chalicelib.flow.dialogs import Told

MOST_AT_ONCE = 1_000


def _tag(value: str) -> str:
    name = read_tag(value)
    if isinstance(name, Rejection):
        raise ValueError(name.text)  # noqa: TRY004  (pydantic takes a ValueError as a wrong field)
    return name


Tag = Annotated[str, Field(max_length=1_024), AfterValidator(_tag)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]
ChosenTags = Annotated[list[Tag], Field(max_length=MAX_CHOSEN)]


class DialogInput(Input):
    """What is told of one customer. A field that is left out stays as it is; null or "" empties it."""

    email: Address
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    middle_name: PersonName | None = None
    p1: Field_ | None = None
    p2: Field_ | None = None
    p3: Field_ | None = None
    extra: Extra | None = Field(None, description="Replaces all further variables; null removes them.")
    tags: Tags | None = Field(None, description="Replaces all tags; null removes them.")
    last_message_at: Instant | None = Field(
        None, description="With a zone. The latest time that was ever told is kept."
    )

    def change(self) -> DialogChange:
        """What it says of the dialog."""
        told = self.model_fields_set
        address = parse_address(self.email)
        assert not isinstance(address, Rejection), "the field was checked"  # noqa: S101
        names = told - {"email", "extra", "tags", "last_message_at"}
        return DialogChange(
            address.key,
            address.text,
            fields={name: getattr(self, name) or "" for name in names},
            extra=pairs(self.extra or {}) if "extra" in told else None,
            tags=distinct_tags(self.tags or ()) if "tags" in told else None,
            last_message_at=self.last_message_at,
        )


class DialogsInput(Input):
    """Dialogs to be taken in; each is looked at by itself, and one that is wrong spoils no other."""

    dialogs: list[SkipValidation[DialogInput]] = Field(min_length=1, max_length=MOST_AT_ONCE)

    def changes(self) -> list[DialogChange | Invalid]:
        """What each item says of its dialog, or what is wrong with it."""
        return [_change(item) for item in self.dialogs]


def _change(item: Any) -> DialogChange | Invalid:
    try:
        return DialogInput.model_validate(item).change()
    except ValidationError as error:
        return invalid_from(error)


class TaggingInput(Input):
    """Tags to add to and to remove from dialogs; a tag in both lists is removed."""

    emails: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)
    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)


class DialogShown(Output):
    """A dialog: a customer of the line."""

    email: str
    first_name: str
    last_name: str
    middle_name: str
    p1: str
    p2: str
    p3: str
    extra: dict[str, str] = Field(description="Further variables, by the names they are called.")
    tags: list[str]
    last_message_at: datetime | None
    created_at: datetime = Field(description="When the dialog was first told of here.")

    @classmethod
    def of(cls, dialog: Dialog) -> Self:
        """A dialog as it is shown."""
        person = dialog.person
        return cls(
            email=person.email,
            first_name=person.first_name,
            last_name=person.last_name,
            middle_name=person.middle_name,
            p1=person.p1,
            p2=person.p2,
            p3=person.p3,
            extra=dict(person.extra),
            tags=list(dialog.tags),
            last_message_at=dialog.last_message_at,
            created_at=dialog.created_at,
        )


class DialogTold(Output):
    """What became of a dialog that was told of, and how it is then."""

    outcome: Outcome
    dialog: DialogShown


class ItemResult(Output):
    """What became of one item; fields of ``errors`` are those of the item."""

    number: int = Field(description="The item's place in the request, the first is 0.")
    email: str | None = Field(description="null when the item is wrong, or its dialog is missing.")
    outcome: Outcome
    errors: list[WrongField]


class DialogResults(Output):
    """What became of each item, in the order of the request, and how many of each kind there are."""

    created: int
    updated: int
    unchanged: int
    missing: int
    invalid: int
    items: list[ItemResult]

    @classmethod
    def of(cls, told: Sequence[Told]) -> Self:
        """The results as they are shown."""
        counts = Counter(one.outcome for one in told)
        items = [_item(number, one) for number, one in enumerate(told)]
        return cls(**{outcome.value: counts[outcome] for outcome in Outcome}, items=items)


def _item(number: int, told: Told) -> ItemResult:
    errors = [WrongField(field=e.field, code=e.code, message=e.message) for e in told.errors]
    email = told.dialog.person.email if told.dialog else None
    return ItemResult(number=number, email=email, outcome=told.outcome, errors=errors)


def _tag_list(value: str) -> str:
    names = split_tags(value)
    if isinstance(names, Rejection):
        raise ValueError(names.text)  # noqa: TRY004  (pydantic takes a ValueError as a wrong field)
    if len(names) > MAX_CHOSEN:
        raise ValueError(f"Give at most {MAX_CHOSEN} tags.")
    return ",".join(names)


TagList = Annotated[str, AfterValidator(_tag_list)]


class DialogQuery(PageQuery):
    """A page of dialogs: all, those that begin so or have such tags, or the one with an address."""

    email: str | None = Field(None, max_length=1_024, description="Only the dialog with this address.")
    prefix: Annotated[str, AfterValidator(one_line)] = Field(
        "", max_length=254, description="Only addresses that begin like this."
    )
    any_of: TagList = Field("", description="Tags between commas: dialogs with at least one of them.")
    all_of: TagList = Field("", description="Tags between commas: dialogs with each of them.")
    none_of: TagList = Field("", description="Tags between commas: dialogs without any of them.")

    def wanted(self) -> TagFilter:
        """The tags it asks for."""
        any_of, all_of, none_of = (
            tuple(names.split(",")) if names else () for names in (self.any_of, self.all_of, self.none_of)
        )
        return TagFilter(any_of, all_of, none_of)


class DialogPage(Output):
    """A page of dialogs, by address. With tags a page may be short, or empty, and not the last."""

    items: list[DialogShown]
    next_cursor: str | None


class OneAddress(Input):
    """One address."""

    email: str = Field(max_length=1_024)
