"""What the demo shows to a person, all of it on stderr: steps, a progress bar, a table."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

_BAR = 40  # characters
_PLAIN_EVERY = 0.1  # of the whole, between two lines when there is no terminal


class Progress(Protocol):
    """Takes how far something is."""

    def __call__(self, done: int) -> None: ...


def say(text: str = "") -> None:
    """Print a line for a person."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(what: str, total: int, unit: str = "mails") -> Iterator[Progress]:
    """A bar on a terminal; elsewhere a plain line now and then."""
    if sys.stderr.isatty():
        # tqdm draws nothing on a terminal that doesn't tell its size; this takes 80 by 24 then
        size = shutil.get_terminal_size()
        options = {"ncols": min(100, size.columns), "nrows": size.lines}
        with tqdm(total=total, desc=f"  {what}", unit=f" {unit}", **options) as bar:
            yield lambda done: bar.update(done - bar.n) and None
    else:
        yield _PlainProgress(what, total)


class _PlainProgress:
    """One line for each tenth of the way."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._next = 0.0

    def __call__(self, done: int) -> None:
        if done >= min(self._next, self._total):
            say(f"  {self._what}: {done} of {self._total}")
            self._next = done + self._total * _PLAIN_EVERY


def table(counts: Mapping[str, int]) -> None:
    """A line for each name, with a bar that is as long as its share of the largest."""
    largest = max(counts.values(), default=0) or 1
    for name, count in counts.items():
        bar = "█" * round(_BAR * count / largest)
        say(f"  {name:<16}{count:>6}  {bar}".rstrip())
