"""The encoded files that a process of senders has at hand: fetched once, read again for each recipient."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from chalicelib.domain.attachment import Attachment
from chalicelib.domain.delivery import SharedEnd
from chalicelib.flow.attachments import encoded_key
from chalicelib.ports import FileStore

MOST_KEPT = 1_000_000_000  # bytes in /tmp: the files of a few campaigns
_BLOCK = 256 * 1024  # bytes read at once: memory stays flat, whatever is attached


@dataclass(frozen=True, slots=True)
class EndOfMessage:
    """Port ``SharedEnd``: bytes, and files that stand between them."""

    pieces: tuple[bytes | Path, ...]
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                with piece.open("rb") as file:
                    while block := file.read(_BLOCK):
                        yield block


class AttachedFiles:
    """Not for several threads. ``folder`` makes one for this process alone, when the first file is needed.

    What was used longest ago makes room.
    """

    def __init__(self, files: FileStore, folder: Callable[[], Path], most: int = MOST_KEPT) -> None:
        self._files = files
        self._make_folder = folder
        self._most = most
        self._kept: dict[str, int] = {}  # names to sizes, the one used longest ago first

    @cached_property
    def _folder(self) -> Path:
        return self._make_folder()

    def end(self, account_id: str, campaign_id: str, pieces: Sequence[bytes | Attachment]) -> SharedEnd:
        """The end of a content's messages, with all of its files at hand.

        Raises NotFound when a file was removed with its campaign, and what the network does: nothing was
        said to any server yet.
        """
        found = tuple(
            piece if isinstance(piece, bytes) else self._path(account_id, campaign_id, piece, pieces)
            for piece in pieces
        )
        size = sum(len(piece) if isinstance(piece, bytes) else piece.encoded_size for piece in pieces)
        return EndOfMessage(found, size)

    def _path(
        self, account_id: str, campaign_id: str, file: Attachment, needed: Sequence[bytes | Attachment]
    ) -> Path:
        name = f"{file.attachment_id}-{file.digest}"
        path = self._folder / name
        if name not in self._kept:
            others = {f"{one.attachment_id}-{one.digest}" for one in needed if isinstance(one, Attachment)}
            self._make_room(file.encoded_size, others)
            self._fetch(encoded_key(account_id, campaign_id, file.attachment_id, file.digest), path, file)
        self._kept[name] = self._kept.pop(name, file.encoded_size)
        return path

    def _make_room(self, size: int, needed: set[str]) -> None:
        for name in [name for name in self._kept if name not in needed]:
            if sum(self._kept.values()) + size <= self._most:
                return
            (self._folder / name).unlink(missing_ok=True)
            del self._kept[name]

    def _fetch(self, key: str, path: Path, file: Attachment) -> None:
        self._files.fetch(key, path)
        if path.stat().st_size != file.encoded_size:
            path.unlink()
            raise OSError(f"attachment {file.attachment_id} came with another size than it was made with")
