"""The tables, as PynamoDB sees them. Every partition key is led by the account, or leads back to it.

``infra/`` creates them; ``bind`` tells the models the deployed names. Attribute names are the field's words
and not abbreviations: an item is far below the 1 KB that one write unit pays for.
"""

from dataclasses import fields

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.adapters.dynamodb.writing import connection
from chalicelib.settings import Tables


class AccountRow(Model):
    """One customer."""

    class Meta:
        table_name = "accounts"

    account_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    line_plan = UnicodeAttribute()
    quotas: MapAttribute[str, int] = MapAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    owners = NumberAttribute(null=True)  # how many members are owners; missing is none


class KeysOfAccount(GlobalSecondaryIndex["ApiKeyRow"]):
    """The API keys of one account."""

    class Meta:
        index_name = "KeysOfAccount"
        projection = KeysOnlyProjection()

    account_id = UnicodeAttribute(hash_key=True)
    key_id = UnicodeAttribute(range_key=True)


class ApiKeyRow(Model):
    """One API key. Found by its public id, before any account is known."""

    class Meta:
        table_name = "api_keys"

    key_id = UnicodeAttribute(hash_key=True)
    account_id = UnicodeAttribute()
    name = UnicodeAttribute()
    salt = UnicodeAttribute()
    digest = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    scopes = UnicodeSetAttribute(null=True)  # missing: all of them
    expires_at = UTCDateTimeAttribute(null=True)
    used_at = UTCDateTimeAttribute(null=True)
    revoked_at = UTCDateTimeAttribute(null=True)
    actor_kind = UnicodeAttribute(null=True)  # who made it; missing: nobody kept that then
    actor_id = UnicodeAttribute(null=True)
    keys_of_account = KeysOfAccount()


class MembersOfAccount(GlobalSecondaryIndex["MemberRow"]):
    """The people of one account."""

    class Meta:
        index_name = "MembersOfAccount"
        projection = KeysOnlyProjection()

    account_id = UnicodeAttribute(hash_key=True)
    sub = UnicodeAttribute(range_key=True)


class MemberRow(Model):
    """One person, found before any account is known. One row each: nobody is in two accounts."""

    class Meta:
        table_name = "members"

    sub = UnicodeAttribute(hash_key=True)
    account_id = UnicodeAttribute()
    email = UnicodeAttribute()
    role = UnicodeAttribute()
    joined_at = UTCDateTimeAttribute()
    members_of_account = MembersOfAccount()


class InvitationRow(Model):
    """One open invitation; deleted when it is accepted or withdrawn."""

    class Meta:
        table_name = "invitations"

    account_id = UnicodeAttribute(hash_key=True)
    invitation_id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    address_key = UnicodeAttribute()
    role = UnicodeAttribute()
    actor_kind = UnicodeAttribute()
    actor_id = UnicodeAttribute()
    salt = UnicodeAttribute()
    digest = UnicodeAttribute()
    invited_at = UTCDateTimeAttribute()
    expires_at = TTLAttribute()


class LinesToCheck(GlobalSecondaryIndex["LineRow"]):
    """Sparse: only lines that the schedule proves again by itself carry ``check`` and ``check_at``."""

    class Meta:
        index_name = "LinesToCheck"
        projection = KeysOnlyProjection()

    check = UnicodeAttribute(hash_key=True)
    check_at = UnicodeAttribute(range_key=True)


class LinkKeyRow(Model):
    """A key of the links in messages. All of a deployment are one partition; ``sealed`` is KMS ciphertext."""

    class Meta:
        table_name = "link_keys"

    ring = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    sealed = BinaryAttribute(legacy_encoding=False)
    created_at = UTCDateTimeAttribute()


class LinesWithMailbox(GlobalSecondaryIndex["LineRow"]):
    """Sparse: only lines whose bounce mailbox is read carry ``mailbox_round``."""

    class Meta:
        index_name = "LinesWithMailbox"
        projection = KeysOnlyProjection()

    mailbox_round = UnicodeAttribute(hash_key=True)
    line_id = UnicodeAttribute(range_key=True)


