"""The transactions that move contact rows together with their totals.

DynamoDB numbers the items of a cancelled transaction as PynamoDB sends them: checks, deletes, puts,
updates. ``_add`` and ``_release`` therefore have
the campaign's check at position 0 and one contact at each position from 1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb import contact_rows as rows
from chalicelib.adapters.dynamodb.checkpoint import Checkpoint
from chalicelib.adapters.dynamodb.tables import CampaignRow, ContactRow, TotalsRow
from chalicelib.adapters.dynamodb.writing import connection, transact_if, update_if
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import NewContact, Release, SendOrder, Settlement

PIECE = 90  # rows in one transaction; DynamoDB takes 100 items, some of which are totals and checks

T = TypeVar("T")


def pieces(items: Sequence[T]) -> Iterator[list[T]]:
    """Cut into what one transaction carries."""
    return (list(items[start : start + PIECE]) for start in range(0, len(items), PIECE))


def distinct(contacts: Sequence[NewContact]) -> list[NewContact]:
    """The first of each id: a transaction may name an item only once."""
    return list({c.contact_id: c for c in reversed(contacts)}.values())[::-1]


def add_piece(
    account_id: str, campaign_id: str, piece: list[NewContact], checkpoint: Checkpoint | None = None
) -> list[NewContact]:
    """Add the new ones of a piece, all of them or none; returns those that were new."""
    left = piece
    while left or checkpoint:
        failed = transact_if(lambda new=left: _add(account_id, campaign_id, new, checkpoint))  # type: ignore[misc]
        if not failed:
            break
        _raise_if_not_contacts(failed, len(left))
        left = [c for position, c in enumerate(left, 1) if position not in failed]
    return left


def _add(account_id: str, campaign_id: str, new: Sequence[NewContact], checkpoint: Checkpoint | None) -> None:
    with TransactWrite(connection=connection()) as write:
        write.condition_check(CampaignRow, account_id, campaign_id, _alive())
        for contact in new:
            write.save(rows.new_row(account_id, campaign_id, contact), ContactRow.contact_id.does_not_exist())
        if checkpoint:
            checkpoint.write_into(write, len(new), sum(contact.suppressed for contact in new))
        if new:
            _count(write, account_id, campaign_id, new[0].contact_id, None, ContactStatus.NOT_SENT, len(new))


def _raise_if_not_contacts(failed: set[int], contacts: int) -> None:
    if 0 in failed:
        raise NotFound("campaign")
    if max(failed) > contacts:
        raise Outdated


def release_piece(account_id: str, campaign_id: str, piece: list[Release]) -> list[Release] | None:
    """Not sent → Pending for those still as seen; None when the campaign is not In progress any more."""
    return _move_piece(piece, lambda left: _release(account_id, campaign_id, left))


def reopen_piece(
    account_id: str, campaign_id: str, piece: list[Contact], token: str, now: datetime
) -> list[Contact] | None:
    """Error → Not sent in a new generation, as ``release_piece``; ``token`` stamps each.

    None also when the campaign's wish to resend isn't the one of this token any more.
    """
    return _move_piece(piece, lambda left: _reopen(account_id, campaign_id, left, token, now))


def _move_piece(piece: list[T], move: Callable[[list[T]], None]) -> list[T] | None:
    """Move all of a piece, or all but those that changed meanwhile, in one transaction."""
    left = piece
    while left:
        failed = transact_if(lambda those=left: move(those))  # type: ignore[misc]
        if not failed:
            break
        if 0 in failed:
            return None
        left = [item for position, item in enumerate(left, 1) if position not in failed]
    return left


def _release(account_id: str, campaign_id: str, releases: Sequence[Release]) -> None:
    with TransactWrite(connection=connection()) as write:
        write.condition_check(CampaignRow, account_id, campaign_id, _running())
        for release in releases:
            write.update(
                rows.keys(account_id, campaign_id, release.contact_id),
                rows.release_actions(account_id, campaign_id, release),
                (ContactRow.status == ContactStatus.NOT_SENT)
                & (ContactRow.generation == release.generation)
                & (ContactRow.attempt == release.attempt),
            )
        first = releases[0].contact_id
        came_from, to = ContactStatus.NOT_SENT, ContactStatus.PENDING
        _count(write, account_id, campaign_id, first, came_from, to, len(releases))


def _reopen(
    account_id: str, campaign_id: str, contacts: Sequence[Contact], token: str, now: datetime
) -> None:
    with TransactWrite(connection=connection()) as write:
        wished = _running() & (Path(["resend", "token"]) == token)
        write.condition_check(CampaignRow, account_id, campaign_id, wished)
        for contact in contacts:
            write.update(
                rows.keys(account_id, campaign_id, contact.contact_id),
                rows.reopen_actions(account_id, campaign_id, contact, token, now),
                (ContactRow.status == ContactStatus.ERROR)
                & (ContactRow.generation == contact.generation)
                & (ContactRow.resend_token.does_not_exist() | (ContactRow.resend_token != token))
                & rows.known_as(contact)
                & rows.evidence_as_in(contact),
            )
        first, parts = contacts[0].contact_id, rows.parts_change(contacts)
        came_from, to = ContactStatus.ERROR, ContactStatus.NOT_SENT
        _count(write, account_id, campaign_id, first, came_from, to, len(contacts), parts)


def settle(
    account_id: str,
    order: SendOrder,
    token: str | None,
    settlement: Settlement,
    came_from: ContactStatus = ContactStatus.PENDING,
) -> bool:
    """Move one contact out of ``came_from``; False when it isn't there, or the claim isn't ours."""
    condition: Condition = (
        (ContactRow.status == came_from)
        & (ContactRow.generation == order.generation)
        & (ContactRow.attempt == order.attempt)
        & rows.held_by(token)
    )
    if came_from is ContactStatus.ERROR:  # evidence may have said more since somebody looked
        condition &= rows.still_unknown()
    parts = {
        "unknown": rows.unknown_change(settlement) - (came_from is ContactStatus.ERROR),
        "suppressed": rows.suppressed_change(settlement),
    }

    def commit() -> None:
        with TransactWrite(connection=connection()) as write:
            write.update(
                rows.keys(account_id, order.campaign_id, order.contact_id),
                rows.settle_actions(account_id, order.campaign_id, order.contact_id, settlement),
                condition,
            )
            _count(
                write,
                account_id,
                order.campaign_id,
                order.contact_id,
                came_from,
                settlement.status,
                1,
                parts,
            )

    return not transact_if(commit)


def record(account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
    """Write what evidence made of a contact; False, and nothing written, when the row isn't as seen."""
    return _become(
        account_id, campaign_id, seen, known, rows.evidence_actions(seen, known), rows.as_seen(seen)
    )


