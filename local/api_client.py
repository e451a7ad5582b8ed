"""A small client of the HTTP API, as somebody outside would write one: standard library only."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TIMEOUT = 60.0  # seconds


class ApiError(Exception):
    """The API answered with a problem, or a file did not go up or down; the text is the answer."""


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Speaks JSON with the API at ``url`` (no slash at its end) on behalf of the key's account."""

    url: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make one request and return the answer's JSON, None when it has none. Raises ApiError."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        answer = _fetch(request)
        return json.loads(answer) if answer else None

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor = None
        while True:
            page = self.call("GET", f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def upload(form: Mapping[str, Any], file: Path) -> None:
    """Send a file with a presigned POST: all of the form's fields, then the file. Raises ApiError."""
    boundary = uuid.uuid4().hex
    parts = [_part(boundary, f'name="{name}"', str(value).encode()) for name, value in form["fields"].items()]
    parts.append(_part(boundary, f'name="file"; filename="{file.name}"', file.read_bytes()))
    request = urllib.request.Request(form["url"], method="POST")
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    request.data = b"".join(parts) + f"--{boundary}--\r\n".encode()
    _fetch(request)


def download(url: str) -> bytes:
    """Get a file from its presigned link. Raises ApiError."""
    return _fetch(urllib.request.Request(url))


def _part(boundary: str, disposition: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _fetch(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")
        path = request.full_url.partition("?")[0]
        raise ApiError(f"{request.get_method()} {path}: {error.code} {text}") from error