class LineRow(Model):
    """One line of an account. The passwords are KMS ciphertext. The channel's fields depend on its kind."""

    class Meta:
        table_name = "lines"

    account_id = UnicodeAttribute(hash_key=True)
    line_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    plan = UnicodeAttribute()
    channel = UnicodeAttribute(default="smtp")
    host = UnicodeAttribute(null=True)
    port = NumberAttribute(null=True)
    security = UnicodeAttribute(null=True)
    username = UnicodeAttribute(null=True)
    password = BinaryAttribute(legacy_encoding=False, null=True)
    identity = UnicodeAttribute(null=True)
    from_name = UnicodeAttribute()
    from_address = UnicodeAttribute()
    reply_to = UnicodeAttribute(null=True)
    limits: MapAttribute[str, int | None] = MapAttribute()
    connection_state = UnicodeAttribute()
    checked_at = UTCDateTimeAttribute(null=True)
    connection_reason: MapAttribute[str, object] = MapAttribute(null=True)
    size_limit = NumberAttribute(null=True)
    quota: MapAttribute[str, int] = MapAttribute(null=True)
    verification: MapAttribute[str, object] = MapAttribute(null=True)
    check = UnicodeAttribute(null=True)
    check_at = UnicodeAttribute(null=True)
    brake: MapAttribute[str, object] = MapAttribute(null=True)
    brake_lifted_at = UTCDateTimeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    return_path = UnicodeAttribute(null=True)
    mailbox_id = UnicodeAttribute(null=True)
    mailbox: MapAttribute[str, object] = MapAttribute(null=True)
    mailbox_password = BinaryAttribute(legacy_encoding=False, null=True)
    mailbox_reading: MapAttribute[str, object] = MapAttribute(null=True)
    mailbox_round = UnicodeAttribute(null=True)
    lines_with_mailbox = LinesWithMailbox()
    lines_to_check = LinesToCheck()


class IdentityRow(Model):
    """Which account an SES identity belongs to. The one table led by no account: SES knows them all alike."""

    class Meta:
        table_name = "identities"

    identity = UnicodeAttribute(hash_key=True)
    account_id = UnicodeAttribute()
    since = UTCDateTimeAttribute()
    verified = BooleanAttribute(default=False)
    contested = BooleanAttribute(default=False)


class DomainKeyMap(MapAttribute[str, object]):
    """One DKIM key of a domain. ``private_key`` is KMS ciphertext."""

    selector = UnicodeAttribute()
    public_key = UnicodeAttribute()
    private_key = BinaryAttribute(legacy_encoding=False)
    created_at = UTCDateTimeAttribute()
    state = UnicodeAttribute()
    checked_at = UTCDateTimeAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)


class DomainsToCheck(GlobalSecondaryIndex["DomainRow"]):
    """All domains of all accounts, for the daily look at their records."""

    class Meta:
        index_name = "DomainsToCheck"
        projection = KeysOnlyProjection()

    watch = UnicodeAttribute(hash_key=True)
    domain = UnicodeAttribute(range_key=True)


class DomainRow(Model):
    """One domain an account signs for, with its keys."""

    class Meta:
        table_name = "domains"

    account_id = UnicodeAttribute(hash_key=True)
    domain = UnicodeAttribute(range_key=True)
    keys: ListAttribute[DomainKeyMap] = ListAttribute(of=DomainKeyMap)
    created_at = UTCDateTimeAttribute()
    revision = NumberAttribute()
    watch = UnicodeAttribute(default="watched")
    domains_to_check = DomainsToCheck()


class AdviceRow(Model):
    """The last advice on a line; ``findings`` is JSON text, which nothing looks into here."""

    class Meta:
        table_name = "advice"

    account_id = UnicodeAttribute(hash_key=True)
    line_id = UnicodeAttribute(range_key=True)
    asked_at = UTCDateTimeAttribute()
    checked_at = UTCDateTimeAttribute(null=True)
    findings = UnicodeAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)


class ActiveCampaigns(GlobalSecondaryIndex["CampaignRow"]):
    """Sparse: only campaigns the dispatcher has to visit carry ``active``."""

    class Meta:
        index_name = "ActiveCampaigns"
        projection = KeysOnlyProjection()

    active = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)


class CampaignRow(Model):
    """One campaign: settings and state. Its content is kept apart, by version."""

    class Meta:
        table_name = "campaigns"

    account_id = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    line_ids: ListAttribute[str] = ListAttribute()
    timetable: MapAttribute[str, object] = MapAttribute()
    content_version = NumberAttribute()
    status = UnicodeAttribute()
    revision = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    launched_at = UTCDateTimeAttribute(null=True)
    finished_at = UTCDateTimeAttribute(null=True)
    paused_because: MapAttribute[str, object] = MapAttribute(null=True)
    resend: MapAttribute[str, object] = MapAttribute(null=True)
    brake: MapAttribute[str, object] = MapAttribute(null=True)
    brake_lifted_at = UTCDateTimeAttribute(null=True)
    columns = UnicodeSetAttribute(null=True)
    last_act = UnicodeAttribute(null=True)
    imports = UnicodeSetAttribute(null=True)  # those that are adding contacts to it
    active = UnicodeAttribute(null=True)
    active_campaigns = ActiveCampaigns()


