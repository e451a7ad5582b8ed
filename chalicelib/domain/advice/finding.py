"""What the advice says: findings with codes for programs and sentences for people."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.line import Security
from chalicelib.domain.mail_providers import AMAZON_SES, Provider, provider_of
from chalicelib.domain.sending_domain import SendingDomain


class Level(StrEnum):
    """How much it matters."""

    MUST = "must"  # the big receivers refuse or hide such mail
    SHOULD = "should"
    INFO = "info"
    OK = "ok"
    UNKNOWN = "unknown"  # it couldn't be checked, which is neither good nor bad


@dataclass(frozen=True, slots=True)
class Record:
    """A DNS record to add, or to put in the place of the one of this name and purpose."""

    type: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is stable; ``text`` says what is and what to do; ``record`` is one to add, if any."""

    code: str
    level: Level
    text: str
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A line as the world sees it. Domains are lower-case A-labels, ``host`` is the SMTP server's name.

    ``host`` and ``security`` None: the line has no SMTP server, SES's API carries its mail and signs.
    ``own`` is the account's domain of From with its keys, None when it has none.
    """

    from_address: str
    from_domain: str
    reply_to_domain: str | None = None
    host: str | None = None
    security: Security | None = None
    own: SendingDomain | None = None

    @property
    def return_path(self) -> str:
        """The domain of MAIL FROM, as we give it: that of From."""
        return self.from_domain

    @property
    def provider(self) -> Provider | None:
        """Who runs the SMTP server, if it is one of the known; SES where there is none."""
        return AMAZON_SES if self.host is None else provider_of(self.host)


def unchecked(code: str, what: str) -> Finding:
    """For answers that nobody gave."""
    text = (
        f"{what} couldn't be checked: DNS gave no usable answer. That says nothing about it; try again later."
    )
    return Finding(code, Level.UNKNOWN, text)
