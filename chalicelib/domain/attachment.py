"""Attachments: what a file may be called, what it is declared to be, and how it stands in a message.

A file is encoded once, in base64 (RFC 2045, 6.8), when its upload arrives; every message carries those very
bytes. What a line can't carry, its recipients download by a link of their own.
"""

import re
import unicodedata
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from urllib.parse import quote

from chalicelib.domain.delivery import Reason

_MB = 1_000_000
MAX_FILE = 60 * _MB  # bytes of a file as it is uploaded
MOST_IN_A_MESSAGE = 10
MOST_UPLOADS = 50  # of one campaign, those that no content uses among them
MAX_INLINE = 5 * _MB  # bytes of an image within the text, which always travels with the message
MOST_CARRIED = 120 * _MB  # bytes of a message: one file of the greatest size, and some more
CARRIED_UNASKED = 25 * _MB  # bytes that a server gets which doesn't say what it takes (RFC 1870)
ROOM_FOR_THE_REST = 100_000  # bytes kept free for header, signature and the recipient's own values
AVAILABLE = timedelta(days=30)  # how long after it was sent a message's links lead to its files

NAME_LIMIT = 150  # characters
_PARAMETER_LINE = 50  # characters of an encoded file name on one line of the header
_BYTES_A_LINE = 57  # make 76 characters (RFC 2045, 6.8)
_BLOCK = _BYTES_A_LINE * 1024
_BOUNDARY = 40  # bytes, at most, of the line before a part

_PATH = re.compile(r"[\\/]")
_RESERVED = re.compile(r'[<>:"|?*]')  # in the file names of Windows
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]+").fullmatch
_CONTENT_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,58}[A-Za-z0-9])?").fullmatch
_CID = re.compile(r"\bcid:([A-Za-z0-9._@-]{1,100})", re.IGNORECASE)
_CONTENT_ID_DOMAIN = "inline.postline"

# The big mailbox providers refuse a whole message for one of these (support.google.com/mail/answer/6590).
PROGRAMS = frozenset(
    (
        *("ade", "adp", "apk", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "dll"),
        *("dmg", "ex", "exe", "hta", "ins", "iso", "isp", "jar", "js", "jse", "lib", "lnk", "mde", "msc"),
        *("msi", "msix", "msp", "mst", "nsh", "pif", "ps1", "scr", "sct", "shb", "sys", "vb", "vbe"),
        *("vbs", "vhd", "vxd", "wsc", "wsf", "wsh", "xll"),
    )
)
_OFFICE, _OPEN = "application/vnd.openxmlformats-officedocument", "application/vnd.oasis.opendocument"
_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ods": f"{_OPEN}.spreadsheet",
    "odt": f"{_OPEN}.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
_ANY_TYPE = "application/octet-stream"
_ZIP = (b"PK\x03\x04",)
_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    **dict.fromkeys(("jpg", "jpeg"), (b"\xff\xd8\xff",)),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
    **dict.fromkeys(("docx", "xlsx", "pptx", "odt", "ods", "zip"), _ZIP),
}
"""What files with these endings begin with. Endings that programs use freely are not among them."""
_PROGRAM_BEGINNINGS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
LOOKED_AT = 1024  # bytes: a PDF's mark may stand anywhere in them (ISO 32000-1, annex H, 3.4.1)