class ContentRow(Model):
    """One version of a campaign's subject and body; written once, never changed."""

    class Meta:
        table_name = "contents"

    campaign = UnicodeAttribute(hash_key=True)
    version = NumberAttribute(range_key=True)
    subject = UnicodeAttribute()
    html = UnicodeAttribute()
    text = UnicodeAttribute(null=True)
    exemption: MapAttribute[str, str] = MapAttribute(null=True)
    track_opens = BooleanAttribute(default=True)
    variables: ListAttribute[list[str]] = ListAttribute(null=True)  # a name, then its options
    attachments = UnicodeAttribute(null=True)  # JSON: a list of objects with the fields of `Attachment`


class WorkIndex(GlobalSecondaryIndex["ContactRow"]):
    """Sparse: contacts that wait (Not sent, by due time) and contacts in flight (Pending, by lease)."""

    class Meta:
        index_name = "WorkIndex"
        projection = IncludeProjection(["generation", "attempt"])

    work = UnicodeAttribute(hash_key=True)
    work_at = UnicodeAttribute(range_key=True)


class ContactRow(Model):
    """One contact of a campaign. The partition is account, campaign and bucket."""

    class Meta:
        table_name = "contacts"

    bucket = UnicodeAttribute(hash_key=True)
    contact_id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    middle_name = UnicodeAttribute(null=True)
    p1 = UnicodeAttribute(null=True)
    p2 = UnicodeAttribute(null=True)
    p3 = UnicodeAttribute(null=True)
    extra: ListAttribute[list[str]] = ListAttribute(null=True)
    status = UnicodeAttribute()
    generation = NumberAttribute()
    attempt = NumberAttribute()
    failures = NumberAttribute()
    line_id = UnicodeAttribute(null=True)
    content_version = NumberAttribute(null=True)
    claim = UnicodeAttribute(null=True)
    lease_until = UTCDateTimeAttribute(null=True)
    slot_at = UTCDateTimeAttribute(null=True)
    sent_at = UTCDateTimeAttribute(null=True)
    delivered_at = UTCDateTimeAttribute(null=True)
    opened_at = UTCDateTimeAttribute(null=True)
    remote_id = UnicodeAttribute(null=True)
    proven_at = UTCDateTimeAttribute(null=True)
    failed_at = UTCDateTimeAttribute(null=True)
    bounced_at = UTCDateTimeAttribute(null=True)
    machine_opened_at = UTCDateTimeAttribute(null=True)
    downloaded_at = UTCDateTimeAttribute(null=True)
    complained_at = UTCDateTimeAttribute(null=True)
    unsubscribed_at = UTCDateTimeAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    resend_token = UnicodeAttribute(null=True)
    work = UnicodeAttribute(null=True)
    work_at = UnicodeAttribute(null=True)
    work_index = WorkIndex()


class DialogRow(Model):
    """One dialog of a line. The partition is account, line and bucket; ``tags`` holds the keys of its tags,
    ``tag_names`` how they are spelled.
    """

    class Meta:
        table_name = "dialogs"

    bucket = UnicodeAttribute(hash_key=True)
    address_key = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    middle_name = UnicodeAttribute(null=True)
    p1 = UnicodeAttribute(null=True)
    p2 = UnicodeAttribute(null=True)
    p3 = UnicodeAttribute(null=True)
    extra: ListAttribute[list[str]] = ListAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    tag_names: ListAttribute[str] = ListAttribute(null=True)
    last_message_at = UTCDateTimeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    revision = NumberAttribute()


class SuppressionRow(Model):
    """One suppressed address of an account; ``also`` holds the reasons that came after the first."""

    class Meta:
        table_name = "suppressions"

    account_id = UnicodeAttribute(hash_key=True)
    address_key = UnicodeAttribute(range_key=True)
    address = UnicodeAttribute()
    reason = UnicodeAttribute()
    added_at = UTCDateTimeAttribute()
    campaign_id = UnicodeAttribute(null=True)
    also = UnicodeSetAttribute(null=True)


