"""Dialogs: the customers an account has talked with on a line, and how what is told of one is taken in.

A dialog is found by its address (``Address.key``). Whatever is told of it twice, or late, ends in the same
dialog: fields are those told last, the time of the last message is the latest one told.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.address import Rejection
from chalicelib.domain.contact import Person

MAX_TAGS = 50  # tags of one dialog
MAX_TAG = 64  # characters of a tag
MAX_CHOSEN = 20  # tags in each part of a filter
_AHEAD = timedelta(days=1)  # a time told without a zone may be that far off
_SEPARATORS = re.compile(r"[,;\n]")


@dataclass(frozen=True, slots=True)
class Dialog:
    """One customer of a line. ``key`` is the address's comparison form; instants are aware UTC.

    ``tags`` are as they were first spelled, each once, in the order of their keys. ``created_at`` is when the
    account first told of the customer.
    """

    key: str
    person: Person
    created_at: datetime
    tags: tuple[str, ...] = ()
    last_message_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DialogChange:
    """What is told of one customer; None, and a field that isn't in ``fields``, keeps what is there.

    ``fields`` holds text fields of a ``Person`` by name. ``extra`` and ``tags`` replace what is there as a
    whole, ``more_tags`` adds as many as fit, ``add_tags`` and ``remove_tags`` change single ones. With
    ``makes`` False only a dialog that is there is changed. ``left_out`` names further columns of a file whose
    values can't be kept.
    """

    key: str
    email: str
    fields: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[tuple[str, str], ...] | None = None
    tags: tuple[str, ...] | None = None
    more_tags: tuple[str, ...] = ()
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    last_message_at: datetime | None = None
    makes: bool = True
    left_out: tuple[str, ...] = ()

    def apply(self, old: Dialog | None, now: datetime) -> Dialog | Rejection | None:
        """The dialog as it is then; None where there is none to be changed."""
        if old is None and not self.makes:
            return None
        seen = old or Dialog(self.key, Person(self.email), now)
        tags = self._tags(seen.tags)
        if len(tags) > MAX_TAGS:
            text = f"The dialog would have {len(tags)} tags; {MAX_TAGS} is the most."
            return Rejection("too_many_tags", text)
        told: dict[str, Any] = dict(self.fields) | ({} if self.extra is None else {"extra": self.extra})
        last = max(filter(None, (seen.last_message_at, self.last_message_at)), default=None)
        return replace(seen, person=replace(seen.person, **told), tags=tags, last_message_at=last)

    def _tags(self, there: tuple[str, ...]) -> tuple[str, ...]:
        base = there if self.tags is None else _spelled_as(there, self.tags)
        removed = {tag_key(name) for name in self.remove_tags}
        wished = distinct_tags(name for name in (*base, *self.add_tags) if tag_key(name) not in removed)
        if self.more_tags:
            wished = distinct_tags([*wished, *self.more_tags])[: max(MAX_TAGS, len(wished))]
        return tuple(sorted(wished, key=tag_key))


class Outcome(StrEnum):
    """What became of a change."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one change: the dialog as it is then, or why it wasn't changed."""

    outcome: Outcome
    dialog: Dialog | None = None
    rejection: Rejection | None = None


def apply_all(
    changes: Sequence[DialogChange], there: Mapping[str, Dialog], now: datetime
) -> tuple[list[Changed], list[Dialog]]:
    """What becomes of each change, one after the other, and the dialogs that are to be written for it."""
    state = dict(there)
    results = []
    for change in changes:
        old = state.get(change.key)
        new = change.apply(old, now)
        if isinstance(new, Dialog):
            state[change.key] = new
        results.append(_changed(old, new))
    return results, [dialog for key, dialog in state.items() if dialog != there.get(key)]


def _changed(old: Dialog | None, new: Dialog | Rejection | None) -> Changed:
    if new is None:
        return Changed(Outcome.MISSING)
    if isinstance(new, Rejection):
        return Changed(Outcome.INVALID, old, new)
    if old is None:
        return Changed(Outcome.CREATED, new)
    return Changed(Outcome.UNCHANGED if new == old else Outcome.UPDATED, new)


def read_tag(text: str) -> str | Rejection:
    """A tag as it is kept: NFC, blanks trimmed and single; or what is wrong with it."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        return Rejection("tag_missing", "A tag has at least one character.")
    if len(name) > MAX_TAG:
        return Rejection("tag_too_long", f"A tag has at most {MAX_TAG} characters.")
    if not name.isprintable() or _SEPARATORS.search(name):
        return Rejection("tag_invalid", "A tag has printable characters only, and no comma or semicolon.")
    return name


def split_tags(text: str) -> tuple[str, ...] | Rejection:
    """The tags in one text, between commas, semicolons or line breaks; empty ones are passed over."""
    names = [read_tag(part) for part in _SEPARATORS.split(text) if part.strip()]
    fault = next((name for name in names if isinstance(name, Rejection)), None)
    return fault or distinct_tags(name for name in names if isinstance(name, str))


def tag_key(name: str) -> str:
    """What a tag is compared by: case makes no difference."""
    return unicodedata.normalize("NFC", name.casefold())


def distinct_tags(names: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, as it is spelled first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(tag_key(name), name)
    return tuple(found.values())


def _spelled_as(there: Iterable[str], wished: Iterable[str]) -> tuple[str, ...]:
    """The wished tags; those that are there already stay spelled as they are."""
    known = {tag_key(name): name for name in there}
    return tuple(known.get(tag_key(name), name) for name in wished)


def time_fault(last_message_at: datetime, now: datetime) -> Rejection | None:
    """Why a time can't be that of a last message, if it can't; a day ahead is taken for a matter of zones."""
    if last_message_at > now + _AHEAD:
        return Rejection("time_in_future", "The time of the last message is in the future.")
    return None


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which dialogs are meant, by their tags; an empty part asks for nothing."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


EVERYBODY = TagFilter()


@dataclass(frozen=True, slots=True)
class DialogSource:
    """Where a campaign's contacts come from: the dialogs of a line that have such tags."""

    line_id: str
    tags: TagFilter = EVERYBODY
