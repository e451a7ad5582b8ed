"""One message, one call of SendEmail, exactly one outcome.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

import ssl
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)

from chalicelib.adapters.ses.clients import SENDING, ses_client
from chalicelib.domain.delivery import (
    Accepted,
    Connected,
    Envelope,
    Message,
    Outcome,
    Refused,
    Scope,
    TryLater,
    Withheld,
    obstacle,
)
from chalicelib.domain.header import CannotComposeError, needs_smtputf8, wire_address
from chalicelib.domain.identity import SES_SIZE_LIMIT
from chalicelib.domain.line import Line
from chalicelib.domain.ses_errors import classify, reason, unknown
from chalicelib.domain.ses_tags import tag_values
from chalicelib.settings import SesSettings

# Seconds of rest after which a connection is not used again. One that died while the process was frozen looks
# alive until half a message was written into it, and then nobody knows how much of it SES has read.
RENEW_AFTER = 5.0

# Raised only while there is no connection: not a byte of the message has left.
_BEFORE = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)


class SesSender:
    """Port ``EmailSender`` for lines with an SES identity. ``config`` says how long to wait for SES.

    ``now`` is the wall clock in seconds: the monotonic one of a frozen Lambda may stand still.
    """

    def __init__(
        self, settings: SesSettings, config: Config = SENDING, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._config = config
        self._now = now
        self._last_used = now()

    @cached_property
    def _client(self) -> Any:
        return ses_client(self._settings.endpoint, self._config)

    def connect(self, line: Line, password: str) -> Connected:  # noqa: ARG002  (there is nothing to dial)
        """Always ready: the connection is made with the call."""
        return Connected(SES_SIZE_LIMIT)

    def deliver(
        self,
        line: Line,  # noqa: ARG002  (the envelope says all that SES is told)
        envelope: Envelope,
        message: Message,
        go_ahead: Callable[[], bool],
    ) -> Outcome:
        """Hand one message over. ``go_ahead`` is asked once, just before the call."""
        try:
            request = self._request(envelope, message)
        except OSError as error:  # a file of the message can't be read
            return Withheld(error)
        if isinstance(request, Refused):
            return request
        return obstacle(go_ahead) or self._call(request)

    def _request(self, envelope: Envelope, message: Message) -> dict[str, Any] | Refused:
        """The call's parameters; Refused for what SES is known not to take."""
        if len(message) > SES_SIZE_LIMIT:
            return Refused(reason("message_too_large"), Scope.CONTENT)
        if needs_smtputf8(envelope.recipient):
            return Refused(reason("smtputf8_not_supported"), Scope.CONTACT)
        try:
            sender = wire_address(envelope.sender, Scope.LINE)
            recipient = wire_address(envelope.recipient, Scope.CONTACT)
        except CannotComposeError as error:
            return Refused(error.reason, error.scope)
        return {
            "FromEmailAddress": sender,
            "Destination": {"ToAddresses": [recipient]},
            "Content": {"Raw": {"Data": bytes(message)}},
            "ConfigurationSetName": self._settings.configuration_set,
            **self._marks(envelope),
        }

    def _marks(self, envelope: Envelope) -> dict[str, Any]:
        """What events carry back to us, and whose reputation the message counts on."""
        if envelope.tags is None:
            return {}
        values = tag_values(envelope.tags)
        marks: dict[str, Any] = {"EmailTags": [{"Name": name, "Value": values[name]} for name in values]}
        return marks | ({"TenantName": envelope.tags.account_id} if self._settings.tenants else {})

    def _call(self, request: dict[str, Any]) -> Outcome:
        try:
            self._renew()
            answer = self._client.send_email(**request)
        except ClientError as error:
            said = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            (recipient,) = request["Destination"]["ToAddresses"]
            return classify(said.get("Code", ""), status, said.get("Message", ""), recipient)
        except BotoCoreError as error:
            return _unanswered(error)
        finally:
            self._last_used = self._now()
        message_id = answer.get("MessageId")
        return Accepted(message_id) if message_id else unknown()

    def _renew(self) -> None:
        """Close what has rested for too long; the client stays, and opens another connection by itself."""
        if not 0 <= self._now() - self._last_used < RENEW_AFTER:
            self._client.close()


def _unanswered(error: BotoCoreError) -> Outcome:
    if isinstance(error, _BEFORE) or any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)
    ):
        return TryLater(reason("ses_unreachable"), Scope.LINE)
    return unknown()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from; botocore keeps urllib3's in its fields."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        inner = getattr(found, "kwargs", {}).get("error")
        waiting += [found.__cause__, found.__context__, inner if isinstance(inner, BaseException) else None]
