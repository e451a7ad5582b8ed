"""Requirements with known faults: an audit that did not take place never passes, network or not."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from packaging.utils import canonicalize_name

from local.emulator import ROOT
from security.advisories import LOCKS, Facts, collect, pins
from security.scans import judge_audit, judge_offline
from security.verdict import Family

LOST = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org'): Max retries exceeded"


def audited(report: str, status: int = 0, said: str = "") -> tuple[bool, Family]:
    """Whether a service was asked, and what the audit of a lock file counted for."""
    family = Family("known faults")
    ran = CompletedProcess(["pip-audit"], status, report, said)
    return judge_audit("requirements.txt", ran, family), family


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        ("", 1, LOST),
        ("", 1, "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\nERROR: Tip: ..."),
        ('{"dependencies": [{"name": "six", "skip_reason": "not found"}]}', 0, ""),
    ],
)
def test_without_an_advisory_source_the_audit_has_not_run(report: str, status: int, said: str) -> None:
    asked, family = audited(report, status, said)
    assert (asked, family.tried, family.wrong) == (False, 0, [])


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        ("Traceback: pip-audit bug", 1, "TypeError: a fault of its own"),
        ("", 0, ""),
        ("", 1, "SSLError: CERTIFICATE_VERIFY_FAILED"),
        ("", 2, LOST.replace("Max", "")[:20]),
        ("null", 0, ""),
        ("{}", 1, ""),
        ('{"dependencies": []}', 0, LOST),
        ('{"dependencies": [{"name": "six", "version": "1", "vulns": []}]}', -9, ""),
    ],
)
def test_an_audit_that_broke_off_is_wrong(report: str, status: int, said: str) -> None:
    asked, family = audited(report, status, said)
    assert (asked, family.accepted, len(family.wrong)) == (True, 0, 1)
    assert f"status {status}" in family.wrong[0]


def test_a_known_fault_is_wrong() -> None:
    looked_at = [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1"}]},
        {"name": "unknown", "skip_reason": "not found"},
    ]
    asked, family = audited(json.dumps({"dependencies": looked_at}), 1)
    assert (asked, family.accepted, len(family.skipped)) == (True, 1, 1)
    assert family.wrong == ["bad 2 of requirements.txt: PYSEC-1"]


def offline(lock: str) -> Family:
    facts = Facts(date(2024, 10, 10), {"jinja2": {"PYSEC-1": [">=2,<2.9", ">=3.0,<=3.1"]}, "six": {}})
    family = Family("known faults")
    judge_offline("dev.txt", lock, facts, family)
    return family


@pytest.mark.parametrize(
    ("pin", "wrong"),
    [
        ("jinja2==2.8.1", ["jinja2 2.8.1 of dev.txt, as of 2024-10-10: PYSEC-1"]),
        ("Jinja2==3.1", ["Jinja2 3.1 of dev.txt, as of 2024-10-10: PYSEC-1"]),
        ("jinja2==2.9", []),
        ("jinja2==3.1.1 \\", []),
        ("six==1", []),
        ("    # via jinja2==2.8", ["dev.txt: it pins nothing"]),
    ],
)
def test_offline_a_pin_is_held_against_what_was_known(pin: str, wrong: list[str]) -> None:
    assert offline(f"boto3-stubs # no pin\n{pin}\n").wrong == wrong


def test_offline_what_is_not_in_the_facts_has_not_passed() -> None:
    family = offline("six==1\nnew==1\n")
    assert (family.accepted, family.wrong, len(family.skipped)) == (1, [], 1)


def test_the_facts_know_every_package_that_is_pinned() -> None:
    """Else make them anew: `python -m security.advisories --from <checkout>`."""
    known = Facts.read().concerned
    locked = {canonicalize_name(name) for lock in LOCKS for name, _ in pins((ROOT / lock).read_text())}
    assert locked <= known.keys()


ADVISORY = """\
id: {id}
{more}affected:
- package: {{ecosystem: PyPI, name: Six}}
  ranges:
  - type: GIT
    events: [{{introduced: "0"}}, {{fixed: abcdef}}]
  - type: ECOSYSTEM
    events:
    - introduced: "0"
    - fixed: "1.2"
    - introduced: "2.0"
    - last_affected: "2.1"
    - introduced: "3.0"
  versions: ["1.0", "2.0"]
- package: {{ecosystem: PyPI, name: other}}
  versions: ["7"]
"""


def test_facts_are_taken_over_from_a_checkout_and_no_word_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "vulns" / "six"
    folder.mkdir(parents=True)
    (folder / "PYSEC-1.yaml").write_text(ADVISORY.format(id="PYSEC-1", more="details: a long story\n"))
    (folder / "PYSEC-2.yaml").write_text(ADVISORY.format(id="PYSEC-2", more="withdrawn: 2024-01-01\n"))
    only_versions = "id: PYSEC-3\naffected:\n- package: {name: six}\n  versions: ['9.0']\n"
    (folder / "PYSEC-3.yaml").write_text(only_versions)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    on_that_day = {**os.environ, "GIT_COMMITTER_DATE": "2024-10-10T12:00Z"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True, env=on_that_day)
    made = collect(tmp_path, ["SIX", "unheard-of"])
    assert made.as_of == date(2024, 10, 10)
    assert made.concerned == {
        "six": {"PYSEC-1": [">=0,<1.2", ">=2.0,<=2.1", ">=3.0"], "PYSEC-3": ["==9.0"]},
        "unheard-of": {},
    }
    made.write(tmp_path / "facts.json")
    assert Facts.read(tmp_path / "facts.json") == made
    assert "story" not in (tmp_path / "facts.json").read_text()
    found = [made.faults("six", version) for version in ("1.1", "1.2", "9.0")]
    assert found == [["PYSEC-1"], [], ["PYSEC-1", "PYSEC-3"]]
