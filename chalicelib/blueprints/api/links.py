"""What recipients reach by the links in a message: the unsubscribe page, the opening picture, and files.

Reading does nothing, whatever reads, and shows the same for every token, one that isn't ours too. Only a POST
unsubscribes (RFC 8058), and it is answered as done only when it is. The links of a test message are nobody's:
they say so.
"""

from base64 import b64decode, b64encode
from typing import Any

from chalice import Blueprint
from chalice.app import Response

from chalicelib import wiring
from chalicelib.blueprints.api.headers import EVERYWHERE, Headers
from chalicelib.blueprints.api.routing import Visit, public_route
from chalicelib.domain.accept_language import language_for
from chalicelib.domain.link_pages import STYLE_SOURCE, LinkPage, page
from chalicelib.domain.message_links import OF_A_TEST
from chalicelib.flow.download import Download, NoDownload, find_download, note_download
from chalicelib.flow.follow_link import open_message, unsubscribe
from chalicelib.observability import log

links = Blueprint(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")  # GIF89a, 1 x 1, clear
_PAGE, _PICTURE = "text/html; charset=utf-8", "image/gif"
_COMMON: Headers = {
    **EVERYWHERE,
    "Cache-Control": "no-store, no-cache, private, max-age=0",
    "X-Robots-Tag": "noindex, nofollow",
}
_POLICY = (
    f"default-src 'none'; style-src {STYLE_SOURCE}; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_STATUS = {
    LinkPage.NOTHING_TO_UNSUBSCRIBE: 404,
    LinkPage.NO_FILE: 404,
    LinkPage.FILE_EXPIRED: 410,
    LinkPage.UNSUBSCRIBE_FAILED: 503,
    LinkPage.FILE_FAILED: 503,
}
_NO_DOWNLOAD = {NoDownload.UNKNOWN: LinkPage.NO_FILE, NoDownload.EXPIRED: LinkPage.FILE_EXPIRED}
_REPEAT_AFTER = "60"  # seconds


class _Bytes(Response):
    """An answer of bytes. The gateway decodes it for every client: its template says so."""

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002
        made: dict[str, Any] = super().to_dict([])
        return {**made, "isBase64Encoded": True}


def _picture(_: Visit) -> Response:
    headers = {**_COMMON, "Content-Type": _PICTURE, "Cross-Origin-Resource-Policy": "cross-origin"}
    return _Bytes(body=b64encode(PIXEL).decode("ascii"), status_code=200, headers=headers)


def _page(which: LinkPage, visit: Visit) -> Response:
    language = language_for(visit.languages)
    headers = {
        **_COMMON,
        "Content-Type": _PAGE,
        "Content-Language": str(language),
        "Vary": "Accept-Language",
        "Content-Security-Policy": _POLICY,
    }
    if which in (LinkPage.UNSUBSCRIBE_FAILED, LinkPage.FILE_FAILED):
        headers["Retry-After"] = _REPEAT_AFTER
    return Response(body=page(which, language), status_code=_STATUS.get(which, 200), headers=headers)


def _ask(visit: Visit, token: str = "") -> Response:
    return _page(LinkPage.UNSUBSCRIBE_OF_TEST if token == OF_A_TEST else LinkPage.ASK_TO_UNSUBSCRIBE, visit)


def _failed(visit: Visit) -> Response:
    return _page(LinkPage.UNSUBSCRIBE_FAILED, visit)


def _no_file(visit: Visit) -> Response:
    return _page(LinkPage.FILE_FAILED, visit)


@public_route(links, "GET", "/u/{token}", "text/html", _ask)
def show_unsubscribe_page(visit: Visit, token: str) -> Response:
    """Show the page that asks whether to unsubscribe; it does nothing."""
    return _ask(visit, token)


@public_route(links, "HEAD", "/u/{token}", "text/html", _ask)
def check_unsubscribe_page(visit: Visit, token: str) -> Response:
    """Tell that there is a page, for programs that check links; it does nothing."""
    return _ask(visit, token)


@public_route(links, "POST", "/u/{token}", "text/html", _failed, problems=(404, 503))
def unsubscribe_recipient(visit: Visit, token: str) -> Response:
    """Unsubscribe, for the page's button and for mail providers (RFC 8058): at once, any number of times."""
    if token == OF_A_TEST:
        return _ask(visit, token)
    done = unsubscribe(token, wiring.link_ports())
    log("unsubscribe_asked", done=str(done).lower())
    return _page(LinkPage.UNSUBSCRIBED if done else LinkPage.NOTHING_TO_UNSUBSCRIBE, visit)


@public_route(links, "GET", "/o/{token}", "image/gif", _picture)
def show_pixel(visit: Visit, token: str) -> Response:
    """Show a picture of one clear pixel, and note that the message was opened."""
    open_message(token, wiring.judge_opener(visit.user_agent, visit.source_ip), wiring.link_ports())
    return _picture(visit)


@public_route(links, "HEAD", "/o/{token}", "image/gif", _picture)
def check_pixel(visit: Visit, token: str) -> Response:  # noqa: ARG001
    """Tell that there is a picture; nobody sees it by that, so nothing is noted."""
    return _picture(visit)


@public_route(
    links, "GET", "/d/{token}/{attachment_id}", "text/html", _no_file, problems=(302, 404, 410, 503)
)
def download_attachment(visit: Visit, token: str, attachment_id: str) -> Response:
    """Lead to an attachment that was too large for the message, and note that it was downloaded."""
    if token == OF_A_TEST:
        return _page(LinkPage.FILE_OF_TEST, visit)
    found = find_download(token, attachment_id, wiring.download_ports())
    if isinstance(found, NoDownload):
        return _page(_NO_DOWNLOAD[found], visit)
    _note(found, visit)
    return Response(body="", status_code=302, headers={**_COMMON, "Location": found.url})


@public_route(links, "HEAD", "/d/{token}/{attachment_id}", "text/html", _no_file, problems=(503,))
def check_attachment(visit: Visit, token: str, attachment_id: str) -> Response:  # noqa: ARG001
    """Tell programs that check links that this is one; nothing is noted."""
    return Response(body="", status_code=200, headers=_COMMON)


def _note(download: Download, visit: Visit) -> None:
    """Nobody is kept from a file because it couldn't be written down that they got it."""
    try:
        note_download(download, wiring.judge_opener(visit.user_agent, visit.source_ip), wiring.link_ports())
    except Exception as error:  # noqa: BLE001
        log("download_not_noted", error=error)
