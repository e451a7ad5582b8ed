"""Providers of SMTP servers that many lines use, and free-mail domains: what is known of them beforehand.

Sources are the providers' help pages. A provider that is not here is treated as the customer's own server.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """``hosts`` are names of its servers or what they end with; ``spf`` is what a domain's SPF includes.

    ``own_return_path``: bounces go to a domain of the provider, whatever MAIL FROM said, so that SPF passes
    for that domain and not for the customer's. ``replaces`` names header fields it writes anew.
    """

    name: str
    hosts: tuple[str, ...]
    spf: str
    own_return_path: bool = False
    replaces: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()

    def runs(self, host: str) -> bool:
        """Whether a server of this name is the provider's."""
        return any(host == own or (own.startswith(".") and host.endswith(own)) for own in self.hosts)


# https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html: SES replaces
# Message-ID and Date after a customer has signed.
_SES_REPLACES = frozenset({"message-id", "date"})

AMAZON_SES = Provider("Amazon SES", (".amazonaws.com",), "amazonses.com", True, _SES_REPLACES)

PROVIDERS = (
    AMAZON_SES,
    Provider(
        "Google",
        ("smtp.gmail.com", "smtp-relay.gmail.com"),
        "_spf.google.com",
        mailboxes=frozenset({"gmail.com", "googlemail.com"}),
    ),
    Provider(
        "Yandex",
        ("smtp.yandex.ru", "smtp.yandex.com"),
        "_spf.yandex.net",
        mailboxes=frozenset({"yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "ya.ru"}),
    ),
    Provider(
        "Mail.ru",
        ("smtp.mail.ru",),
        "_spf.mail.ru",
        mailboxes=frozenset({"mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"}),
    ),
    Provider(
        "Microsoft",
        ("smtp.office365.com", "smtp-mail.outlook.com"),
        "spf.protection.outlook.com",
        mailboxes=frozenset({"outlook.com", "hotmail.com", "live.com", "msn.com"}),
    ),
    Provider(
        "Yahoo",
        ("smtp.mail.yahoo.com",),
        "_spf.mail.yahoo.com",
        mailboxes=frozenset({"yahoo.com", "ymail.com", "aol.com"}),
    ),
    Provider(
        "Apple",
        ("smtp.mail.me.com",),
        "icloud.com",
        mailboxes=frozenset({"icloud.com", "me.com", "mac.com"}),
    ),
    Provider("SendGrid", ("smtp.sendgrid.net",), "sendgrid.net", own_return_path=True),
    Provider("Mailgun", ("smtp.mailgun.org", "smtp.eu.mailgun.org"), "mailgun.org"),
    Provider("Mailjet", ("in-v3.mailjet.com",), "spf.mailjet.com", own_return_path=True),
    Provider("Postmark", ("smtp.postmarkapp.com",), "spf.mtasv.net", own_return_path=True),
    Provider("Fastmail", ("smtp.fastmail.com",), "spf.messagingengine.com"),
)

_OTHER_FREE_MAIL = frozenset({"gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "rambler.ru"})
FREE_MAIL = _OTHER_FREE_MAIL.union(*(provider.mailboxes for provider in PROVIDERS))
"""Domains where anybody gets a mailbox; their owners tell the world whose servers may write for them."""


def provider_of(host: str | None) -> Provider | None:
    """The provider of an SMTP server, by its name; None for one that isn't known."""
    return next((p for p in PROVIDERS if host is not None and p.runs(host.lower())), None)


def replaced_by(host: str) -> frozenset[str]:
    """Header fields, in lower case, that a server writes anew: a signature over them would break."""
    provider = provider_of(host)
    return provider.replaces if provider else frozenset()
