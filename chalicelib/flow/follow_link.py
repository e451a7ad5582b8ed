"""What following a link of a message does. The link's token says which message; nobody logs in.

A token that isn't ours does nothing, and is answered like one of a contact that is gone: nobody learns by
trying what there is or was.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.link_tokens import TokenKind, TokenRing
from chalicelib.ports import Clock


@dataclass(frozen=True, slots=True)
class LinkPorts:
    """What links need. ``track`` applies an event to its contact; False when nothing knows it any more."""

    tokens: TokenRing
    track: Callable[[DeliveryEvent], bool]
    clock: Clock


def unsubscribe(token: str, ports: LinkPorts) -> bool:
    """Write to this contact's address never again, which may be asked for any number of times.

    False when that can't be: the token isn't ours, or the contact is gone and its address with it.
    """
    tags = ports.tokens.read(TokenKind.UNSUBSCRIBE, token)
    if tags is None:
        return False
    return ports.track(DeliveryEvent(EventType.UNSUBSCRIBE, tags, ports.clock.now(), suppress=True))


def open_message(token: str, opener: Opener, ports: LinkPorts) -> None:
    """Note that the message's picture was fetched; nothing when the token isn't ours."""
    tags = ports.tokens.read(TokenKind.OPEN, token)
    if tags is not None:
        ports.track(DeliveryEvent(EventType.OPEN, tags, ports.clock.now(), opener=opener))
