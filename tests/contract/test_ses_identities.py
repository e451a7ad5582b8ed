"""Identities at SES: on the emulator as far as it goes, on a scripted SES for what it doesn't play."""

import uuid
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import boto3
import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.ses import SesIdentities, SesSender
from chalicelib.adapters.ses.identities import OWNER_TAG
from chalicelib.domain.delivery import Accepted, Envelope, Refused, TryLater
from chalicelib.domain.identity import IdentityReport, SendingQuota, VerificationState
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Line, SesChannel
from chalicelib.settings import SesSettings
from local.emulator import REGION, Emulator
from tests.contract.faulty_ses import FaultySes, answer, drop, error

SET = "a-set"
SETTINGS = SesSettings(SET, f"arn:aws:ses:{REGION}:000000000000")
TENANTS = SesSettings(SET, SETTINGS.resources, tenants=True)
VERIFIED, PENDING, FAILED = VerificationState.VERIFIED, VerificationState.PENDING, VerificationState.FAILED


@pytest.fixture(scope="module")
def ses(cloud: Emulator) -> Any:
    made = client("sesv2")
    made.create_configuration_set(ConfigurationSetName=SET)
    return made


@pytest.fixture
def domain(ses: Any) -> str:
    return f"{uuid.uuid4().hex}.example"


def owner(ses: Any, identity: str) -> str:
    tags = ses.get_email_identity(EmailIdentity=identity)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}[OWNER_TAG]


class TestOnTheEmulator:
    """It verifies everything at once; a real SES takes its time."""

    def test_a_domain_is_begun_for_the_account_and_shows_its_records(self, ses: Any, domain: str) -> None:
        report = SesIdentities(SETTINGS).verify("acc1", domain)
        assert isinstance(report, IdentityReport)
        assert (report.state, report.inherits_from, len(report.records)) == (VERIFIED, (), 3)
        for record in report.records:
            assert record.type == "CNAME"
            assert record.name.endswith(f"._domainkey.{domain}")
            assert record.value.endswith(".dkim.amazonses.com")
        assert owner(ses, domain) == "acc1"
        assert SesIdentities(SETTINGS).verify("acc1", domain) == report

    def test_an_address_has_no_records(self, domain: str) -> None:
        report = SesIdentities(SETTINGS).verify("acc1", f"news@{domain}")
        assert report == IdentityReport(VERIFIED)

    def test_what_would_be_verified_by_a_domain_above_it_says_so(self, domain: str) -> None:
        identities = SesIdentities(SETTINGS)
        identities.verify("acc1", domain)
        for below in (f"news@{domain}", f"mail.{domain}", f"news@mail.{domain}"):
            report = identities.verify("acc2", below)
            assert isinstance(report, IdentityReport)
            assert domain in report.inherits_from

    def test_what_was_begun_for_another_account_begins_anew(self, ses: Any, domain: str) -> None:
        identities = SesIdentities(SETTINGS)
        identities.verify("acc1", domain)
        identities.verify("acc2", domain)
        assert owner(ses, domain) == "acc2"

    def test_what_the_operator_made_for_something_else_is_nobodys(self, ses: Any, domain: str) -> None:
        ses.create_email_identity(EmailIdentity=domain)
        answered = SesIdentities(SETTINGS).verify("acc1", domain, anew=True)
        assert isinstance(answered, Refused)
        assert answered.reason.code == "identity_not_yours"
        assert ses.get_email_identity(EmailIdentity=domain)["Tags"] == []

    def test_only_the_accounts_own_identity_is_forgotten(self, ses: Any, domain: str) -> None:
        identities = SesIdentities(SETTINGS)
        identities.verify("acc1", domain)
        identities.forget("acc2", domain)
        assert owner(ses, domain) == "acc1"
        for _ in range(2):
            identities.forget("acc1", domain)
        with pytest.raises(ses.exceptions.NotFoundException):
            ses.get_email_identity(EmailIdentity=domain)

    def test_an_accounts_tenant_holds_what_it_sends_with(self, ses: Any, domain: str) -> None:
        account = f"acc{uuid.uuid4().hex[:12]}"
        identities = SesIdentities(TENANTS)
        identities.verify(account, domain)
        identities.verify(account, f"mail.{domain}")
        held = ses.list_tenant_resources(TenantName=account)["TenantResources"]
        assert {resource["ResourceArn"].rpartition(":")[2] for resource in held} == {
            f"identity/{domain}",
            f"identity/mail.{domain}",
            f"configuration-set/{SET}",
        }
        identities.forget(account, domain)
        with pytest.raises(ses.exceptions.NotFoundException):
            ses.get_email_identity(EmailIdentity=domain)

    def test_an_identity_from_before_the_setting_joins_the_tenant_too(self, ses: Any, domain: str) -> None:
        account = f"acc{uuid.uuid4().hex[:12]}"
        SesIdentities(SETTINGS).verify(account, domain)
        SesIdentities(TENANTS).verify(account, domain)
        held = ses.list_tenant_resources(TenantName=account)["TenantResources"]
        assert {resource["ResourceArn"].rpartition(":")[2] for resource in held} == {
            f"identity/{domain}",
            f"configuration-set/{SET}",
        }

    def test_the_quota_is_the_accounts(self, ses: Any) -> None:
        assert SesIdentities(SETTINGS).quota() == SendingQuota(LineLimits(per_second=14, per_day=50_000))

    def test_a_message_is_taken_once_its_identity_is_verified(self, domain: str) -> None:
        line = Line("line-1", "Shop", SesChannel(domain), f"news@{domain}")
        message = f"From: news@{domain}\r\nSubject: hello\r\n\r\nFirst line\r\n".encode()
        assert message_from_bytes(message)["Subject"] == "hello"
        envelope = Envelope(line.from_address, "bob@mail.example")
        refused = SesSender(SETTINGS).deliver(line, envelope, message, lambda: True)
        assert isinstance(refused, Refused)
        assert refused.reason.code == "from_not_verified"
        SesIdentities(SETTINGS).verify("acc1", domain)
        taken = SesSender(SETTINGS).deliver(line, envelope, message, lambda: True)
        assert isinstance(taken, Accepted)
        assert taken.remote_id


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials
    return


