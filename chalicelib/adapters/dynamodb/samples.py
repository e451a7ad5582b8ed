"""Test messages in DynamoDB, and how many an account asked for in each hour. Both expire by themselves."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import plain, reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import SampleRow
from chalicelib.adapters.dynamodb.writing import put_once, update_if
from chalicelib.domain.contact import Person
from chalicelib.domain.delivery import Reason
from chalicelib.domain.sample import KEPT, ORDER_LIVES, Sample, SampleState
from chalicelib.errors import NotFound

_COUNTER = "hour#"  # no id begins like this


class DynamoSampleStore:
    """Port ``SampleStore``."""

    def count(self, account_id: str, now: datetime, limit: int) -> bool:
        """One conditional write on the hour's row."""
        row = SampleRow(account_id, f"{_COUNTER}{now:%Y-%m-%dT%H}")
        actions: list[Action] = [SampleRow.asked.add(1), SampleRow.expires_at.set(now + KEPT)]
        return update_if(row, actions, SampleRow.asked.does_not_exist() | (SampleRow.asked < limit))

    def add(self, account_id: str, sample: Sample) -> None:
        """Store a new one."""
        row = SampleRow(
            account_id,
            sample.sample_id,
            campaign_id=sample.campaign_id,
            line_id=sample.line_id,
            recipient=sample.recipient,
            contact_id=sample.contact_id,
            person=_person_item(sample.person),
            content_version=sample.content_version,
            asked_at=sample.asked_at,
            state=sample.state,
            expires_at=sample.asked_at + KEPT,
        )
        put_once(row, SampleRow.sample_id.does_not_exist())

    def get(self, account_id: str, sample_id: str) -> Sample:
        """Read one; raises NotFound."""
        try:
            row = SampleRow.get(account_id, sample_id, consistent_read=True)
        except DoesNotExist as error:
            raise NotFound("test") from error
        if row.campaign_id is None:
            raise NotFound("test")
        return _sample(row)

    def claim(self, account_id: str, sample_id: str, token: str, now: datetime) -> bool:
        """From Queued to Sending; one condition, which the same write repeated meets too."""
        actions: list[Action] = [
            SampleRow.state.set(SampleState.SENDING),
            SampleRow.claim.set(token),
            SampleRow.claimed_at.set(now),
        ]
        waiting = (SampleRow.state == SampleState.QUEUED) & (SampleRow.asked_at >= now - ORDER_LIVES)
        ours = (SampleRow.state == SampleState.SENDING) & (SampleRow.claim == token)
        return update_if(SampleRow(account_id, sample_id), actions, waiting | ours)

    def settle(
        self,
        account_id: str,
        sample_id: str,
        state: SampleState,
        reason: Reason | None,
        remote_id: str | None,
        now: datetime,
    ) -> None:
        """Write down what became of it, if it is Sending."""
        actions: list[Action] = [SampleRow.state.set(state), SampleRow.finished_at.set(now)]
        if reason is not None:
            actions.append(SampleRow.reason.set(reason_item(reason)))
        if remote_id is not None:
            actions.append(SampleRow.remote_id.set(remote_id))
        update_if(SampleRow(account_id, sample_id), actions, SampleRow.state == SampleState.SENDING)

    def all(self, account_id: str) -> Iterator[Sample]:
        """All that are no counters, oldest first."""
        rows = SampleRow.query(
            account_id, filter_condition=SampleRow.campaign_id.exists(), consistent_read=True
        )
        return (_sample(row) for row in rows)

    def remove(self, account_id: str, sample_id: str) -> None:
        """Remove one; does nothing when there is none."""
        SampleRow(account_id, sample_id).delete()

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Remove the campaign's test messages."""
        for row in SampleRow.query(
            account_id, filter_condition=SampleRow.campaign_id == campaign_id, consistent_read=True
        ):
            row.delete()


def _person_item(person: Person) -> dict[str, Any]:
    return {**asdict(person), "extra": [list(pair) for pair in person.extra]}


def _person(item: Any) -> Person:
    values = plain(item)
    return Person(**{**values, "extra": tuple((name, value) for name, value in values["extra"])})


def _sample(row: SampleRow) -> Sample:
    return Sample(
        sample_id=row.sample_id,
        campaign_id=row.campaign_id,
        line_id=row.line_id,
        recipient=row.recipient,
        contact_id=row.contact_id,
        person=_person(row.person),
        content_version=int(row.content_version),
        asked_at=row.asked_at,
        state=SampleState(row.state),
        claimed_at=row.claimed_at,
        finished_at=row.finished_at,
        reason=reason_from(row.reason),
        remote_id=row.remote_id,
    )