class TotalsRow(Model):
    """One shard of a campaign's totals; a single shard may be negative, their sum is the truth."""

    class Meta:
        table_name = "totals"

    campaign = UnicodeAttribute(hash_key=True)
    shard = NumberAttribute(range_key=True)
    not_sent = NumberAttribute(default=0)
    pending = NumberAttribute(default=0)
    sent = NumberAttribute(default=0)
    delivered = NumberAttribute(default=0)
    opened = NumberAttribute(default=0)
    error = NumberAttribute(default=0)
    unknown = NumberAttribute(default=0)
    suppressed = NumberAttribute(default=0)
    bounced = NumberAttribute(default=0)
    complained = NumberAttribute(default=0)
    unsubscribed = NumberAttribute(default=0)
    machine_opened = NumberAttribute(default=0)


class PaceRow(Model):
    """The dispatcher's memory of one campaign (``campaign#id``) or one line (``line#id``)."""

    class Meta:
        table_name = "pace"

    account_id = UnicodeAttribute(hash_key=True)
    subject = UnicodeAttribute(range_key=True)
    token = NumberAttribute(default=0)
    state = UnicodeAttribute(null=True)
    resting_until = UTCDateTimeAttribute(null=True)
    failures = NumberAttribute(default=0)
    failed_at = UTCDateTimeAttribute(null=True)


class BrakeRow(Model):
    """What one line or campaign (``account#line#id``) sent in one hour, and how it was received."""

    class Meta:
        table_name = "brakes"

    subject = UnicodeAttribute(hash_key=True)
    hour = UnicodeAttribute(range_key=True)
    accepted = NumberAttribute(default=0)
    bounced = NumberAttribute(default=0)
    complained = NumberAttribute(default=0)
    expires_at = TTLAttribute()


class AcceptedRow(BrakeRow):
    """The same rows for a writer that must not repeat itself: a doubled ``ADD`` would flatter the rate."""

    class Meta:
        table_name = "brakes"
        max_retry_attempts = 0


class ImportRow(Model):
    """One import job with its checkpoint."""

    class Meta:
        table_name = "imports"

    account_id = UnicodeAttribute(hash_key=True)
    import_id = UnicodeAttribute(range_key=True)
    campaign_id = UnicodeAttribute()
    file_name = UnicodeAttribute()
    state = UnicodeAttribute()
    next_row = NumberAttribute(default=0)
    rows = NumberAttribute(default=0)
    added = NumberAttribute(default=0)
    duplicates = NumberAttribute(default=0)
    rejected = NumberAttribute(default=0)
    suppressed = NumberAttribute(default=0)
    updated = NumberAttribute(default=0)
    incomplete = NumberAttribute(default=0)
    place = UnicodeAttribute(default="")
    source: MapAttribute[str, object] = MapAttribute(null=True)
    previews = BooleanAttribute(default=False)
    choice: MapAttribute[str, object] = MapAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    begun_at = UTCDateTimeAttribute(null=True)
    finished_at = UTCDateTimeAttribute(null=True)


class ExportRow(Model):
    """One export job."""

    class Meta:
        table_name = "exports"

    account_id = UnicodeAttribute(hash_key=True)
    export_id = UnicodeAttribute(range_key=True)
    campaign_id = UnicodeAttribute()
    state = UnicodeAttribute()
    rows = NumberAttribute(default=0)
    counted: MapAttribute[str, int] = MapAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)


class PreflightRow(Model):
    """The last preflight of a campaign; ``missing`` is JSON text, which nothing looks into here."""

    class Meta:
        table_name = "preflights"

    account_id = UnicodeAttribute(hash_key=True)
    campaign_id = UnicodeAttribute(range_key=True)
    preflight_id = UnicodeAttribute()
    content_version = NumberAttribute()
    state = UnicodeAttribute()
    checked = NumberAttribute(default=0)
    missing = UnicodeAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    asked_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)


class SampleRow(Model):
    """One test message; or, named ``hour#…``, how many were ``asked`` for in that hour."""

    class Meta:
        table_name = "samples"

    account_id = UnicodeAttribute(hash_key=True)
    sample_id = UnicodeAttribute(range_key=True)
    campaign_id = UnicodeAttribute(null=True)
    line_id = UnicodeAttribute(null=True)
    recipient = UnicodeAttribute(null=True)
    contact_id = UnicodeAttribute(null=True)
    person: MapAttribute[str, object] = MapAttribute(null=True)
    content_version = NumberAttribute(null=True)
    state = UnicodeAttribute(null=True)
    claim = UnicodeAttribute(null=True)
    asked_at = UTCDateTimeAttribute(null=True)
    claimed_at = UTCDateTimeAttribute(null=True)
    finished_at = UTCDateTimeAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    remote_id = UnicodeAttribute(null=True)
    asked = NumberAttribute(null=True)
    expires_at = TTLAttribute()