def erase(account_id: str, campaign_id: str, seen: Contact, kept: Contact) -> bool:
    """Write what is kept of a contact; False, and nothing written, when the row isn't as seen."""
    as_seen = rows.as_seen(seen) & rows.held_by(seen.claim)
    return _become(account_id, campaign_id, seen, kept, rows.erase_actions(seen, kept), as_seen)


def _become(
    account_id: str,
    campaign_id: str,
    seen: Contact,
    known: Contact,
    actions: list[Action],
    as_seen: Condition,
) -> bool:
    """Change a row, and in the same write the totals as far as they are concerned."""
    row, parts = rows.keys(account_id, campaign_id, seen.contact_id), rows.parts_change([seen], [known])
    if seen.status is known.status and not any(parts.values()):
        return update_if(row, actions, as_seen)

    def commit() -> None:
        with TransactWrite(connection=connection()) as write:
            write.update(row, actions, as_seen)
            _count(write, account_id, campaign_id, seen.contact_id, seen.status, known.status, 1, parts)

    return not transact_if(commit)


def remove_waiting(account_id: str, campaign_id: str, contact_id: str) -> bool:
    """Remove a contact that is Not sent; False when it isn't."""
    shard = TotalsRow(f"{account_id}#{campaign_id}", rows.bucket_of(contact_id))

    def commit() -> None:
        with TransactWrite(connection=connection()) as write:
            write.delete(
                rows.keys(account_id, campaign_id, contact_id), ContactRow.status == ContactStatus.NOT_SENT
            )
            write.update(shard, [TotalsRow.not_sent.add(-1)])

    return not transact_if(commit)


def _count(
    write: TransactWrite,
    account_id: str,
    campaign_id: str,
    contact_id: str,
    came_from: ContactStatus | None,
    to: ContactStatus,
    count: int,
    parts: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Move ``count`` contacts in one shard of the totals, the shard of the given contact."""
    shard = TotalsRow(f"{account_id}#{campaign_id}", rows.bucket_of(contact_id))
    moves = rows.totals_move(came_from, to, count, parts)
    if moves:
        write.update(shard, moves)


def _running() -> Condition:
    running: Condition = CampaignRow.status == CampaignStatus.IN_PROGRESS
    return running


def _alive() -> Condition:
    stays: Condition = CampaignRow.status != CampaignStatus.DELETING
    return CampaignRow.campaign_id.exists() & stays
