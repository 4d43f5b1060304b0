"""The files of the page, read once and held in memory."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By the ends of names. What ends otherwise is not given out."""
_FOLDER = Path(__file__).with_name("static")


@dataclass(frozen=True, slots=True)
class File:
    """`etag` is a digest of the content (RFC 9110, section 8.8.3)."""

    body: bytes
    content_type: str
    etag: str


def read_files() -> dict[str, File]:
    """All files, by their paths below `static/`: some twenty, in a millisecond or two. They are read
    when the server starts, so that an upgrade below a running one never mixes two versions."""
    found: dict[str, File] = {}
    for path in sorted(_FOLDER.rglob("*")):
        content_type = CONTENT_TYPES.get(path.suffix)
        if content_type is not None:
            body = path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:18]).decode()
            name = path.relative_to(_FOLDER).as_posix()
            found[name] = File(body, content_type, f'"{digest}"')
    return found
