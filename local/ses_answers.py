"""What the bridge changes in the emulator's answers: identities verify after a while, the quota can be set.

The emulator calls every identity verified the moment it is made, while a domain's DKIM stays pending for
good. On AWS both depend on DNS records, which takes minutes to days.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local.ses_proxy import Answer, Request

_IDENTITY = re.compile(r"/v2/email/identities(/[^/?]+)?")


def adjusted(request: Request, answer: Answer, verify_after: float, send_rate: float | None) -> Answer:
    """The answer as SES would give it; ``verify_after`` is in seconds, ``send_rate`` in messages a second."""
    if answer.status != 200:
        return answer
    if request.method == "GET" and request.path == "/v2/email/account" and send_rate is not None:
        account = json.loads(answer.body)
        account["SendQuota"]["MaxSendRate"] = send_rate
        return replace(answer, body=json.dumps(account).encode())
    shows_identity = _IDENTITY.fullmatch(request.path) and "VerifiedForSendingStatus" in (
        identity := json.loads(answer.body)
    )
    if shows_identity:
        return replace(answer, body=json.dumps(_verified(identity, timedelta(seconds=verify_after))).encode())
    return answer


def _verified(identity: dict[str, Any], after: timedelta) -> dict[str, Any]:
    """An identity as SES shows it so long after it was made; one that is just being made has no age yet."""
    now = datetime.now(UTC)
    made = datetime.fromisoformat(identity["CreatedTimestamp"]) if "CreatedTimestamp" in identity else now
    is_verified = now >= made + after
    status = "SUCCESS" if is_verified else "PENDING"
    dkim = identity.get("DkimAttributes") or {}
    if dkim.get("Tokens"):
        dkim = {**dkim, "Status": status, "SigningEnabled": True}
    return {
        **identity,
        "VerifiedForSendingStatus": is_verified,
        "VerificationStatus": status,
        "DkimAttributes": dkim,
    }
