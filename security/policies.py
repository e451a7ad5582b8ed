"""Which statements of the functions' policies are idle: first watched, then taken away one by one.

A statement is worth its place if its function makes the calls that it allows, and is refused them without it.
The emulator writes down every decision of IAM; what was allowed while the product was at work is what a
function needs. Then each statement is removed from the deployed role's policy in turn, and the calls
that it had allowed are made again with that role's credentials.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.stack import STACK, Stack
from security.replay import Caller
from security.verdict import Family

Use = tuple[str, str]
"""An action and the resource that it was done to."""

OF_THE_PLATFORM = {
    "logs:CreateLogGroup": "Lambda writes a function's log with the function's role; the emulator with none",
    "logs:CreateLogStream": "as above",
    "logs:PutLogEvents": "as above",
    "sqs:ReceiveMessage": "Lambda reads a function's queue with the function's role; the emulator with none",
    "sqs:DeleteMessage": "as above",
    "sqs:GetQueueAttributes": "as above",
    "ses:SendEmail": "the emulator asks for a right to *, so the bridge hands mail on as the root user",
    "ses:SendRawEmail": "as above",
    "sqs:SendMessageBatch": "only the emulator asks for it; AWS takes sqs:SendMessage",
    "ses:TagResource": "AWS asks for it where an identity is made with tags; the emulator doesn't",
    "ses:CreateTenant": "the emulator asks for a right to *; the setting that makes tenants is off here",
    "ses:CreateTenantResourceAssociation": "as above",
    "ses:DeleteTenantResourceAssociation": "as above",
}
"""What the emulator doesn't ask of a role, or asks for otherwise than AWS: `tests/package` holds its form."""


SELDOM = {
    ("DispatchCampaign", "dynamodb:GetItem", "ContactTable"): "tests/contract/test_contact_sending.py",
    ("ImportUploads", "s3:DeleteObject", "filebucket/results/*"): "tests/unit/flow/test_imports.py",
    (
        "PrepareAttachments",
        "s3:DeleteObject",
        "filebucket/attachments/*",
    ): "tests/unit/flow/test_attachments.py",
}
"""What a function needs only if two things happen at the same moment, and the test that makes them happen.

No IAM stands behind those tests, so nobody watches whether the code still makes the call: a person has to.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the policy that a deployed function has."""

    function: str
    number: int
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def pairs(self) -> Iterator[Use]:
        """Each action with each resource it is allowed for, patterns included."""
        return ((action, resource) for action in self.actions for resource in self.resources)

    def __str__(self) -> str:
        names = ", ".join(logical(resource) for resource in self.resources)
        return f"{self.function}, statement {self.number} ({names})"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of a function's role, as it is deployed."""

    function: str
    role_arn: str
    name: str
    document: Mapping[str, Any]

    @property
    def role(self) -> str:
        """The role's name."""
        return self.role_arn.rpartition("/")[2]

    def statements(self) -> list[Statement]:
        """Its statements, in order."""
        return [
            Statement(self.function, number, _several(s["Action"]), _several(s["Resource"]))
            for number, s in enumerate(self.document["Statement"])
        ]

    def without(self, number: int) -> str:
        """The document with one statement less, as JSON."""
        kept = [s for n, s in enumerate(self.document["Statement"]) if n != number]
        return json.dumps({**self.document, "Statement": kept})


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def try_all(stack: Stack, family: Family) -> None:
    """Hold every policy against what was needed so far, and take each of its statements away for a moment."""
    used, unasked = uses(stack), 0
    for policy in policies(stack):
        for idle in never_used(policy, used[policy.role]):
            family.refusal(idle, "it is idle: remove it, or show what needs it")
        for statement, still in missed(stack, policy, used[policy.role]):
            family.refusal(f"{statement} removed", f"still possible: {still}" if still else None)
        family.control(f"{policy.function} with its whole policy")
        unasked += sum(set(s.actions) <= OF_THE_PLATFORM.keys() for s in policy.statements())
    family.skipped.append(f"{unasked} statements that the emulator doesn't ask for, see OF_THE_PLATFORM")


