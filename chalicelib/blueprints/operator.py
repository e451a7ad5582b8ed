"""The operator's door: invoked with IAM credentials only, never through the public API."""

from dataclasses import asdict
from typing import Any, ClassVar, Literal, Self

from chalice import Blueprint
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from chalicelib import wiring
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.account import new_account
from chalicelib.domain.audit import SERVICE
from chalicelib.domain.brake import Braked, BrakeState, Subject, Trouble
from chalicelib.domain.line import LinePlan
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import PostlineError
from chalicelib.flow.accounts import open_account
from chalicelib.flow.audit import read_trail, recorded
from chalicelib.flow.brake import account_brakes, lift_brake
from chalicelib.flow.health import look_at_health
from chalicelib.flow.link_keys import rotate_link_key
from chalicelib.observability import log

operator = Blueprint(__name__)


class _Order(BaseModel):
    """An order. ``audit`` is its name in the audit trail: "" that of its action, None for what only reads.

    An order that names an account is in that account's trail, any other in the service's. One that creates an
    account is in both.
    """

    model_config = ConfigDict(extra="forbid")

    audit: ClassVar[str | None] = ""


class CreateAccount(_Order):
    """Create an account; ``line_plan`` is the plan that lines added to it start with."""

    audit = "account_created"

    action: Literal["create_account"]
    name: str = Field(min_length=1, max_length=200)
    line_plan: LinePlan = LinePlan.DEMO


class SetLinePlan(_Order):
    """Change the plan of one line."""

    audit = "line_plan_changed"

    action: Literal["set_line_plan"]
    account_id: str
    line_id: str
    plan: LinePlan


class SetQuota(_Order):
    """Give an account a limit of its own, or with null the usual one again."""

    audit = "quota_set"

    action: Literal["set_quota"]
    account_id: str
    quota: Quota
    limit: int | None = Field(ge=0, le=NO_LIMIT)


class LiftBrake(_Order):
    """Let one line or one campaign of an account send again, counted anew from now on."""

    audit = "brake_lifted"

    action: Literal["lift_brake"]
    account_id: str
    line_id: str | None = None
    campaign_id: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.line_id is None) == (self.campaign_id is None):
            raise ValueError("Give either line_id or campaign_id.")
        return self

    @property
    def subject(self) -> Subject:
        """What is to be let go."""
        if self.line_id is not None:
            return Subject(Braked.LINE, self.line_id)
        return Subject(Braked.CAMPAIGN, self.campaign_id or "")


class ShowBrakes(_Order):
    """List the brakes of an account that are pulled or warn."""

    audit = None

    action: Literal["show_brakes"]
    account_id: str


class ShowHealth(_Order):
    """Tell how full the queues are, what lies in dead letters, and which campaigns are stuck."""

    audit = None

    action: Literal["show_health"]


class ShowAudit(_Order):
    """Read the audit trail of an account, or of the service, newest first; ``act`` is one kind of act."""

    audit = None

    action: Literal["show_audit"]
    account_id: str = SERVICE
    act: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = None


class RotateLinkKey(_Order):
    """Make a new key for the links in messages; links that were sealed by older ones go on working."""

    audit = "link_key_rotated"

    action: Literal["rotate_link_key"]


Reading = ShowBrakes | ShowHealth | ShowAudit
Order = CreateAccount | SetLinePlan | SetQuota | LiftBrake | RotateLinkKey | Reading

_ORDERS: TypeAdapter[Order] = TypeAdapter(Order)


@operator.lambda_function()
def operate_service(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry out one order of the operator: {"action": "create_account", …}; mistakes come back as "error"."""
    try:
        answer = _answer(_ORDERS.validate_python(event), context.aws_request_id)
    except ValidationError as error:
        return {"error": [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]}
    except PostlineError as error:
        return {"error": [str(error)]}
    log("operated", action=str(event["action"]))
    return answer


def _answer(order: Order, request_id: str) -> dict[str, Any]:
    """The trail names the request: AWS CloudTrail knows whose it was."""
    if isinstance(order, Reading):
        return _tell(order)
    account_id, actor = getattr(order, "account_id", SERVICE), Actor(ActorKind.OPERATOR, request_id)
    act, subject = order.audit or order.action, order.model_dump(mode="json")
    with recorded(account_id, actor, act, subject, wiring.audit_ports()) as made:
        answer = _carry_out(order, actor)
        made.update(answer)
    return answer


def _tell(order: Reading) -> dict[str, Any]:
    match order:
        case ShowBrakes():
            found = account_brakes(order.account_id, wiring.brake_ports())
            return {"brakes": [_shown(subject, name, state) for subject, name, state in found]}
        case ShowHealth():
            return asdict(look_at_health(wiring.health_ports()))
        case ShowAudit():
            return _trail(order)


def _trail(order: ShowAudit) -> dict[str, Any]:
    page = read_trail(
        order.account_id,
        order.cursor,
        order.limit,
        order.act,
        order.since,
        order.until,
        wiring.audit_ports(),
    )
    entries = [{**asdict(entry), "at": entry.at.isoformat()} for entry in page.items]
    return {"entries": entries, "next_cursor": page.cursor}


def _carry_out(
    order: CreateAccount | SetLinePlan | SetQuota | LiftBrake | RotateLinkKey, actor: Actor
) -> dict[str, Any]:
    match order:
        case CreateAccount():
            return _create_account(order, actor)
        case SetLinePlan():
            wiring.lines().set_plan(order.account_id, order.line_id, order.plan)
            return {"line_id": order.line_id, "plan": order.plan}
        case SetQuota():
            account = wiring.accounts().set_quota(order.account_id, order.quota, order.limit)
            return {"account_id": order.account_id, "quotas": dict(account.quotas)}
        case LiftBrake():
            lifted_at = lift_brake(order.account_id, order.subject, wiring.brake_ports())
            return {f"{order.subject.kind}_id": order.subject.id, "lifted_at": lifted_at.isoformat()}
        case RotateLinkKey():
            return {"key": rotate_link_key(wiring.link_key_ports())}


def _create_account(order: CreateAccount, actor: Actor) -> dict[str, Any]:
    """The new account's own trail begins with it."""
    account = new_account(order.name, order.line_plan, wiring.clock.now())
    ids = {"account_id": account.account_id}
    with recorded(account.account_id, actor, order.audit, ids, wiring.audit_ports()):
        key = open_account(account, actor, wiring.accounts(), wiring.clock)
    return {**ids, "api_key": key}


def _shown(subject: Subject, name: str, state: BrakeState) -> dict[str, Any]:
    counts = state.counts
    return {
        f"{subject.kind}_id": subject.id,
        "name": name,
        "state": state.level.value,
        "since": state.since.isoformat() if state.since else None,
        "text": state.reason.text if state.reason else None,
        "accepted": counts.accepted,
        "bounce_rate": counts.rate(Trouble.BOUNCE),
        "complaint_rate": counts.rate(Trouble.COMPLAINT),
    }
