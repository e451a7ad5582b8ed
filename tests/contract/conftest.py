"""The stores twice: in memory, and in the tables of an emulator that runs for as long as the tests."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import pytest
import yaml

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb.accounts import DynamoAccountStore
from chalicelib.adapters.dynamodb.advice import DynamoAdviceStore
from chalicelib.adapters.dynamodb.attachments import DynamoAttachmentStore
from chalicelib.adapters.dynamodb.audit import DynamoAuditStore
from chalicelib.adapters.dynamodb.brakes import DynamoBrakeStore
from chalicelib.adapters.dynamodb.campaigns import DynamoCampaignStore
from chalicelib.adapters.dynamodb.contacts import DynamoContactStore
from chalicelib.adapters.dynamodb.dialogs import DynamoDialogStore
from chalicelib.adapters.dynamodb.domains import DynamoDomainStore
from chalicelib.adapters.dynamodb.identities import DynamoIdentityStore
from chalicelib.adapters.dynamodb.jobs import DynamoExportStore, DynamoImportStore
from chalicelib.adapters.dynamodb.lines import DynamoLineStore
from chalicelib.adapters.dynamodb.members import DynamoMemberStore
from chalicelib.adapters.dynamodb.pace import DynamoPaceStore
from chalicelib.adapters.dynamodb.personal_data import DynamoPersonalDataStore
from chalicelib.adapters.dynamodb.preflights import DynamoPreflightStore
from chalicelib.adapters.dynamodb.repeats import DynamoRepeatStore
from chalicelib.adapters.dynamodb.samples import DynamoSampleStore
from chalicelib.adapters.dynamodb.suppressions import DynamoSuppressionStore
from chalicelib.adapters.dynamodb.tables import bind
from chalicelib.adapters.dynamodb.usage import DynamoUsageStore
from chalicelib.adapters.dynamodb.writing import connection
from chalicelib.ports import (
    AccountStore,
    AdviceStore,
    AttachmentStore,
    AuditStore,
    BrakeStore,
    CampaignStore,
    ContactStore,
    DialogStore,
    DomainStore,
    ExportStore,
    IdentityStore,
    ImportStore,
    LineStore,
    MemberStore,
    PaceStore,
    PersonalDataStore,
    PreflightStore,
    RepeatStore,
    SampleStore,
    SuppressionStore,
    UsageStore,
)
from chalicelib.settings import Tables
from local.emulator import REGION, ROOT, Emulator, run_emulator
from tests.fakes.accounts import FakeAccountStore
from tests.fakes.advice import FakeAdviceStore
from tests.fakes.attachments import FakeAttachmentStore
from tests.fakes.audit import FakeAuditStore
from tests.fakes.brakes import FakeBrakeStore
from tests.fakes.campaigns import FakeCampaignStore
from tests.fakes.contacts import FakeContactStore
from tests.fakes.dialogs import FakeDialogStore
from tests.fakes.domains import FakeDomainStore
from tests.fakes.identities import FakeIdentityStore
from tests.fakes.jobs import FakeExportStore, FakeImportStore
from tests.fakes.lines import FakeLineStore
from tests.fakes.members import FakeMemberStore
from tests.fakes.pace import FakePaceStore
from tests.fakes.personal_data import FakeAddressMarks, FakePersonalDataStore
from tests.fakes.preflights import FakePreflightStore
from tests.fakes.repeats import FakeRepeatStore
from tests.fakes.samples import FakeSampleStore
from tests.fakes.suppressions import FakeSuppressionStore
from tests.fakes.usage import FakeUsageStore

TABLES = {
    "accounts": "AccountTable",
    "api_keys": "ApiKeyTable",
    "members": "MemberTable",
    "invitations": "InvitationTable",
    "link_keys": "LinkKeyTable",
    "lines": "LineTable",
    "identities": "IdentityTable",
    "domains": "DomainTable",
    "advice": "AdviceTable",
    "campaigns": "CampaignTable",
    "contents": "ContentTable",
    "contacts": "ContactTable",
    "dialogs": "DialogTable",
    "suppressions": "SuppressionTable",
    "totals": "TotalsTable",
    "pace": "PaceTable",
    "brakes": "BrakeTable",
    "samples": "SampleTable",
    "imports": "ImportTable",
    "exports": "ExportTable",
    "preflights": "PreflightTable",
    "usage": "UsageTable",
    "repeats": "RepeatTable",
    "attachments": "AttachmentTable",
    "personal_data": "PersonalDataTable",
    "audit": "AuditTable",
}


@dataclass(frozen=True)
class Stores:
    """One of each store. ``kind`` is memory or dynamodb; the account is one nobody else uses."""

    kind: str
    accounts: AccountStore
    members: MemberStore
    lines: LineStore
    identities: IdentityStore
    domains: DomainStore
    advice: AdviceStore
    campaigns: CampaignStore
    contacts: ContactStore
    dialogs: DialogStore
    suppressions: SuppressionStore
    pace: PaceStore
    brakes: BrakeStore
    samples: SampleStore
    imports: ImportStore
    exports: ExportStore
    preflights: PreflightStore
    usage: UsageStore
    repeats: RepeatStore
    attachments: AttachmentStore
    personal_data: PersonalDataStore
    audit: AuditStore
    account: str = field(default_factory=lambda: f"acc{uuid.uuid4().hex[:12]}")
    stranger: str = field(default_factory=lambda: f"acc{uuid.uuid4().hex[:12]}")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator with the product's tables; clients made meanwhile talk to it."""
    with (
        run_emulator(tmp_path_factory.mktemp("cloud"), keep=False) as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", emulator.credentials.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", emulator.credentials.secret_access_key)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_REGION", REGION)
        _forget_clients()
        _create_tables(emulator.session().client("dynamodb", endpoint_url=emulator.endpoint))
        bind(Tables(**TABLES))
        yield emulator
        _forget_clients()


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    return in_memory() if request.param == "memory" else request.getfixturevalue("dynamodb")


