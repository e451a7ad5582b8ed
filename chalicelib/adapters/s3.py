"""The file bucket: private, reached by customers only through forms and links that expire."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import client
from chalicelib.errors import NotFound
from chalicelib.ports import Clock, UploadForm

_UPLOAD_TIME = timedelta(minutes=15)
_DOWNLOAD_TIME = timedelta(minutes=15)


_UNQUOTED = re.compile(r"[^ !#-\[\]-~]")


def _disposition(file_name: str) -> str:
    plain = _UNQUOTED.sub("_", file_name)
    more = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='')}"
    return f'attachment; filename="{plain}"{more}'


class S3FileStore:
    """Port ``FileStore``."""

    def __init__(self, bucket: str, clock: Clock) -> None:
        self._bucket = bucket
        self._clock = clock

    def presign_upload(self, key: str, content_type: str, max_bytes: int) -> UploadForm:
        """A form for exactly this key and type and for 1 to ``max_bytes`` bytes, good for 15 minutes."""
        form = client("s3").generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=int(_UPLOAD_TIME.total_seconds()),
        )
        return UploadForm(form["url"], form["fields"], self._clock.now() + _UPLOAD_TIME)

    def presign_download(self, key: str, file_name: str, lasts: timedelta = _DOWNLOAD_TIME) -> str:
        """A link that downloads the file under this name (RFC 6266), and never shows it."""
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": _disposition(file_name),
        }
        link: str = client("s3").generate_presigned_url(
            "get_object", Params=parameters, ExpiresIn=int(lasts.total_seconds())
        )
        return link

    def fetch(self, key: str, path: Path) -> None:
        """Copy a file to a path; raises NotFound."""
        try:
            client("s3").download_file(self._bucket, key, str(path))
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                raise NotFound("file") from error
            raise

    def beginning(self, key: str, max_bytes: int) -> bytes:
        """The first bytes of a file; raises NotFound."""
        try:
            # Without Range: S3 refuses every range of an empty file. What isn't read isn't sent on.
            with client("s3").get_object(Bucket=self._bucket, Key=key)["Body"] as body:
                found: bytes = body.read(max_bytes)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                raise NotFound("file") from error
            raise
        return found

    def put(self, key: str, path: Path, content_type: str) -> None:
        """Copy a file from a path."""
        client("s3").upload_file(str(path), self._bucket, key, ExtraArgs={"ContentType": content_type})

    def purge(self, prefix: str) -> None:
        """Remove all files whose key starts so."""
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            found = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if found:
                client("s3").delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})
