"""What was tried and how it went, family by family, and the page that shows it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from local.demo_display import say

_BAR = 30  # characters


@dataclass
class Family:
    """Things of one kind that were tried: those to be refused, and the good ones that must pass."""

    name: str
    refused: int = 0
    accepted: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many things were tried."""
        return self.refused + self.accepted + len(self.wrong)

    def refusal(self, what: str, fault: str | None = None) -> None:
        """Something that had to be refused: it was, unless there is a fault."""
        self.refused += fault is None
        self._note(what, fault)

    def control(self, what: str, fault: str | None = None) -> None:
        """Something good that had to pass: it did, unless there is a fault."""
        self.accepted += fault is None
        self._note(what, fault)

    def _note(self, what: str, fault: str | None) -> None:
        if fault is not None:
            self.wrong.append(f"{what}: {fault}")


def show(families: Iterable[Family]) -> None:
    """A line for each family with a bar: █ refused, ░ accepted, ✗ wrong; then all that is wrong."""
    families = list(families)
    largest = max((family.tried for family in families), default=0) or 1
    say(f"\n  {'':<22}{'tried':>6}{'refused':>9}{'accepted':>10}{'wrong':>7}")
    for family in families:
        columns = f"{family.tried:>6}{family.refused:>9}{family.accepted:>10}{len(family.wrong):>7}"
        say(f"  {family.name:<22}{columns}  {_bar(family, largest)}".rstrip())
    for family in families:
        for text in family.skipped:
            say(f"  not run  {family.name}: {text}")
        for text in family.wrong:
            say(f"  WRONG    {family.name}: {text}")


def _bar(family: Family, largest: int) -> str:
    def length(count: int) -> int:
        return -(-_BAR * count // largest)

    return "█" * length(family.refused) + "░" * length(family.accepted) + "✗" * length(len(family.wrong))


def verdict(families: Iterable[Family]) -> tuple[str, int]:
    """The last line, and the exit status: 0 only if nothing is wrong and everything has its control."""
    families = list(families)
    numbers = {
        "tried": sum(family.tried for family in families),
        "refused": sum(family.refused for family in families),
        "accepted_controls": sum(family.accepted for family in families),
        "wrong": sum(len(family.wrong) for family in families),
    }
    return json.dumps(numbers), int(numbers["wrong"] > 0)