def policies(stack: Stack) -> list[Policy]:
    """The policies of all functions, with every name resolved."""
    iam, functions = stack.client("iam"), stack.client("lambda")
    resources = stack.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    found = []
    for resource in resources:
        if resource["ResourceType"] == "AWS::Lambda::Function":
            name = resource["PhysicalResourceId"]
            arn = functions.get_function_configuration(FunctionName=name)["Role"]
            role = arn.rpartition("/")[2]
            (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            found.append(Policy(resource["LogicalResourceId"], arn, policy, document))
    return found


def uses(stack: Stack) -> Mapping[str, set[Use]]:
    """What each role has been allowed so far, by the role's name."""
    seen: defaultdict[str, set[Use]] = defaultdict(set)
    with stack.emulator.decisions.open(encoding="utf-8") as lines:
        for line in lines:
            role, action, resource, allowed = json.loads(line)
            if allowed:
                seen[role].add((_as_on_aws(action), resource))
    return seen


def _as_on_aws(action: str) -> str:
    return "sqs:SendMessage" if action == "sqs:SendMessageBatch" else action


def never_used(policy: Policy, used: set[Use]) -> Iterator[str]:
    """What nobody has needed: an action on none of its resources, a resource by no action."""
    for statement in policy.statements():
        actions = [action for action in statement.actions if action not in OF_THE_PLATFORM]
        pairs = [(a, r) for a in actions for r in statement.resources if _example(a, r, used)]
        for action in set(actions) - {action for action, _ in pairs}:
            if (policy.function, action, logical(statement.resources[0])) not in SELDOM:
                yield f"{statement}: nobody needed {action}"
        idle = set(statement.resources) - {resource for _, resource in pairs} if pairs else set()
        for resource in idle - {
            r for a, r in statement.pairs() if (policy.function, a, logical(r)) in SELDOM
        }:
            yield f"{statement}: nobody needed {logical(resource)}"


def logical(resource: str) -> str:
    """A resource as the template calls it: `postline-LineTable-917DCF50A28CD` is LineTable."""
    return (
        re.sub(r"-[0-9A-Fa-f]{13}(?=/|$)", "", resource.rpartition(":")[2])
        .removeprefix("table/")
        .removeprefix(f"{STACK}-")
    )


def _example(action: str, pattern: str, used: set[Use]) -> str | None:
    found = (resource for done, resource in used if done == action and fnmatchcase(resource, pattern))
    return min(found, default=None)


def missed(stack: Stack, policy: Policy, used: set[Use]) -> Iterator[tuple[Statement, list[str]]]:
    """Remove each statement in turn: the statement, and what can still be done without it.

    The policy is put back at the end.
    """
    iam = stack.client("iam")
    with _caller(stack, policy) as caller:
        for statement in policy.statements():
            calls = _calls(statement, used)
            if not calls:
                continue
            iam.put_role_policy(
                RoleName=policy.role,
                PolicyName=policy.name,
                PolicyDocument=policy.without(statement.number),
            )
            still = [f"{action} on {resource}" for action, resource in calls if caller.may(action, resource)]
            whole = json.dumps(policy.document)
            iam.put_role_policy(RoleName=policy.role, PolicyName=policy.name, PolicyDocument=whole)
            refused = [f"{a} on {r} is refused with it too" for a, r in calls if not caller.may(a, r)]
            yield statement, still + refused


def _calls(statement: Statement, used: set[Use]) -> list[Use]:
    found = ((a, _resource(statement, a, p, used)) for a, p in statement.pairs() if a not in OF_THE_PLATFORM)
    return [(action, resource) for action, resource in found if resource is not None]


def _resource(statement: Statement, action: str, pattern: str, used: set[Use]) -> str | None:
    """What the action was done to; for what is seldom needed, something that fits."""
    if (statement.function, action, logical(pattern)) in SELDOM:
        return pattern.replace("*", "probe")
    return _example(action, pattern, used)


@contextmanager
def _caller(stack: Stack, policy: Policy) -> Iterator[Caller]:
    """Somebody with the role of a function, whom the role trusts for as long as the block lasts."""
    iam = stack.client("iam")
    trust = iam.get_role(RoleName=policy.role)["Role"]["AssumeRolePolicyDocument"]
    account = policy.role_arn.split(":")[4]
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    opened = {**trust, "Statement": [*trust["Statement"], root]}
    iam.update_assume_role_policy(RoleName=policy.role, PolicyDocument=json.dumps(opened))
    try:
        yield Caller(stack, policy.role_arn)
    finally:
        iam.put_role_policy(
            RoleName=policy.role, PolicyName=policy.name, PolicyDocument=json.dumps(policy.document)
        )
        iam.update_assume_role_policy(RoleName=policy.role, PolicyDocument=json.dumps(trust))