def identity(*, verified: bool = False, status: str = "PENDING", dkim: str = "PENDING") -> dict[str, Any]:
    return {
        "VerifiedForSendingStatus": verified,
        "VerificationStatus": status,
        "DkimAttributes": {"Status": dkim, "Tokens": ["one"], "SigningHostedZone": "dkim.eu.example"},
        "Tags": [{"Key": OWNER_TAG, "Value": "acc1"}],
    }


def account(**changes: Any) -> dict[str, Any]:
    quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
    healthy = {"EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": True, "SendingEnabled": True}
    return {"SendQuota": quota, **healthy, **changes}


@pytest.mark.usefixtures("credentials")
class TestOnAScriptedSes:
    def asked(self, *answers: Any) -> tuple[FaultySes, SesIdentities]:
        server = FaultySes({"request": list(answers)})
        return server, SesIdentities(SesSettings(SET, SETTINGS.resources, server.endpoint))

    @pytest.mark.parametrize(
        ("found", "state"),
        [
            (identity(), PENDING),
            (identity(status="NOT_STARTED", dkim="NOT_STARTED"), PENDING),
            (identity(status="TEMPORARY_FAILURE", dkim="TEMPORARY_FAILURE"), PENDING),
            (identity(status="FAILED"), FAILED),
            (identity(dkim="FAILED"), FAILED),
        ],
    )
    def test_states(self, found: dict[str, Any], state: VerificationState) -> None:
        server, identities = self.asked(answer(200, found))
        with server:
            report = identities.verify("acc1", "shop.example")
        assert isinstance(report, IdentityReport)
        assert report.state is state
        assert [(r.name, r.value) for r in report.records] == [
            ("one._domainkey.shop.example", "one.dkim.eu.example")
        ]

    def test_it_is_begun_with_the_set_and_the_tag(self) -> None:
        gone, found = error(404, "NotFoundException"), answer(200, identity())
        server, identities = self.asked(gone, answer(200, {}), found)
        with server:
            identities.verify("acc1", "news@shop.example")
            assert [request.body for request in server.requests] == [
                None,
                {
                    "EmailIdentity": "news@shop.example",
                    "Tags": [{"Key": OWNER_TAG, "Value": "acc1"}],
                    "ConfigurationSetName": SET,
                },
                None,
            ]

    def test_a_twin_that_was_faster_is_no_failure(self) -> None:
        gone, there = error(404, "NotFoundException"), error(400, "AlreadyExistsException")
        server, identities = self.asked(gone, there, answer(200, identity()))
        with server:
            assert isinstance(identities.verify("acc1", "shop.example"), IdentityReport)

    def test_begun_anew_it_is_removed_first(self) -> None:
        server, identities = self.asked(
            answer(200, identity()), answer(200, {}), answer(200, {}), answer(200, identity())
        )
        with server:
            identities.verify("acc1", "shop.example", anew=True)
            assert [request.path.rpartition("/")[2] for request in server.requests] == [
                "shop.example",
                "shop.example",
                "identities",
                "shop.example",
            ]

    @pytest.mark.parametrize(
        ("fault", "kind", "code"),
        [
            (error(400, "LimitExceededException"), Refused, "ses_limit_reached"),
            (error(400, "BadRequestException", "Invalid domain"), Refused, "identity_refused"),
            (error(403, "AccessDeniedException"), TryLater, "ses_not_allowed"),
        ],
    )
    def test_trouble_is_an_outcome(self, fault: Any, kind: type, code: str) -> None:
        server, identities = self.asked(error(404, "NotFoundException"), *[fault] * 4)  # the SDK repeats some
        with server:
            outcome = identities.verify("acc1", "shop.example")
        assert isinstance(outcome, TryLater | Refused)
        assert (type(outcome), outcome.reason.code) == (kind, code)

    def test_no_answer_is_an_outcome(self) -> None:
        server, identities = self.asked(*[drop] * 20)
        with server:
            for outcome in (identities.verify("acc1", "shop.example"), identities.quota()):
                assert isinstance(outcome, TryLater)
                assert outcome.reason.code == "ses_unreachable"

    @pytest.mark.parametrize(
        ("found", "quota"),
        [
            (account(), SendingQuota(LineLimits(per_second=1, per_day=200))),
            (
                account(ProductionAccessEnabled=False),
                SendingQuota(LineLimits(1, None, None, 200), sandbox=True),
            ),
            (
                account(SendQuota={"Max24HourSend": -1.0, "MaxSendRate": 0.5}),
                SendingQuota(LineLimits(per_second=1)),
            ),
        ],
    )
    def test_quotas(self, found: dict[str, Any], quota: SendingQuota) -> None:
        server, identities = self.asked(answer(200, found))
        with server:
            assert identities.quota() == quota

    @pytest.mark.parametrize(
        ("found", "code"),
        [
            (account(SendingEnabled=False), "ses_paused"),
            (account(SendingEnabled=False, EnforcementStatus="SHUTDOWN"), "ses_suspended"),
        ],
    )
    def test_a_service_that_may_send_nothing_has_no_quota(self, found: dict[str, Any], code: str) -> None:
        server, identities = self.asked(answer(200, found))
        with server:
            outcome = identities.quota()
        assert isinstance(outcome, Refused)
        assert outcome.reason.code == code
