"""What can be found without running anything.

Unsafe code (bandit), secrets (detect-secrets), requirements with known faults (pip-audit, or `advisories.py`
where it reaches no service). Each but pip-audit has to find something that is planted.
"""

import json
import os
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from security.advisories import LOCKS, Facts, pins
from security.verdict import Family

BIN = ROOT / ".venv-security" / "bin"
CODE = ("app.py", "bench", "chalicelib", "local", "security")
REVIEWED_SECRETS = ROOT / "security" / "reviewed-secrets.json"
REVIEWED_CODE = ROOT / "security" / "reviewed-code.json"

_PLANTED_CODE = "import subprocess\nsubprocess.call(input(), shell=True)\n"
_HARMLESS = "greeting = 'Good day'\n"
_PLANTED_PIN = ("cryptography", "41.0.5")  # PYSEC-2023-254
_PATIENCE = 300  # seconds
_ENDED = (0, 1)  # pip-audit's statuses: nothing found, something found (or an error, which leaves no report)
_UNREACHABLE = re.compile(
    r"Could not connect to|not redirecting properly|Max retries exceeded|Temporary failure in name resolution"
    r"|requests\.exceptions\.(ConnectionError|ConnectTimeout|ReadTimeout|ProxyError)\b"
)


def unsafe_code(family: Family) -> None:
    """Bandit over our own code; what a person has looked at is in `reviewed-code.json`, with the reason."""
    reviewed: dict[str, str] = json.loads(REVIEWED_CODE.read_text(encoding="utf-8"))
    found = _bandit(ROOT, *CODE)
    for place in found:
        known = any(fnmatchcase(place, pattern) for pattern in reviewed)
        family.control(place, None if known else "nobody has reviewed it")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "planted.py").write_text(_PLANTED_CODE, encoding="utf-8")
        Path(folder, "harmless.py").write_text(_HARMLESS, encoding="utf-8")
        planted = _bandit(Path(folder), "planted.py")
        family.refusal("a planted shell", None if any("B602" in place for place in planted) else "not found")
        family.control("harmless code", "found" if _bandit(Path(folder), "harmless.py") else None)


def _bandit(folder: Path, *paths: str) -> list[str]:
    """The file and the kind of each finding."""
    ran = _run(folder, "bandit", "--quiet", "--format=json", "--recursive", *paths)
    report = json.loads(ran.stdout)
    assert not report["errors"], report["errors"]
    return sorted({f"{result['filename']} {result['test_id']}" for result in report["results"]})


def secrets(family: Family) -> None:
    """Detect-secrets over the files as they are and over every version of every file that any branch holds.

    A finding is known by the hash of what was found, so that the list of reviewed ones tells no secret.
    """
    reviewed: dict[str, str] = json.loads(REVIEWED_SECRETS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        versions = _write_history(tree)
        found = _detect_secrets(tree)
        for digest in sorted(found.keys() - reviewed.keys()):
            family.refusal(f"{found[digest]} ({digest})", "a secret, or not yet reviewed")
        family.refusal(f"{versions} versions of files")
        for digest in sorted(found.keys() & reviewed.keys()):
            family.control(f"{found[digest]}: {reviewed[digest]}")
    with tempfile.TemporaryDirectory() as folder:
        key = "AKIA" + "Q7ZL2M4X" * 2
        Path(folder, "planted.py").write_text(f'aws_access_key_id = "{key}"\n', encoding="utf-8")
        family.refusal("a planted key", None if _detect_secrets(Path(folder)) else "not found")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "harmless.py").write_text(_HARMLESS, encoding="utf-8")
        family.control("a harmless file", "found" if _detect_secrets(Path(folder)) else None)


def _write_history(folder: Path) -> int:
    """Write, for each path, every line that it ever had, once; returns how many versions there are."""
    hashes = str(REVIEWED_SECRETS.relative_to(ROOT))  # full of what looks like secrets, being their hashes
    lines: defaultdict[str, dict[bytes, None]] = defaultdict(dict)
    versions = 0
    for name, content in (*_committed(), *_present()):
        if name != hashes:
            lines[name].update(dict.fromkeys(content.splitlines()))
            versions += 1
    for number, (name, found) in enumerate(lines.items()):
        (folder / f"{number}-{Path(name).name}").write_bytes(b"\n".join(found))
    return versions


