"""Requests under an Idempotency-Key: begun, settled with their answer, or given back."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.repeat import LEASE, KeptAnswer, Repeat
from chalicelib.domain.repeat_seal import KeyOf, fingerprint, open_answer, seal_answer
from chalicelib.errors import Conflict, FieldError, InProgress, Invalid
from chalicelib.ports import Clock, RepeatStore

_SEED_BYTES = 16
_TRIES = 3
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class RepeatPorts:
    """What they need. ``draw`` makes so many random bytes, ``key_of`` is what rows are sealed with."""

    repeats: RepeatStore
    clock: Clock
    draw: Callable[[int], bytes]
    key_of: KeyOf


@dataclass(frozen=True, slots=True)
class Begun:
    """A request to carry out now; ``again``: somebody began it before, and nobody knows how far that went."""

    repeat: Repeat
    again: bool = False


def begin(account_id: str, key: str, said: bytes, ports: RepeatPorts) -> Begun | KeptAnswer:
    """Begin a request, or tell what it was answered; ``said`` is all that makes it the same one.

    Raises Invalid when the key is another request's, InProgress while somebody works on it, and Conflict
    when it was carried out and its answer is not kept.
    """
    for _ in range(_TRIES):
        now = ports.clock.now()
        token = ports.draw(_SEED_BYTES).hex()
        known_by = fingerprint(said, now, ports.key_of)
        new = Repeat(known_by, ports.draw(_SEED_BYTES), now, token, now + LEASE)
        if ports.repeats.begin(account_id, key, new, now):
            return Begun(new)
        there = ports.repeats.get(account_id, key)
        if there is None or there.expires_at <= now:
            continue
        if there.token == token:
            return Begun(there)  # it was us: the reply to our write was lost
        _refuse_another(there, said, ports)
        if there.answer is not None:
            return open_answer(there.answer, account_id, key, there, ports.key_of)
        _refuse_unless_free(there, ports)
        ours = replace(there, token=token, lease_until=now + LEASE)
        if ports.repeats.take_over(account_id, key, there.token, ours):
            return Begun(ours, again=True)
    raise InProgress(int(LEASE.total_seconds()))


def _refuse_another(there: Repeat, said: bytes, ports: RepeatPorts) -> None:
    if not hmac.compare_digest(there.fingerprint, fingerprint(said, there.begun_at, ports.key_of)):
        text = "This key was used for another request in the last 24 hours. Use a new key for a new request."
        raise Invalid(FieldError("Idempotency-Key", "used", text))


def _refuse_unless_free(there: Repeat, ports: RepeatPorts) -> None:
    if there.done:
        raise not_kept()
    left = there.lease_until - ports.clock.now()
    if left > timedelta(0):
        raise InProgress(-(-left // _SECOND))


def not_kept() -> Conflict:
    """For a request that was begun or carried out, and whose answer can't be had again."""
    text = (
        "This request was carried out before, or broke off, and its answer is not kept. Look whether what it"
        " makes is there, remove what you can't use, and ask with a new key."
    )
    return Conflict("answer_not_kept", text)


def settle(account_id: str, key: str, begun: Begun, answer: KeptAnswer | None, ports: RepeatPorts) -> None:
    """Keep the answer, sealed and unless it is too large; None for one that must not be kept."""
    sealed = seal_answer(answer, account_id, key, begun.repeat, ports.key_of) if answer else None
    ports.repeats.settle(account_id, key, begun.repeat.token, sealed)


def give_back(account_id: str, key: str, begun: Begun, ports: RepeatPorts) -> None:
    """It went wrong by our fault: let whoever repeats it take it over at once."""
    ended = replace(begun.repeat, lease_until=ports.clock.now())
    ports.repeats.take_over(account_id, key, begun.repeat.token, ended)