UPLOAD_LIES = Reason("file_type_mismatch", "The file is not what the ending of its name says.")
UPLOAD_IS_A_PROGRAM = Reason(
    "file_type_blocked", "The file is a program: mailbox providers refuse such mail."
)
UPLOAD_TOO_LARGE = Reason("file_too_large", f"A file has at most {MAX_FILE // _MB} MB.")
INLINE_TOO_LARGE = Reason(
    "inline_image_too_large", f"An image within the text has at most {MAX_INLINE // _MB} MB."
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is ready to be sent. ``size`` counts its bytes, ``digest`` is its SHA-256 in hex.

    ``content_id`` is set for an image that the HTML shows as ``cid:<content_id>`` (RFC 2392).
    """

    attachment_id: str
    file_name: str
    media_type: str
    size: int
    digest: str
    content_id: str | None = None

    @property
    def encoded_size(self) -> int:
        """Bytes of the file as the message has it: lines of base64, each ended by CRLF."""
        lines, rest = divmod(self.size, _BYTES_A_LINE)
        return lines * 78 + (rest + 2) // 3 * 4 + (2 if rest else 0)


class UploadState(StrEnum):
    """How far an attachment's upload is."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class Keeping(StrEnum):
    """What became of the wish to keep a file that is prepared."""

    KEPT = "kept"
    UNWANTED = "unwanted"  # nobody waits for it (any more)
    NO_ROOM = "no_room"  # the account's files would have more bytes than they may


@dataclass(frozen=True, slots=True)
class AttachmentUpload:
    """A file that is to be uploaded, and what became of it. ``used``: it is part of some content version."""

    attachment_id: str
    campaign_id: str
    file_name: str
    content_id: str | None
    asked_at: datetime
    state: UploadState = UploadState.WAITING
    size: int = 0
    digest: str = ""
    used: bool = False
    reason: Reason | None = None

    @property
    def attachment(self) -> Attachment:
        """The file as a content has it, once it is ready."""
        kind = media_type(self.file_name)
        return Attachment(self.attachment_id, self.file_name, kind, self.size, self.digest, self.content_id)


def safe_name(text: str) -> str:
    """A file name as recipients see it: the last part of a path, of any letters; "" if nothing is left."""
    name = _RESERVED.sub("_", _PATH.split(unicodedata.normalize("NFC", text))[-1])
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C" or letter.isspace())
    name = " ".join(name.split()).strip(" .")
    if len(name) <= NAME_LIMIT:
        return name
    stem, dot, ending = name.rpartition(".")
    kept = NAME_LIMIT - len(dot + ending)
    return f"{stem[:kept]}{dot}{ending}" if dot and kept > 0 else name[:NAME_LIMIT]


def ending_of(file_name: str) -> str:
    """What stands after the last dot, in lower case; "" without one."""
    return file_name.rpartition(".")[2].lower() if "." in file_name else ""


def media_type(file_name: str) -> str:
    """What the file is declared as: by its name, which the upload was checked against."""
    return _TYPES.get(ending_of(file_name), _ANY_TYPE)


def is_content_id(text: str) -> bool:
    """Whether HTML can name an image so: 1 to 60 letters, digits, and inside of it ``.``, ``_`` and ``-``."""
    return _CONTENT_ID(text) is not None


def refusal_of(upload: AttachmentUpload, size: int, beginning: bytes) -> Reason | None:
    """Why an uploaded file can't be sent; None when it can. ``beginning``: its first LOOKED_AT bytes."""
    ending = ending_of(upload.file_name)
    if size > MAX_FILE:
        return UPLOAD_TOO_LARGE
    if upload.content_id and size > MAX_INLINE:
        return INLINE_TOO_LARGE
    is_program = beginning.startswith(_PROGRAM_BEGINNINGS) and b"\0" in beginning  # a text may begin with MZ
    if is_program:
        return UPLOAD_IS_A_PROGRAM
    return None if _keeps_its_word(ending, beginning) else UPLOAD_LIES


def _keeps_its_word(ending: str, beginning: bytes) -> bool:
    wanted = _BEGINNINGS.get(ending, (b"",))
    return beginning.startswith(wanted) or (ending == "pdf" and wanted[0] in beginning)


def encoded(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A file in base64: lines of 76 characters, CRLF; none of them begins with a dot."""
    held = b""
    for block in blocks:
        held += block
        ready = len(held) - len(held) % _BLOCK
        for start in range(0, ready, _BLOCK):
            yield _lines(held[start : start + _BLOCK])
        held = held[ready:]
    if held:
        yield _lines(held)


def _lines(raw: bytes) -> bytes:
    return b"".join(
        b2a_base64(raw[start : start + _BYTES_A_LINE], newline=False) + b"\r\n"
        for start in range(0, len(raw), _BYTES_A_LINE)
    )


def part_header(attachment: Attachment) -> bytes:
    """The header of the file's part of the message, with the empty line (RFC 2045, RFC 2183)."""
    inline = attachment.content_id is not None
    content_id = f"Content-ID: <{attachment.content_id}@{_CONTENT_ID_DOMAIN}>\r\n" if inline else ""
    disposition = "inline" if inline else "attachment"
    fold = " " if len(attachment.media_type) <= _PARAMETER_LINE else "\r\n "
    return (
        f"Content-Type:{fold}{attachment.media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"{content_id}"
        f"Content-Disposition: {disposition};\r\n {_name_parameter(attachment.file_name)}\r\n"
        "\r\n"
    ).encode("ascii")


def _name_parameter(name: str) -> str:
    """``filename``, cut into sections where it is long or has letters beyond ASCII (RFC 2231, 3 and 4)."""
    if _PLAIN_NAME(name) and len(name) <= _PARAMETER_LINE:
        return f'filename="{name}"'
    sections = [""]
    for letter in name:
        written = quote(letter, safe="")
        if len(sections[-1]) + len(written) > _PARAMETER_LINE:
            sections.append("")
        sections[-1] += written
    if len(sections) == 1:
        return f"filename*=UTF-8''{sections[0]}"
    first, *others = sections
    more = (f"filename*{number}*={section}" for number, section in enumerate(others, start=1))
    return ";\r\n ".join((f"filename*0*=UTF-8''{first}", *more))


def with_content_ids(html: str, attachments: Iterable[Attachment]) -> str:
    """The HTML with each image of ours called as its part is (RFC 2392): ``cid:logo`` gets a domain."""
    ours = {attachment.content_id for attachment in attachments if attachment.content_id}

    def whole(found: re.Match[str]) -> str:
        return f"{found[0]}@{_CONTENT_ID_DOMAIN}" if found[1] in ours else found[0]

    return _CID.sub(whole, html) if ours else html


def with_image_urls(html: str, urls: Mapping[str, str]) -> str:
    """The HTML of a message with its own images at these URLs, by content id, for who has no parts of it."""

    def url(found: re.Match[str]) -> str:
        name, _, domain = found[1].partition("@")
        return escape(urls[name]) if domain == _CONTENT_ID_DOMAIN and name in urls else found[0]

    return _CID.sub(url, html) if urls else html


def content_ids_in(html: str) -> list[str]:
    """The images that the HTML shows by ``cid:``, each once, in their order."""
    return list(dict.fromkeys(found[1] for found in _CID.finditer(html)))


def divided(
    attachments: Iterable[Attachment], room: int
) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """Those that fit into so many bytes, and those that don't, both in their order.

    Images within the text always travel, and the others in the order in which the author put them, as far as
    there is room.
    """
    files = tuple(attachments)
    room -= sum(_needed(file) for file in files if file.content_id)
    left: list[Attachment] = []
    for file in files:
        if file.content_id:
            continue
        if _needed(file) <= room:
            room -= _needed(file)
        else:
            left.append(file)
    return tuple(file for file in files if file not in left), tuple(left)


def _needed(file: Attachment) -> int:
    return file.encoded_size + len(part_header(file)) + _BOUNDARY


def shown_size(size: int) -> str:
    """Bytes for people: ``60.0 MB``, ``12 KB``."""
    return f"{size / _MB:.1f} MB" if size >= _MB else f"{max(1, round(size / 1000))} KB"
