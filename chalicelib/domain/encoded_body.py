"""The body of a message as pieces of quoted-printable, encoded once; one recipient costs filling in the rest.

What stands between two values is encoded when the body is made. A value is encoded when it is filled in, on
lines of its own between soft breaks (``quoted_printable``), and once per message, however often it stands
there. The texts of a condition are encoded too: what is chosen is joined, not made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import Draw
from chalicelib.domain.encoding import Encode, Medium, Place, encoder
from chalicelib.domain.personalization import (
    Condition,
    Link,
    Links,
    Literal,
    Placed,
    Template,
    Value,
    Words,
)
from chalicelib.domain.quoted_printable import encode, encode_url

Hole = tuple[Words, str, tuple[tuple[Encode, tuple[int, ...]], ...]]
"""What finds a value, its fallback, and for each way it is encoded the places where it stands so."""
LinkPlaces = tuple[int, str, tuple[int, ...]]
"""A link's position in ``Links``, its fallback, and its places in the body."""
_AS_IT_IS = encoder(Place.TEXT, Medium.PLAIN)
Branch = tuple[Callable[[Person, Draw], bool], "EncodedBody"]


@dataclass(frozen=True, slots=True)
class EncodedBody:
    """Pieces to be joined: the first is for the header, and every second one is a place to be filled in."""

    pieces: tuple[bytes, ...]
    holes: tuple[Hole, ...]
    links: tuple[LinkPlaces, ...]
    conditions: tuple[tuple[int, tuple[Branch, ...]], ...]

    def fill(
        self, person: Person, links: Links, draw: Draw, encoded: dict[str, bytes], header: bytes = b""
    ) -> bytes:
        """Header and body for one person. ``encoded`` remembers the values of this one message."""
        pieces = list(self.pieces)
        pieces[0] = header
        for find, fallback, uses in self.holes:
            words = find(person, draw)
            for encode_for, places in uses:
                text = encode_for(words) or fallback
                piece = encoded.get(text)
                if piece is None:
                    piece = encoded[text] = encode(text)
                for place in places:
                    pieces[place] = piece
        for name, fallback, places in self.links:
            url = links[name]
            piece = encode_url(url) if url else encode(fallback)
            for place in places:
                pieces[place] = piece
        for place, branches in self.conditions:
            chosen = next((body for holds, body in branches if holds(person, draw)), None)
            pieces[place] = chosen.fill(person, links, draw, encoded) if chosen else b""
        return b"".join(pieces)

    def least_size(self) -> int:
        """Bytes without values: of conditions, the shortest text that can be chosen."""
        shortest = (min(body.least_size() for _, body in branches) for _, branches in self.conditions)
        return sum(map(len, self.pieces)) + sum(shortest)


Section = tuple[bytes, Template, bytes]
"""What goes before, as it is; a template; and what goes after, as it is."""


def encoded_body(sections: Iterable[Section]) -> EncodedBody:
    """Encode all that is the same for everybody."""
    making = _Making()
    for before, template, after in sections:
        making.pieces[-1] += before
        making.add(template)
        making.pieces[-1] += after
    return making.body()


@dataclass(slots=True)
class _Making:
    pieces: list[bytes] = field(default_factory=lambda: [b"", b""])  # the first is the header's
    holes: dict[Value, dict[Encode, list[int]]] = field(default_factory=dict)
    links: dict[Link, list[int]] = field(default_factory=dict)
    conditions: list[tuple[int, tuple[Branch, ...]]] = field(default_factory=list)

    def add(self, template: Template) -> None:
        for piece in template:
            match piece:
                case Literal(words):
                    self.pieces[-1] += encode(words)
                    continue
                case Link():
                    self.links.setdefault(piece, []).append(len(self.pieces))
                case Condition(branches):
                    bodies = tuple((holds, encoded_body([(b"", chosen, b"")])) for holds, chosen in branches)
                    self.conditions.append((len(self.pieces), bodies))
                case Placed():
                    self._add_hole(piece.value, piece.encode)
                case _:
                    self._add_hole(piece, _AS_IT_IS)
            self.pieces += [b"", b""]

    def _add_hole(self, value: Value, encode_for: Encode) -> None:
        uses = self.holes.setdefault(value, {})
        uses.setdefault(encode_for, []).append(len(self.pieces))

    def body(self) -> EncodedBody:
        return EncodedBody(
            tuple(self.pieces),
            tuple(
                (value.words, value.fallback, tuple((use, tuple(at)) for use, at in uses.items()))
                for value, uses in self.holes.items()
            ),
            tuple(
                (Links._fields.index(link.name), link.fallback, tuple(at)) for link, at in self.links.items()
            ),
            tuple(self.conditions),
        )
