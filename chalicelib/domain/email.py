"""One content and one sender, compiled once; then a message per person for the price of joining bytes.

The message is multipart/alternative (RFC 2046, 5.1.4) of a text and an HTML part, both UTF-8 in
quoted-printable: ASCII lines of at most 76 characters (``encoded_body``). Images that the HTML shows stand
beside it in multipart/related (RFC 2387), other files after it in multipart/mixed; what the line can't carry
is a link in both texts.

The encoded parts decode to exactly what ``email.message.EmailMessage`` would make of the same texts: line
breaks are ``\\n``, and a text ends with one (it is added to a template that doesn't).
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from chalicelib.domain.attachment import (
    MOST_CARRIED,
    ROOM_FOR_THE_REST,
    Attachment,
    content_ids_in,
    divided,
    part_header,
    with_content_ids,
)
from chalicelib.domain.contact import Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import Draw, first_option
from chalicelib.domain.delivery import Scope
from chalicelib.domain.derived_text import NotDerivedError, derived
from chalicelib.domain.encoded_body import EncodedBody, encoded_body
from chalicelib.domain.header import (
    CannotComposeError,
    ExtraHeaders,
    checked_message_id,
    date_text,
    extra_fields,
    mailbox_field,
    needs_smtputf8,
    subject_field,
    wire_address,
)
from chalicelib.domain.html_places import placed
from chalicelib.domain.message_links import LinkUse, list_fields, with_downloads, with_footer, with_pixel
from chalicelib.domain.personalization import (
    NO_LINKS,
    Link,
    Links,
    Literal,
    Template,
    Vocabulary,
    one_line,
    parse,
    pieces_of,
    render,
    render_subject,
)
from chalicelib.domain.template_error import TemplateSyntaxError

SUBJECT_LIMIT = 998  # characters, after rendering
FROM_NAME_LIMIT = 255  # characters
BODY_LIMIT = 1_000_000  # characters of HTML or of text as typed; mail readers clip at a tenth of it
VARIABLES_LIMIT = 200  # uses in one subject or body: bounds what long values can make of it

# "=_" can't occur in quoted-printable (RFC 2045, 6.7), so no boundary needs a search through the bodies.
_ALTERNATIVE, _RELATED, _MIXED = "=_alternative", "=_related", "=_mixed"
_TYPE_OF_TEXTS = f'Content-Type: multipart/alternative; boundary="{_ALTERNATIVE}"\r\n'
_TYPE_WITH_IMAGES = f'Content-Type: multipart/related; type="text/html"; boundary="{_RELATED}"\r\n'
_TYPE_WITH_FILES = f'Content-Type: multipart/mixed; boundary="{_MIXED}"\r\n'
_TEXT = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_LINE_BREAK = re.compile("\r\n?")
_SURROGATE = re.compile("[\ud800-\udfff]")

SUBJECT, HTML, TEXT = "subject", "html", "text"
PREVIEW_LINKS = Links(unsubscribe="about:blank", open="about:blank", download="about:blank#")


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """Who writes, and where answers go; ``reply_to`` None: to the sender."""

    from_name: str
    from_address: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one person will read, decoded, for a preview: line breaks are ``\\n``."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """A message in pieces. Made by ``compile_message``; holds no state of the people it is rendered for.

    ``end`` is what follows the texts, the same for everybody: bytes, and files that stand there encoded.
    ``linked`` are the files that don't travel with it.
    """

    subject: Template
    text: Template
    html: Template
    sender_fields: str
    extra_headers: ExtraHeaders
    body: EncodedBody
    link_use: LinkUse
    type_field: str = _TYPE_OF_TEXTS
    end: tuple[bytes | Attachment, ...] = ()
    linked: tuple[Attachment, ...] = ()

    def render(
        self,
        person: Person,
        message_id: str,
        date: datetime,
        links: Links = NO_LINKS,
        draw: Draw = first_option,
        *,
        extra_headers: ExtraHeaders = (),
        recipient: str | None = None,
        smtputf8: bool = False,
    ) -> bytes:
        """The message for one person, ready for DATA but for dot-stuffing: CRLF lines, all of them ASCII.

        It is whole where there is no ``end``; else that follows, and is not repeated for each person.

        ``date`` is aware; ``draw`` picks the options of custom variables; ``extra_headers`` follow those of
        all recipients; ``recipient`` stands in To instead of the person's address. An address with a local
        part beyond ASCII has no ASCII form: with ``smtputf8`` (the server offers it, RFC 6531) it stands in
        To as UTF-8 (RFC 6532), without, CannotComposeError says so. It is raised too for an address that is
        none, and a subject that came out too long. ValueError: a message id, a date or extra headers that we
        made wrong, or no link where the message was compiled to have one.
        """
        if self.link_use.download and not links.download:
            raise ValueError("a message with files that don't travel with it needs its download link")
        to = wire_address(recipient or person.email, Scope.CONTACT)
        header = self._header(to, person, message_id, date, links, draw, extra_headers, smtputf8=smtputf8)
        return self.body.fill(person, links, draw, {}, header)

    def preview(self, person: Person, links: Links = PREVIEW_LINKS, draw: Draw = first_option) -> Rendered:
        """What ``render`` encodes for this person, readable, with links that do nothing."""
        return Rendered(
            render_subject(self.subject, person, draw),
            render(self.html, person, links, draw),
            render(self.text, person, links, draw),
        )

    def estimate_size(self) -> int:
        """Bytes without header and values: no message is smaller (for RFC 1870 SIZE, before launch)."""
        return self.body.least_size() + sum(
            len(piece) if isinstance(piece, bytes) else piece.encoded_size for piece in self.end
        )

    def _header(
        self,
        recipient: str,
        person: Person,
        message_id: str,
        date: datetime,
        links: Links,
        draw: Draw,
        more: ExtraHeaders,
        *,
        smtputf8: bool,
    ) -> bytes:
        if not smtputf8 and needs_smtputf8(recipient):
            raise CannotComposeError(
                "smtputf8_needed",
                "The address has letters before the @ that this line's server cannot carry.",
                Scope.CONTACT,
            )
        subject = render_subject(self.subject, person, draw)
        if len(subject) > SUBJECT_LIMIT:
            raise CannotComposeError(
                "subject_too_long",
                f"With this contact's values the subject has more than {SUBJECT_LIMIT} characters.",
                Scope.CONTACT,
            )
        extra = self.extra_headers + more
        return (
            f"Date: {date_text(date)}\r\n{self.sender_fields}To: {recipient}\r\n{subject_field(subject)}"
            f"Message-ID: {checked_message_id(message_id)}\r\n{extra_fields(extra) if extra else ''}"
            f"{list_fields(links) if self.link_use.unsubscribe else ''}"
            f"MIME-Version: 1.0\r\n{self.type_field}\r\n"
        ).encode()


def compile_message(
    content: Content,
    sender: SenderIdentity,
    extra_headers: ExtraHeaders = (),
    link_use: LinkUse = LinkUse(),  # noqa: B008 - a frozen value
    columns: tuple[str, ...] = (),
    capacity: int = MOST_CARRIED,
) -> CompiledMessage:
    """Parse, derive and encode all that is the same for every recipient.

    ``columns`` names the further columns that the campaign's contacts have, ``capacity`` is how many bytes
    the line's channel takes: files beyond that become links. Raises CannotComposeError (scope
    content: too long, too many variables, Jinja2 that can't be, a variable where
    none can stand; scope line: the sender's name or an address of it), and
    ValueError for extra headers that ``header.extra_fields`` doesn't let through.
    """
    _check_limits(content)
    extra_fields(extra_headers)
    vocabulary = Vocabulary(content.variables, columns)
    files = _files(content)
    html = _template(with_content_ids(content.html, files), vocabulary, HTML)
    text = _derived(html) if content.text is None else _template(content.text, vocabulary, TEXT)
    subject = _subject(content.subject, vocabulary)
    carried, linked = _divided(files, text, html, capacity)
    if linked:
        text, html = with_downloads(text, html, linked)
    if link_use.unsubscribe:
        text, html = with_footer(text, html)
    if link_use.pixel:
        html = with_pixel(html)
    return CompiledMessage(
        subject,
        text,
        html,
        _sender_fields(sender),
        extra_headers,
        _body(text, html, carried),
        replace(link_use, download=bool(linked)),
        _TYPE_WITH_FILES if _beside(carried) else _TYPE_OF_TEXTS,
        _end(carried) if carried else (),
        linked,
    )


def _check_limits(content: Content) -> None:
    if max(len(content.html), len(content.text or "")) > BODY_LIMIT:
        raise CannotComposeError(
            "body_too_long", f"The message has more than {BODY_LIMIT:,} characters.", Scope.CONTENT
        )
    if len(content.subject) > SUBJECT_LIMIT:
        raise CannotComposeError(
            "subject_too_long", f"The subject has more than {SUBJECT_LIMIT} characters.", Scope.CONTENT
        )


def _template(source: str, vocabulary: Vocabulary, part: str) -> Template:
    source = _SURROGATE.sub("\ufffd", _LINE_BREAK.sub("\n", source))
    return _parsed(source if source.endswith("\n") else f"{source}\n", vocabulary, part)


def _derived(html: Template) -> Template:
    try:
        return derived(html)
    except NotDerivedError as error:
        reason = (
            "No text part could be derived from the HTML: a condition begins or ends within what nobody"
            " reads, such as a comment or a style. Write the text part, or put all of it on one side."
        )
        raise CannotComposeError("text_not_derived", reason, Scope.CONTENT) from error


def _subject(source: str, vocabulary: Vocabulary) -> Template:
    template = _parsed(source, vocabulary, SUBJECT)
    if any(isinstance(piece, Link) for piece in pieces_of(template)):
        raise CannotComposeError(
            "subject_with_link", "The unsubscribe link can't stand in the subject.", Scope.CONTENT
        )
    return template


def _parsed(source: str, vocabulary: Vocabulary, part: str) -> Template:
    try:
        template = _pieces(source, vocabulary, part)
        if sum(not isinstance(piece, Literal) for piece in pieces_of(template)) > VARIABLES_LIMIT:
            raise CannotComposeError(
                "too_many_variables", f"More than {VARIABLES_LIMIT} variables in one text.", Scope.CONTENT
            )
        return placed(template, source) if part == HTML else template
    except TemplateSyntaxError as error:
        raise CannotComposeError(f"{part}_{error.code}", str(error), Scope.CONTENT) from error


def _pieces(source: str, vocabulary: Vocabulary, part: str) -> Template:
    if "{{" not in source and "{%" not in source:
        return parse(source, vocabulary)
    from chalicelib.domain import jinja_syntax  # noqa: PLC0415 - few messages have Jinja2 in them, and it is big

    return jinja_syntax.parse_jinja(source, vocabulary, is_html=part == HTML)


def _sender_fields(sender: SenderIdentity) -> str:
    if one_line(sender.from_name) != sender.from_name or len(sender.from_name) > FROM_NAME_LIMIT:
        raise CannotComposeError(
            "from_name_invalid",
            f"The sender's name must be one line of at most {FROM_NAME_LIMIT} printable characters.",
            Scope.LINE,
        )
    fields = mailbox_field("From", sender.from_name, _own_address(sender.from_address))
    if sender.reply_to is None:
        return fields
    return fields + mailbox_field("Reply-To", "", _own_address(sender.reply_to))


def _own_address(address: str) -> str:
    if needs_smtputf8(address):
        raise CannotComposeError(
            "sender_address_not_ascii", "A sender's address must be ASCII before the @.", Scope.LINE
        )
    return wire_address(address, Scope.LINE)


def _files(content: Content) -> tuple[Attachment, ...]:
    """The content's files. An image that the HTML doesn't show is a file like any other."""
    if not content.attachments:
        return ()
    shown = content_ids_in(content.html)
    return tuple(
        file if file.content_id in shown else replace(file, content_id=None) for file in content.attachments
    )


def _divided(
    files: tuple[Attachment, ...], text: Template, html: Template, capacity: int
) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """What travels with the message, and what doesn't fit."""
    if not files:
        return (), ()
    texts = _body(text, html, ()).least_size() + ROOM_FOR_THE_REST
    return divided(files, min(capacity, MOST_CARRIED) - texts)


