"""What a deployment decides, read from the environment that ``infra/`` gives every function."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

_OF_SOME = frozenset({"TABLE_REPEATS"})  # told to those functions only that need it


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the DynamoDB tables."""

    accounts: str = ""
    api_keys: str = ""
    members: str = ""
    invitations: str = ""
    link_keys: str = ""
    lines: str = ""
    identities: str = ""
    domains: str = ""
    advice: str = ""
    campaigns: str = ""
    contents: str = ""
    contacts: str = ""
    dialogs: str = ""
    suppressions: str = ""
    totals: str = ""
    pace: str = ""
    brakes: str = ""
    samples: str = ""
    imports: str = ""
    exports: str = ""
    preflights: str = ""
    usage: str = ""
    repeats: str = ""
    attachments: str = ""
    personal_data: str = ""
    audit: str = ""


@dataclass(frozen=True, slots=True)
class Queues:
    """URLs of the SQS queues."""

    dispatch: str = ""
    send: str = ""
    imports: str = ""
    exports: str = ""
    connect: str = ""
    checks: str = ""
    removal: str = ""
    bounces: str = ""


@dataclass(frozen=True, slots=True)
class WatchedQueues:
    """URLs of the SQS queues that only the operator's function looks at; a deployment tells no other."""

    events: str = ""
    abandoned: str = ""
    dead_dispatch: str = ""
    dead_send: str = ""
    dead_removal: str = ""
    dead_bounces: str = ""
    dead_jobs: str = ""
    dead_events: str = ""


@dataclass(frozen=True, slots=True)
class SesSettings:
    """The platform's SES. ``resources`` is what the ARNs of its identities and sets begin with.

    ``endpoint`` is None for AWS's own. ``tenants``: each account is an SES tenant.
    """

    configuration_set: str = ""
    resources: str = ""
    endpoint: str | None = None
    tenants: bool = False


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """The Cognito user pool of the people. ``endpoint`` is its public API, without a slash at its end."""

    pool: str = ""
    client: str = ""
    issuer: str = ""
    endpoint: str = ""

    @property
    def region(self) -> str:
        """The region, which a pool's id begins with."""
        return self.pool.partition("_")[0]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a function is told from outside. Times are seconds, sizes bytes."""

    tables: Tables
    queues: Queues
    file_bucket: str
    secret_key_id: str
    smtp_ca_file: str | None
    link_key_id: str = ""
    cursor_key_id: str = ""
    erasure_key_id: str = ""
    # Of the pages that recipients see, without a slash at its end; empty: there are none.
    public_url: str = ""
    inbound_domain: str = ""  # in lower case; Amazon SES receives mail under it, empty: for nobody
    smtp_private_hosts: frozenset[str] = frozenset()  # lower case; may be anywhere, at any port
    cors_origins: frozenset[str] = frozenset()  # https://host[:port]; whose pages may use the API
    ses: SesSettings = SesSettings()
    sign_in: SignInSettings = SignInSettings()
    dns_server: str | None = None  # address:port to ask instead of the system's resolver
    brake_bounce_rate: float = 0.05  # shares, 0 to 1, at which sending stops by itself
    brake_complaint_rate: float = 0.003
    quotas: str = ""  # what accounts may have where that is not the usual: campaigns=100,lines=5
    audit_days: int = 400
    watched: WatchedQueues = WatchedQueues()

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; raises ValueError without a table or a queue that every function is told of.

        Any other name that is missing is an empty one.
        """
        return cls(
            tables=Tables(**{f.name: _told(env, f"TABLE_{f.name.upper()}") for f in fields(Tables)}),
            queues=Queues(**{f.name: _told(env, f"QUEUE_{f.name.upper()}") for f in fields(Queues)}),
            file_bucket=env.get("FILE_BUCKET", ""),
            secret_key_id=env.get("SECRET_KEY_ID", ""),
            smtp_ca_file=env.get("SMTP_CA_FILE") or None,
            link_key_id=env.get("LINK_KEY_ID", ""),
            cursor_key_id=env.get("CURSOR_KEY_ID", ""),
            erasure_key_id=env.get("ERASURE_KEY_ID", ""),
            public_url=env.get("PUBLIC_URL", "").rstrip("/"),
            inbound_domain=env.get("INBOUND_DOMAIN", "").lower(),
            smtp_private_hosts=_names(env.get("SMTP_PRIVATE_HOSTS", "")),
            cors_origins=_names(env.get("CORS_ORIGINS", "")),
            ses=SesSettings(
                configuration_set=env.get("SES_CONFIGURATION_SET", ""),
                resources=env.get("SES_RESOURCES", ""),
                endpoint=env.get("SES_ENDPOINT") or None,
                tenants=env.get("SES_TENANTS") == "true",
            ),
            sign_in=_sign_in(env),
            dns_server=env.get("DNS_SERVER") or None,
            quotas=env.get("QUOTAS", ""),
            brake_bounce_rate=float(env.get("BRAKE_BOUNCE_PERCENT") or 5) / 100,
            brake_complaint_rate=float(env.get("BRAKE_COMPLAINT_PERCENT") or 0.3) / 100,
            watched=WatchedQueues(
                **{f.name: env.get(f"QUEUE_{f.name.upper()}", "") for f in fields(WatchedQueues)}
            ),
            audit_days=int(env.get("AUDIT_DAYS") or 400),
        )


def _told(env: Mapping[str, str], name: str) -> str:
    if not env.get(name) and name not in _OF_SOME:
        raise ValueError(f"{name} is not set: infra/merge.yaml tells it to every function.")
    return env.get(name, "")


def _sign_in(env: Mapping[str, str]) -> SignInSettings:
    issuer = env.get("SIGN_IN_ISSUER", "")
    return SignInSettings(
        pool=env.get("SIGN_IN_POOL", ""),
        client=env.get("SIGN_IN_CLIENT", ""),
        issuer=issuer,
        endpoint=env.get("SIGN_IN_ENDPOINT", "").rstrip("/") or issuer.rpartition("/")[0],
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())