class UsageRow(Model):
    """What one account has of what is limited: ``uploads`` are bytes by day, ``requests`` of ``minute``."""

    class Meta:
        table_name = "usage"

    account_id = UnicodeAttribute(hash_key=True)
    campaigns = NumberAttribute(default=0)
    lines = NumberAttribute(default=0)
    api_keys = NumberAttribute(default=0)
    domains = NumberAttribute(default=0)
    attachments = NumberAttribute(default=0)
    uploads: MapAttribute[str, int] = MapAttribute(null=True)
    imports: ListAttribute[str] = ListAttribute(null=True)
    places: ListAttribute[str] = ListAttribute(null=True)
    minute = UnicodeAttribute(null=True)
    requests = NumberAttribute(null=True)
    revision = NumberAttribute(default=0)


class RepeatRow(Model):
    """A POST under an Idempotency-Key: who works on it, or what it was answered (sealed)."""

    class Meta:
        table_name = "repeats"

    account_id = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
    fingerprint = UnicodeAttribute()
    seed = BinaryAttribute(legacy_encoding=False)
    begun_at = UTCDateTimeAttribute()
    token = UnicodeAttribute()
    lease_until = UTCDateTimeAttribute()
    done = BooleanAttribute(default=False)
    answer = BinaryAttribute(legacy_encoding=False, null=True)
    expires_at = TTLAttribute()


class AttachmentRow(Model):
    """One file of a campaign, from its upload's form on."""

    class Meta:
        table_name = "attachments"

    campaign = UnicodeAttribute(hash_key=True)
    attachment_id = UnicodeAttribute(range_key=True)
    file_name = UnicodeAttribute()
    content_id = UnicodeAttribute(null=True)
    asked_at = UTCDateTimeAttribute()
    state = UnicodeAttribute()
    size = NumberAttribute(null=True)
    digest = UnicodeAttribute(null=True)
    used = BooleanAttribute(default=False)
    reason: MapAttribute[str, object] = MapAttribute(null=True)


class PersonalDataRow(Model):
    """One request about one person's data. ``address`` and ``address_key`` go when it is over."""

    class Meta:
        table_name = "personal_data"

    account_id = UnicodeAttribute(hash_key=True)
    job_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    mark = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    address = UnicodeAttribute(null=True)
    address_key = UnicodeAttribute(null=True)
    found: MapAttribute[str, int] = MapAttribute(null=True)
    reason: MapAttribute[str, object] = MapAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)
    expires_at = TTLAttribute()


class AuditRow(Model):
    """One entry of an account's audit trail; ``subject`` holds ids by what they name."""

    class Meta:
        table_name = "audit"

    account_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    action = UnicodeAttribute()
    actor_kind = UnicodeAttribute()
    actor_id = UnicodeAttribute()
    subject: MapAttribute[str, str] = MapAttribute(null=True)
    outcome = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    at = UTCDateTimeAttribute()
    expires_at = TTLAttribute()


MODELS: dict[str, type[Model]] = {
    "accounts": AccountRow,
    "api_keys": ApiKeyRow,
    "members": MemberRow,
    "invitations": InvitationRow,
    "link_keys": LinkKeyRow,
    "lines": LineRow,
    "identities": IdentityRow,
    "domains": DomainRow,
    "advice": AdviceRow,
    "campaigns": CampaignRow,
    "contents": ContentRow,
    "contacts": ContactRow,
    "dialogs": DialogRow,
    "suppressions": SuppressionRow,
    "totals": TotalsRow,
    "pace": PaceRow,
    "brakes": BrakeRow,
    "samples": SampleRow,
    "imports": ImportRow,
    "exports": ExportRow,
    "preflights": PreflightRow,
    "usage": UsageRow,
    "repeats": RepeatRow,
    "attachments": AttachmentRow,
    "personal_data": PersonalDataRow,
    "audit": AuditRow,
}


def bind(tables: Tables) -> None:
    """Point the models at the deployed tables. Called once, where the program is wired together."""
    connection.cache_clear()
    for field in fields(tables):
        for model in (MODELS[field.name], *MODELS[field.name].__subclasses__()):
            model.Meta.table_name = getattr(tables, field.name)
            model._connection = None  # noqa: SLF001  (PynamoDB caches the name with it)
