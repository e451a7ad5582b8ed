"""Files in memory."""

from datetime import timedelta
from pathlib import Path

from chalicelib.errors import NotFound
from chalicelib.ports import Clock, UploadForm


class FakeFileStore:
    """Port ``FileStore``; its forms and links lead nowhere. ``contents`` is for tests to look at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.contents: dict[str, bytes] = {}

    def presign_upload(self, key: str, content_type: str, max_bytes: int) -> UploadForm:
        fields = {"key": key, "Content-Type": content_type, "max": str(max_bytes)}
        return UploadForm("https://files.example/", fields, self._clock.now() + timedelta(minutes=15))

    def presign_download(self, key: str, file_name: str, lasts: timedelta = timedelta(minutes=15)) -> str:
        return f"https://files.example/{key}?name={file_name}"

    def fetch(self, key: str, path: Path) -> None:
        if key not in self.contents:
            raise NotFound("file")
        path.write_bytes(self.contents[key])

    def beginning(self, key: str, max_bytes: int) -> bytes:
        if key not in self.contents:
            raise NotFound("file")
        return self.contents[key][:max_bytes]

    def put(self, key: str, path: Path, content_type: str) -> None:
        self.contents[key] = path.read_bytes()

    def purge(self, prefix: str) -> None:
        for key in [key for key in self.contents if key.startswith(prefix)]:
            del self.contents[key]