def _within(files: tuple[Attachment, ...]) -> list[Attachment]:
    return [file for file in files if file.content_id is not None]


def _beside(files: tuple[Attachment, ...]) -> list[Attachment]:
    return [file for file in files if file.content_id is None]


def _body(text: Template, html: Template, files: tuple[Attachment, ...]) -> EncodedBody:
    """The two texts, up to the line where the files begin or, without any, to the end of the message."""
    begin = f"--{_MIXED}\r\n{_TYPE_OF_TEXTS}\r\n" if _beside(files) else ""
    related = f"{_TYPE_WITH_IMAGES}\r\n--{_RELATED}\r\n" if _within(files) else ""
    before_text = f"{begin}--{_ALTERNATIVE}\r\n{_TEXT.format('plain')}"
    before_html = f"--{_ALTERNATIVE}\r\n{related}{_TEXT.format('html')}"
    end = "\r\n" if files else f"\r\n--{_ALTERNATIVE}--\r\n"
    return encoded_body(
        [
            (before_text.encode(), text, b"\r\n"),
            (before_html.encode(), html, end.encode()),
        ]
    )


def _end(files: tuple[Attachment, ...]) -> tuple[bytes | Attachment, ...]:
    """The parts of the files, and what closes each multipart. A file's last line ends before a boundary."""
    images, others = _within(files), _beside(files)
    pieces: list[bytes | Attachment] = list(chain.from_iterable(_part(_RELATED, file) for file in images))
    closing = (f"--{_RELATED}--\r\n" if images else "") + f"--{_ALTERNATIVE}--\r\n"
    pieces.append(closing.encode())
    if others:
        pieces += chain.from_iterable(_part(_MIXED, file) for file in others)
        pieces.append(f"--{_MIXED}--\r\n".encode())
    return tuple(pieces)


def _part(boundary: str, file: Attachment) -> tuple[bytes, Attachment]:
    return f"--{boundary}\r\n".encode() + part_header(file), file
