"""Schemathesis against the served document: what the API answers is what it says that it answers.

No 5xx, no status that isn't documented, no answer that breaks its schema, no input taken that the schema
refuses. The examples are the same each time: the edges of each schema,
and some drawn for each route.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from security.isolation import Tenant
from security.verdict import Family

DETAILS = ROOT / "build" / "security-contract.txt"
PROGRAM = ROOT / ".venv-security" / "bin" / "schemathesis"
ELSEWHERE = r"^/(u|o|d)/|^/bounces$"
"""Links of recipients, which answer with pages, and mail as it is on the wire, which it can't make."""

_DRAWN = 4  # examples of each route, beside those at the edges
_PATIENCE = 900  # seconds


def try_contract(tenant: Tenant, family: Family, planted: Mapping[str, Any] | None = None) -> None:
    """Compare the API with its document, as a customer with one of everything; or with a ``planted`` one."""
    with tempfile.TemporaryDirectory() as folder:
        document = planted or tenant.customer.api.get("/openapi.json")
        Path(folder, "openapi.json").write_text(json.dumps(_with_ids(document, tenant.ids)), encoding="utf-8")
        ran = subprocess.run(
            _command(tenant), cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        report = Path(folder, "report.json")
        if not report.exists():
            family.refusal("schemathesis", f"it ended with {ran.returncode}: {ran.stderr[-500:]}")
            return
        DETAILS.write_text(ran.stdout, encoding="utf-8")
        _read(json.loads(report.read_text(encoding="utf-8")), family)


def _command(tenant: Tenant) -> list[str]:
    key = tenant.customer.key
    return [
        str(PROGRAM),
        f"--config-file={ROOT / 'security' / 'schemathesis.toml'}",
        "run",
        "openapi.json",
        f"--url={tenant.customer.stack.api_url}",
        f"--header=Authorization: Bearer {key}",
        "--phases=examples,coverage,fuzzing",
        f"--max-examples={_DRAWN}",
        f"--exclude-path-regex={ELSEWHERE}",
        "--generation-deterministic",
        "--generation-with-security-parameters=false",  # keys are tried by the walk; the emulator answers
        "--continue-on-failure",
        "--no-shrink",
        "--workers=1",  # with more, the examples depend on which comes first
        "--report=json",
        "--report-json-path=report.json",
    ]


def _with_ids(document: Mapping[str, Any], ids: Mapping[str, str]) -> Any:
    """The document with ids that exist, so that more than a 404 is seen; what deletes gets ids of nothing."""
    copy = json.loads(json.dumps(document))
    for methods in copy["paths"].values():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and parameter["name"] in ids and method != "delete":
                    parameter["schema"]["enum"] = [ids[parameter["name"]]]
    return copy


def _read(report: Mapping[str, Any], family: Family) -> None:
    """Routes that keep to the document are controls; what doesn't is told one by one."""
    for failure in report["failures"]:
        what = f"{failure['title']}, {failure['count']} times, see {DETAILS.relative_to(ROOT)}"
        family.refusal(", ".join(failure["operations"]), what)
    for error in report["errors"]:
        family.refusal("schemathesis", json.dumps(error)[:600])
    tested, cases = report["operations"]["tested"], report["test_cases"]
    wrong = cases["with_failures"] + cases["errored"]
    family.accepted += tested
    family.refused += max(cases["generated"] - wrong - tested, 0)
    if report["stop_reason"] != "completed" or tested < report["operations"]["selected"]:
        family.refusal("schemathesis", f"it didn't come to its end: {report['stop_reason']}")