def _present() -> Iterator[tuple[str, bytes]]:
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            yield name, (ROOT / name).read_bytes()


def _committed() -> Iterator[tuple[str, bytes]]:
    listed = _git("rev-list", "--objects", "--all", "HEAD").splitlines()  # all branches and tags
    names = dict(line.split(" ", 1) for line in listed if " " in line)
    request = "\n".join(names).encode() + b"\n"
    packed = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=ROOT, input=request, capture_output=True, check=True
    ).stdout
    place = 0
    while place < len(packed):
        end = packed.index(b"\n", place)
        digest, kind, size = packed[place:end].decode().split()
        content = packed[end + 1 : end + 1 + int(size)]
        place = end + int(size) + 2
        if kind == "blob":
            yield names[digest], content


def _detect_secrets(folder: Path) -> Mapping[str, str]:
    """The kind of each finding and the name of its file, by the hash of what was found."""
    cores = f"--cores={os.cpu_count()}"
    ran = _run(folder, "detect-secrets", cores, "scan", "--all-files", "--no-verify", ".")
    results: dict[str, list[dict[str, Any]]] = json.loads(ran.stdout)["results"]
    return {
        one["hashed_secret"]: f"{one['type']} in {name.partition('-')[2]}"
        for name, found in results.items()
        for one in found
    }


def known_faults(family: Family) -> None:
    """Pip-audit over every lock file. It asks a service; where there is none, `advisories.json` is asked."""
    facts = Facts.read()
    offline = [lock for lock in LOCKS if not judge_audit(lock, _audit(lock), family)]
    for lock in offline:
        judge_offline(lock, (ROOT / lock).read_text(encoding="utf-8"), facts, family)
    if offline:
        age = f"as of {facts.as_of}, {(datetime.now(UTC).date() - facts.as_of).days} days old"
        family.skipped.append(f"no advisory service reachable for {', '.join(offline)}: offline, {age}")
        planted = None if facts.faults(*_PLANTED_PIN) else "not found"
        family.refusal("a planted version with a known fault", planted)


def _audit(lock: str) -> subprocess.CompletedProcess[str]:
    options = ("--format=json", "--progress-spinner=off", "--no-deps", "--disable-pip")
    return _run(ROOT, "pip-audit", *options, f"--requirement={lock}")


def judge_audit(lock: str, ran: subprocess.CompletedProcess[str], family: Family) -> bool:
    """Whether a service was asked about this lock file. An audit that broke off, or saw nothing, is wrong.

    A service that knows not one of the packages is none: some networks answer with a copy that has no
    advisories. A single package that it doesn't know was not looked at, and didn't pass.
    """
    packages = _audited(ran.stdout) if ran.returncode in _ENDED else None
    if not packages:
        if packages is None and ran.returncode and _UNREACHABLE.search(ran.stderr):
            return False
        last = (ran.stderr.strip().splitlines() or ["no word of it"])[-1][:300]
        family.control(f"pip-audit of {lock}", f"it failed with status {ran.returncode}: {last}")
        return True
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return False
    for package in packages:
        if "skip_reason" not in package:
            faults = ", ".join(fault["id"] for fault in package["vulns"])
            family.control(f"{package['name']} {package['version']} of {lock}", faults or None)
    family.skipped.extend(f"{name} of {lock}: the service doesn't know it" for name in unknown)
    return True


def _audited(report: str) -> list[dict[str, Any]] | None:
    """The packages of a report; None for what is no report."""
    try:
        found: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, TypeError, KeyError):
        return None
    return found


def judge_offline(lock: str, text: str, facts: Facts, family: Family) -> None:
    """Hold each pin against what was known on the day of the facts. What they don't know didn't pass."""
    found = {pin: facts.faults(*pin) for pin in pins(text)}
    for (name, version), faults in found.items():
        if faults is None:
            family.skipped.append(f"{name} of {lock}: not in advisories.json, make it anew")
        else:
            family.control(f"{name} {version} of {lock}, as of {facts.as_of}", ", ".join(faults) or None)
    if not found:
        family.control(lock, "it pins nothing")


def _run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / program), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