@pytest.fixture
def dynamodb(cloud: Emulator) -> Stores:
    return Stores(
        "dynamodb",
        DynamoAccountStore(),
        DynamoMemberStore(),
        DynamoLineStore(),
        DynamoIdentityStore(),
        DynamoDomainStore(),
        DynamoAdviceStore(),
        DynamoCampaignStore(),
        DynamoContactStore(),
        DynamoDialogStore(),
        DynamoSuppressionStore(FakeAddressMarks()),
        DynamoPaceStore(),
        DynamoBrakeStore(),
        DynamoSampleStore(),
        DynamoImportStore(),
        DynamoExportStore(),
        DynamoPreflightStore(),
        DynamoUsageStore(),
        DynamoRepeatStore(),
        DynamoAttachmentStore(),
        DynamoPersonalDataStore(),
        DynamoAuditStore(timedelta(days=400)),
    )


def _forget_clients() -> None:
    client.cache_clear()
    connection.cache_clear()


def in_memory() -> Stores:
    usage, imports = FakeUsageStore(), FakeImportStore()
    accounts = FakeAccountStore(usage)
    lines, campaigns = FakeLineStore(usage), FakeCampaignStore(usage)
    return Stores(
        "memory",
        accounts,
        FakeMemberStore(accounts),
        lines,
        FakeIdentityStore(),
        FakeDomainStore(usage),
        FakeAdviceStore(),
        campaigns,
        FakeContactStore(campaigns, imports),
        FakeDialogStore(lines, imports),
        FakeSuppressionStore(imports, FakeAddressMarks()),
        FakePaceStore(),
        FakeBrakeStore(),
        FakeSampleStore(),
        imports,
        FakeExportStore(),
        FakePreflightStore(),
        usage,
        FakeRepeatStore(),
        FakeAttachmentStore(usage),
        FakePersonalDataStore(),
        FakeAuditStore(),
    )


def _create_tables(dynamodb: Any) -> None:
    """The tables of ``infra/merge.yaml``, by their logical ids."""
    resources = yaml.load((ROOT / "infra" / "merge.yaml").read_text(), _WithoutFunctions)["Resources"]
    assert {field.name for field in fields(Tables)} == set(TABLES)
    for name in TABLES.values():
        properties = resources[name]["Properties"]
        indexes = {key: properties[key] for key in ("GlobalSecondaryIndexes",) if key in properties}
        dynamodb.create_table(
            TableName=name,
            BillingMode=properties["BillingMode"],
            AttributeDefinitions=properties["AttributeDefinitions"],
            KeySchema=properties["KeySchema"],
            **indexes,
        )


class _WithoutFunctions(yaml.SafeLoader):
    """Reads a template; what CloudFormation's functions would say stays unknown. Tables need none."""


_WithoutFunctions.add_multi_constructor("!", lambda loader, tag, node: None)
