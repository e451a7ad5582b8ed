"""Bounces in words: what servers write that send no report for machines (Exim, qmail, Domino, …).

A text of theirs has an opening that says what happened, an address, and mostly the receiving server's reply.
The openings are listed here; a text without one is no bounce.
"""

import re
from dataclasses import dataclass

from chalicelib.domain.bounce_status import address_in
from chalicelib.domain.bounce_verdict import Verdict, delayed, failed
from chalicelib.domain.mime_reading import Part, readable
from chalicelib.domain.references import unescape

LOOKED_AT = 20_000  # characters of the text
REPLY = 1_500  # characters after the address in which the reason stands

_FAILED = re.compile(
    r"(could|can|was|were|has|have|did|do|is|are)( ?n[o'’]t| not)( be| been)? (be(en)? )?"
    r"(deliver|reach|sent|process)"
    r"|(wasn['’]t|was not|un)able to deliver|undeliver(able|ed)|failed permanently"
    r"|permanent(ly)? (fatal )?error"
    r"|delivery (to|has|of).{0,80}fail|fail(ed|ure).{0,40}deliver|delivery (failure|problems)"
    r"|returned (mail|to sender)"
    r"|did not reach|following address(\(?es\)?)? (had|failed|has)|not (been )?delivered to"
    r"|не (может|могло|удалось|было|доставлено).{0,60}достав|недостав|не доставлено|нельзя доставить"
    r"|(nicht|konnte).{0,80}(zugestellt|zustellen|ausgeliefert)|unzustellbar"
    r"|n['’]a (pas )?pu être (remis|livr|distribu)|échec.{0,20}(remise|distribution)"
    r"|no (se )?(ha )?p[ou]d[oi].{0,40}(entreg|envi)|no pudo ser entregado"
    r"|impossibile (consegnare|recapitare)"
    r"|não (foi|pôde).{0,40}entreg|nie (można|udało).{0,40}dostarcz"
    r"|退信|无法(投递|送达|发送)|未能送达|配信できません|配信不能|お届けできません",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"has not (yet )?been delivered.{0,120}(after|for|yet)|delayed|still being (retried|tried)"
    r"|will (continue|keep) (to )?(be )?(try|retry|tried)"
    r"|no action is required on your part|do(es)? not need to resend"
    r"|warning message only"
    r"|wird weiter versucht|попытки.{0,30}(продолж|будут)|задерж",
    re.IGNORECASE,
)
_QUOTED_BELOW = re.compile(
    r"^[ \t>]*(-+ ?(Below this line|This is a copy|Original message|Forwarded message|"
    r"The header|Message header|Unsent Message|Your original|Returned message|Header"
    r"|Исходное сообщение|Текст письма)"
    r"|The (original message|headers? of the)|Received: (from|by) |Return-Path: <"
    r"|Message headers? follow|X-[a-z-]{1,60}: )",
    re.IGNORECASE | re.MULTILINE,
)
_IN_ANGLES = re.compile(r"<([^\s<>@\"]{1,128}@[^\s<>@\"]{1,255})>(?=[^\n]{0,40}(:|\n|\Z|\())")
_ON_A_LINE = re.compile(
    r"^[ \t]*(?:(?:to|an|recipient|кому|адрес)[ \t]*:[ \t]*)?['\"]?(?:SMTP:)?"
    r"([^\s<>@\"':;,]{1,128}@[^\s<>@\"':;,]{1,255})",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*[>|].*$", re.MULTILINE)
_COMMAND = re.compile(r"^[ \t]*>>>.*$", re.MULTILINE)  # Sendmail's transcript: what was said to the server
_TAG = re.compile(r"<(?!/?[^\s<>@]{1,128}@)/?[a-z!][^<>]{0,400}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """What a text tells."""

    delayed: bool
    recipient: str | None
    verdict: Verdict


def read(message: Part) -> Told | None:
    """The bounce that a mail server put in words; None when the text doesn't say that anything failed."""
    text = _own_words(message)
    opening = f"{readable(message.first('subject'))}\n{text[:3_000]}"
    late = _DELAYED.search(opening) is not None
    if not late and not _FAILED.search(opening):
        return None
    recipient, said = _recipient(message, text)
    if recipient is None:
        return None
    return Told(late, recipient, (delayed if late else failed)(None, said, recipient))


def _own_words(message: Part) -> str:
    """The text up to the message that came back, without what it quotes."""
    parts = [part for part in message.walk() if part.content_type.startswith("text/")]
    plain = [part.text for part in parts if part.content_type == "text/plain"]
    html = [
        unescape(_TAG.sub("\n", part.text[: 4 * LOOKED_AT]))
        for part in parts
        if part.content_type == "text/html"
    ]
    text = next((one for one in (*plain, *html) if one.strip()), "")[:LOOKED_AT]
    text = text.replace("\r\n", "\n")
    below = _QUOTED_BELOW.search(text)
    text = text[: below.start()] if below and below.start() else text
    return _QUOTED_LINE.sub("", _COMMAND.sub("", text))


def _recipient(message: Part, text: str) -> tuple[str | None, str]:
    """The address that failed, and what is said of it."""
    named = address_in(message.first("x-failed-recipients"))
    if named is not None:
        place = text.lower().find(named.lower())
        return named, _after(text, place + len(named)) if place >= 0 else text[:REPLY]
    found = _IN_ANGLES.search(text) or _ON_A_LINE.search(text)
    if found is None:
        return None, ""
    return address_in(found[1]), _after(text, found.end())


def _after(text: str, place: int) -> str:
    return text[place : place + REPLY].lstrip(">:)'\" \t\n")
