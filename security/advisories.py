"""Known faults without a network: what advisories say of the packages that we pin, as of one day.

    python -m security.advisories --from <checkout of github.com/pypa/advisory-database>

writes `advisories.json` anew: for each package in our lock files, the ids of its advisories and the versions
that they concern. Nothing younger than its date is in it; `scans.py` asks it where no service can be reached.
"""

import argparse
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from local.emulator import ROOT

LOCKS = ("requirements.txt", "requirements/dev.txt", "requirements/stack.txt", "requirements/security.txt")
FACTS = ROOT / "security" / "advisories.json"

_SOURCE = "PyPA advisory database, https://github.com/pypa/advisory-database"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_END = {"fixed": "<", "last_affected": "<="}


@dataclass(frozen=True, slots=True)
class Facts:
    """The specifiers (PEP 440) of the versions that are concerned, by package and advisory; one suffices."""

    as_of: date
    concerned: Mapping[str, Mapping[str, list[str]]]

    @classmethod
    def read(cls, path: Path = FACTS) -> Self:
        """As `write` left them."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(date.fromisoformat(told["as_of"]), told["packages"])

    def write(self, path: Path = FACTS) -> None:
        """Sorted, so that a newer snapshot shows what is new."""
        told = {"source": _SOURCE, "as_of": self.as_of.isoformat(), "packages": self.concerned}
        path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def faults(self, name: str, version: str) -> list[str] | None:
        """The advisories that concern this version; None when the package was not looked for."""
        known = self.concerned.get(canonicalize_name(name))
        if known is None:
            return None
        return sorted(one for one, which in known.items() if any(_within(version, text) for text in which))


def pins(lock: str) -> list[tuple[str, str]]:
    """The packages of a lock file and their versions."""
    return [(found[1], found[2]) for found in _PIN.finditer(lock)]


def collect(checkout: Path, names: Iterable[str]) -> Facts:
    """What the newest commit of a checkout says of these packages. Bare ones do."""
    day = _git(checkout, "log", "-1", "--format=%cs").strip()
    folders = {
        canonicalize_name(folder.rpartition("/")[2]): folder
        for folder in _git(checkout, "ls-tree", "--name-only", "HEAD", "vulns/").split()
    }
    packages = sorted({canonicalize_name(name) for name in names})
    return Facts(
        date.fromisoformat(day),
        {name: dict(_advisories(checkout, name, folders.get(name))) for name in packages},
    )


def _advisories(checkout: Path, name: str, folder: str | None) -> Iterator[tuple[str, list[str]]]:
    if folder is None:
        return
    for path in _git(checkout, "ls-tree", "--name-only", "HEAD", f"{folder}/").split():
        advisory = yaml.safe_load(_git(checkout, "show", f"HEAD:{path}"))
        if "withdrawn" not in advisory:
            yield advisory["id"], sorted(set(concerned(advisory, name)))


def concerned(advisory: Mapping[str, Any], name: str) -> Iterator[str]:
    """The specifiers of an advisory in OSV's format. https://ossf.github.io/osv-schema/#affected-fields"""
    for affected in advisory["affected"]:
        if canonicalize_name(affected["package"]["name"]) != name:
            continue
        ranges = [one["events"] for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
        for events in ranges:
            yield from _specifiers([event for one in events for event in one.items()])
        if not ranges:
            yield from (f"=={version}" for version in affected.get("versions", ()))


def _specifiers(events: list[tuple[str, str]]) -> Iterator[str]:
    """Each introduction with what ends it, or without an end."""
    for (kind, version), (ending, last) in pairwise([*events, ("", "")]):
        if kind == "introduced":
            yield f">={version}" + (f",{_END[ending]}{last}" if ending in _END else "")


def _within(version: str, specifier: str) -> bool:
    return SpecifierSet(specifier).contains(version, prereleases=True)


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Take over a newer snapshot."""
    parser = argparse.ArgumentParser(prog="python -m security.advisories")
    parser.add_argument("--from", dest="checkout", type=Path, required=True, metavar="CHECKOUT")
    checkout: Path = parser.parse_args().checkout
    locked = [pin for lock in LOCKS for pin in pins((ROOT / lock).read_text(encoding="utf-8"))]
    collect(checkout, (name for name, _ in locked)).write()


if __name__ == "__main__":
    main()
