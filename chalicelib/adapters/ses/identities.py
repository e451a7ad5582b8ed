"""Identities at SES: begun with Easy DKIM and the configuration set, tagged with the account they are for.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentity.html
https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
"""

from contextlib import suppress
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.ses.clients import MANAGING, ses_client
from chalicelib.domain.delivery import Refused, Scope, TryLater
from chalicelib.domain.identity import (
    DnsRecord,
    IdentityReport,
    SendingQuota,
    VerificationState,
    above,
    is_domain,
)
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.ses_errors import identity_trouble, reason
from chalicelib.settings import SesSettings

OWNER_TAG = "postline-account"

_DKIM_ZONE = "dkim.amazonses.com"
_FAILED = "FAILED"
_SHUT_DOWN = "SHUTDOWN"


class SesIdentities:
    """Port ``IdentityVerifier``."""

    def __init__(self, settings: SesSettings, config: Config = MANAGING) -> None:
        self._settings = settings
        self._config = config

    @cached_property
    def _client(self) -> Any:
        return ses_client(self._settings.endpoint, self._config)

    def verify(
        self, account_id: str, identity: str, *, anew: bool = False
    ) -> IdentityReport | TryLater | Refused:
        """Begin the verification, or look how it stands.

        An identity without our tag is one that the operator uses for something else: nobody gets it.
        """
        try:
            found = self._get(identity)
            if found is not None and _owner(found) is None:
                return Refused(reason("identity_not_yours"), Scope.LINE)
            if found is not None and (anew or _owner(found) != account_id):
                self._remove(_owner(found) or account_id, identity)
                found = None
            if found is None:
                found = self._create(account_id, identity)
            if (
                self._settings.tenants
            ):  # each time: the last try may have ended before it, or the setting be new
                self._join_tenant(account_id, identity)
            return self._report(identity, found)
        except ClientError as error:
            return _trouble(error)
        except BotoCoreError:
            return TryLater(reason("ses_unreachable"), Scope.LINE)

    def quota(self) -> SendingQuota | TryLater | Refused:
        """What SES lets the platform send; Refused while it lets it send nothing."""
        try:
            account = self._client.get_account()
        except ClientError as error:
            return _trouble(error)
        except BotoCoreError:
            return TryLater(reason("ses_unreachable"), Scope.LINE)
        if account.get("EnforcementStatus") == _SHUT_DOWN:
            return Refused(reason("ses_suspended"), Scope.LINE)
        if not account.get("SendingEnabled", True):
            return Refused(reason("ses_paused"), Scope.LINE)
        quota = account.get("SendQuota", {})
        limits = LineLimits(
            per_second=_limit(quota.get("MaxSendRate")), per_day=_limit(quota.get("Max24HourSend"))
        )
        return SendingQuota(limits, sandbox=not account.get("ProductionAccessEnabled", True))

    def forget(self, account_id: str, identity: str) -> None:
        """Delete the identity if it was begun for this account. Raises what the network does."""
        found = self._get(identity)
        if found is not None and _owner(found) == account_id:
            self._remove(account_id, identity)

    def _get(self, identity: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.get_email_identity(EmailIdentity=identity)
        except self._client.exceptions.NotFoundException:
            return None
        return found

    def _create(self, account_id: str, identity: str) -> dict[str, Any]:
        with suppress(self._client.exceptions.AlreadyExistsException):  # by a twin of this job, a moment ago
            self._client.create_email_identity(
                EmailIdentity=identity,
                Tags=[{"Key": OWNER_TAG, "Value": account_id}],
                ConfigurationSetName=self._settings.configuration_set,
            )
        created: dict[str, Any] = self._client.get_email_identity(EmailIdentity=identity)
        return created

    def _remove(self, owner: str, identity: str) -> None:
        if self._settings.tenants:
            with suppress(self._client.exceptions.NotFoundException):
                self._client.delete_tenant_resource_association(
                    TenantName=owner, ResourceArn=self._arn("identity", identity)
                )
        with suppress(self._client.exceptions.NotFoundException):
            self._client.delete_email_identity(EmailIdentity=identity)

    def _join_tenant(self, account_id: str, identity: str) -> None:
        """The account's tenant, with the two things a message of it needs. Done twice, it is as done once.

        https://docs.aws.amazon.com/ses/latest/dg/tenants.html
        """
        exists = self._client.exceptions.AlreadyExistsException
        with suppress(exists):
            self._client.create_tenant(TenantName=account_id)
        for kind, name in (
            ("identity", identity),
            ("configuration-set", self._settings.configuration_set),
        ):
            with suppress(exists):
                self._client.create_tenant_resource_association(
                    TenantName=account_id, ResourceArn=self._arn(kind, name)
                )

    def _report(self, identity: str, found: dict[str, Any]) -> IdentityReport:
        state = _state(found)
        inherited = state is VerificationState.VERIFIED
        verified_above = [one for one in above(identity) if inherited and self._is_verified(one)]
        return IdentityReport(state, _records(identity, found), tuple(verified_above))

    def _is_verified(self, identity: str) -> bool:
        found = self._get(identity)
        return found is not None and _state(found) is VerificationState.VERIFIED

    def _arn(self, kind: str, name: str) -> str:
        return f"{self._settings.resources}:{kind}/{name}"


def _owner(found: dict[str, Any]) -> str | None:
    """The account an identity was begun for."""
    return next((tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == OWNER_TAG), None)


def _state(found: dict[str, Any]) -> VerificationState:
    if found.get("VerifiedForSendingStatus"):
        return VerificationState.VERIFIED
    dkim = found.get("DkimAttributes", {}).get("Status")
    failed = _FAILED in (found.get("VerificationStatus"), dkim)
    return VerificationState.FAILED if failed else VerificationState.PENDING


def _records(identity: str, found: dict[str, Any]) -> tuple[DnsRecord, ...]:
    """The CNAMEs of Easy DKIM; an address is verified by a link in a mail instead."""
    if not is_domain(identity):
        return ()
    dkim = found.get("DkimAttributes", {})
    zone = dkim.get("SigningHostedZone") or _DKIM_ZONE
    return tuple(
        DnsRecord("CNAME", f"{token}._domainkey.{identity}", f"{token}.{zone}")
        for token in dkim.get("Tokens", [])
    )


def _limit(number: float | None) -> int | None:
    """A quota as a whole number, rounded down but never to nothing; SES says -1 for no limit."""
    return None if number is None or number < 0 else max(1, int(number))


def _trouble(error: ClientError) -> TryLater | Refused:
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return identity_trouble(said.get("Code", ""), status, said.get("Message", ""))
