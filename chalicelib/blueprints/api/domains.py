"""Routes of the domains that mail is signed for. A private key is made here and can't be read here."""

from datetime import datetime
from typing import Annotated, Self

from chalice import Blueprint
from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Input, Output, PageQuery, Reason, RecordShown
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.hosts import is_host_name
from chalicelib.domain.mail_providers import FREE_MAIL
from chalicelib.domain.sending_domain import DomainKey, KeyState, SendingDomain, domain_of
from chalicelib.flow.domains import add_domain, add_key, ask_for_check, remove_key

domains = Blueprint(__name__)


def _domain(value: str) -> str:
    try:
        name = domain_of(f"postmaster@{value}")
    except CannotComposeError:
        name = ""
    if not is_host_name(name):
        raise ValueError(
            "Give a domain such as shop.example.com, without an address, a scheme or a dot at its end."
        )
    if name in FREE_MAIL:
        raise ValueError("Nobody but its owner can add records to this domain. Use a domain of your own.")
    return name


class DomainInput(Input):
    """A domain that lines of the account send from."""

    domain: Annotated[str, AfterValidator(_domain)] = Field(max_length=253)


class DomainKeyShown(Output):
    """A DKIM key: the record to publish, and whether it was seen in DNS."""

    selector: str
    state: KeyState
    signs: bool = Field(description="Whether mail is signed with it: the newest published key is the one.")
    record: RecordShown
    checked_at: datetime | None = Field(description="When DNS last gave an answer.")
    reason: Reason | None = Field(description="Why it isn't published, or couldn't be checked.")
    created_at: datetime

    @classmethod
    def of(cls, domain: SendingDomain, key: DomainKey) -> Self:
        """A key of this domain as it is shown."""
        name, value = domain.record(key)
        return cls(
            selector=key.selector,
            state=key.state,
            signs=key is domain.signing_key,
            record=RecordShown(type="TXT", name=name, value=value),
            checked_at=key.checked_at,
            reason=Reason.of(key.reason),
            created_at=key.created_at,
        )


class DomainShown(Output):
    """A domain; ``signed`` tells whether SMTP lines that send from it sign."""

    domain: str
    signed: bool
    keys: list[DomainKeyShown]
    created_at: datetime

    @classmethod
    def of(cls, domain: SendingDomain) -> Self:
        """A domain as it is shown."""
        return cls(
            domain=domain.domain,
            signed=domain.signing_key is not None,
            keys=[DomainKeyShown.of(domain, key) for key in domain.keys],
            created_at=domain.created_at,
        )


class DomainPage(Output):
    """A page of domains, by name."""

    items: list[DomainShown]
    next_cursor: str | None


@route(
    domains,
    "POST",
    "/domains",
    DomainInput,
    Nothing,
    DomainShown,
    status=201,
    problems=(409,),
    audit="domain_created",
)
def create_domain(call: Call[DomainInput, Nothing]) -> DomainShown:
    """Add a domain with a new DKIM key; publish the record it shows, and check the domain."""
    return DomainShown.of(add_domain(call.account_id, call.body.domain, wiring.domain_ports()))


@route(domains, "GET", "/domains", Nothing, PageQuery, DomainPage)
def list_domains(call: Call[Nothing, PageQuery]) -> DomainPage:
    """List the domains of the account."""
    page = wiring.domains().page(call.account_id, call.query.cursor, call.query.limit)
    return DomainPage(items=[DomainShown.of(domain) for domain in page.items], next_cursor=page.cursor)


@route(domains, "GET", "/domains/{domain}", Nothing, Nothing, DomainShown)
def read_domain(call: Call[Nothing, Nothing], domain: str) -> DomainShown:
    """Read a domain with its records and what was seen of them."""
    return DomainShown.of(wiring.domains().get(call.account_id, domain))


@route(domains, "POST", "/domains/{domain}/check", Nothing, Nothing, DomainShown, status=202)
def start_domain_check(call: Call[Nothing, Nothing], domain: str) -> DomainShown:
    """Look the records up: a job asks DNS; read the domain until ``checked_at`` or ``reason`` changes."""
    return DomainShown.of(ask_for_check(call.account_id, domain, wiring.domain_ports()))


@route(
    domains,
    "POST",
    "/domains/{domain}/keys",
    Nothing,
    Nothing,
    DomainShown,
    status=201,
    problems=(409, 412),
    audit="domain_key_created",
)
def create_domain_key(call: Call[Nothing, Nothing], domain: str) -> DomainShown:
    """Rotate: add a second key, which signs as soon as its record is seen; the old one signs until then."""
    return DomainShown.of(add_key(call.account_id, domain, wiring.domain_ports()))


@route(
    domains,
    "DELETE",
    "/domains/{domain}/keys/{selector}",
    Nothing,
    Nothing,
    DomainShown,
    problems=(409, 412),
    audit="domain_key_deleted",
)
def delete_domain_key(call: Call[Nothing, Nothing], domain: str, selector: str) -> DomainShown:
    """Remove a key; leave its record in DNS for a week, mail on its way is still verified with it."""
    return DomainShown.of(remove_key(call.account_id, domain, selector, wiring.domain_ports()))


@route(domains, "DELETE", "/domains/{domain}", Nothing, Nothing, None, status=204, audit="domain_deleted")
def delete_domain(call: Call[Nothing, Nothing], domain: str) -> None:
    """Delete a domain and its keys; its mail is no longer signed, at the latest half a minute later."""
    wiring.domains().remove(call.account_id, domain)
