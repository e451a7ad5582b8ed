"""Domains that look like a slip of the finger on a great mail provider's name."""

PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "icloud.com"),
        *("aol.com", "gmx.de", "gmx.net", "web.de", "orange.fr", "free.fr", "proton.me", "protonmail.com"),
        *("yandex.ru", "yandex.com", "mail.ru", "inbox.ru", "list.ru", "bk.ru", "rambler.ru"),
    }
)
"""The domains that a typo is measured against."""

# One letter away from a provider and real: a person who wrote one of them most likely meant it.
_REAL = frozenset(
    {
        *(
            "mail.com",
            "email.com",
            "gmx.com",
            "gmx.at",
            "gmx.ch",
            "gmx.fr",
            "ymail.com",
            "fmail.com",
            "live.de",
        ),
        *(
            "live.fr",
            "live.nl",
            "live.it",
            "live.ru",
            "outlook.de",
            "outlook.fr",
            "mail.de",
            "mail.ua",
            "mail.by",
        ),
        *(
            "yahoo.co",
            "yandex.kz",
            "yandex.by",
            "yandex.ua",
            "aol.de",
            "aol.fr",
            "me.com",
            "mac.com",
            "list.by",
        ),
        *("inbox.lv", "inbox.lt", "inbox.com", "ok.ru", "vk.ru", "wp.pl", "web.com", "free.de", "icloud.ru"),
    }
)


def likely_meant(domain: str) -> str | None:
    """The provider whose name is one slip away: a letter more, less, another, or two that changed places.

    ``domain`` in lower case; None for a provider's own name and for whatever looks like no slip.
    """
    if domain in PROVIDERS or domain in _REAL:
        return None
    return next((name for name in sorted(PROVIDERS) if _one_slip(domain, name)), None)


def _one_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or len(other) < 6:  # noqa: PLR2004  (short names have many neighbours)
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, wanted = one[start:], other[start:]
    if len(rest) != len(wanted):
        longer, shorter = sorted((rest, wanted), key=len, reverse=True)
        return longer[1:] == shorter
    swapped = rest[1:2] + rest[:1] + rest[2:]
    return rest[1:] == wanted[1:] or swapped == wanted
