"""The operator's door: invoked with IAM credentials only, never through the public API."""

from typing import Any, Literal

from chalice import Blueprint
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chalicelib import wiring
from chalicelib.domain.line import LinePlan
from chalicelib.errors import PostlineError
from chalicelib.flow.accounts import create_account
from chalicelib.observability import log

operator = Blueprint(__name__)


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CreateAccount(_Order):
    """Create an account; ``line_plan`` is the plan that lines added to it start with."""

    action: Literal["create_account"]
    name: str = Field(min_length=1, max_length=200)
    line_plan: LinePlan = LinePlan.DEMO


class SetLinePlan(_Order):
    """Change the plan of one line."""

    action: Literal["set_line_plan"]
    account_id: str
    line_id: str
    plan: LinePlan


_ORDERS: TypeAdapter[CreateAccount | SetLinePlan] = TypeAdapter(CreateAccount | SetLinePlan)


@operator.lambda_function()
def operate_service(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Carry out one order of the operator: {"action": "create_account", …}; mistakes come back as "error"."""
    try:
        answer = _carry_out(_ORDERS.validate_python(event))
    except ValidationError as error:
        return {"error": [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]}
    except PostlineError as error:
        return {"error": [str(error)]}
    log("operated", action=str(event["action"]))
    return answer


def _carry_out(order: CreateAccount | SetLinePlan) -> dict[str, Any]:
    if isinstance(order, CreateAccount):
        account, key = create_account(order.name, order.line_plan, wiring.accounts(), wiring.clock)
        return {"account_id": account.account_id, "api_key": key}
    wiring.lines().set_plan(order.account_id, order.line_id, order.plan)
    return {"line_id": order.line_id, "plan": order.plan}
