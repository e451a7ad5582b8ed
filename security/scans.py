"""What can be found without running anything.

Unsafe code (bandit), secrets (detect-secrets), requirements with known faults (pip-audit). The first two have
to find something that is planted, and nothing in what is harmless.
"""

import json
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from security.verdict import Family

BIN = ROOT / ".venv-security" / "bin"
CODE = ("app.py", "bench", "chalicelib", "local", "security")
REVIEWED_SECRETS = ROOT / "security" / "reviewed-secrets.json"
REVIEWED_CODE = ROOT / "security" / "reviewed-code.json"

_PLANTED_CODE = "import subprocess\nsubprocess.call(input(), shell=True)\n"
_HARMLESS = "greeting = 'Good day'\n"
_PATIENCE = 300  # seconds


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
    """Detect-secrets over the files as they are and over every version of every file that history holds.

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
    listed = _git("rev-list", "--objects", "HEAD").splitlines()
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
    """Pip-audit over what the Lambdas run with. It asks a service; where there is none, it has not run."""
    ran = _run(
        ROOT,
        "pip-audit",
        "--format=json",
        "--progress-spinner=off",
        "--no-deps",
        "--disable-pip",
        "--requirement=requirements.txt",
    )
    judge_audit(ran.stdout, family)


def judge_audit(report: str, family: Family) -> None:
    """Read pip-audit's report. A package that the service doesn't know was not looked at, and didn't pass."""
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        packages = []
    looked_at = [package for package in packages if "skip_reason" not in package]
    if not looked_at:
        family.skipped.append("no advisory source reachable")
        return
    for package in looked_at:
        faults = ", ".join(fault["id"] for fault in package["vulns"])
        family.control(f"{package['name']} {package['version']}", faults or None)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    family.skipped.extend(f"{name}: the service doesn't know it" for name in unknown)


def _run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / program), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
