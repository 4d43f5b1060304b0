"""``sys/tools``: random bytes and digests, for scripts that have nothing better at hand."""

import asyncio
import base64
import binascii
import hashlib
import os
import re
from typing import Annotated

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

MOST_BYTES = 131_072
_DEFAULT_BYTES = 32
_SOURCES = ("platform", "seal", "all")
_COUNT = re.compile(r"[+-]?[0-9]{1,12}")
_ALGORITHMS = {
    f"sha{family}-{bits}": f"sha{bits}" if family == 2 else f"sha3_{bits}"
    for family in (2, 3)
    for bits in (224, 256, 384, 512)
}
_LARGE = 65_536  # bytes; below, a digest takes less time than handing it to a thread


class RandomBody(Body):
    """How many bytes, and in which form."""

    bytes: Annotated[int, Doc("How many bytes.", default=_DEFAULT_BYTES)] = _DEFAULT_BYTES
    format: Annotated[str, Doc("hex or base64.", default="base64")] = "base64"


class HashBody(Body):
    """What to digest."""

    algorithm: Annotated[str, Doc(f"One of {', '.join(_ALGORITHMS)}.", default="sha2-256")] = (
        "sha2-256"
    )
    format: Annotated[str, Doc("hex or base64.", default="hex")] = "hex"
    input: Annotated[str, Doc("The data, in base64.")] = ""


class HashAlgorithmBody(Body):
    """What to digest, by the algorithm in the path."""

    format: Annotated[str, Doc("hex or base64.", default="hex")] = "hex"
    input: Annotated[str, Doc("The data, in base64.")] = ""
    algorithm: Annotated[str, Doc("Not used: the path names it.")] = ""


class ToolsEndpoints:
    """Random bytes and digests. Nothing is stored."""

    @endpoint("tools/random", Operation.UPDATE, operation_id="generate-random")
    async def random(self, request: Request, body: RandomBody) -> Response:
        """Random bytes from the operating system."""
        return _random(body.bytes, body.format)

    @endpoint(
        "tools/random/{urlbytes}", Operation.UPDATE, operation_id="generate-random-with-bytes"
    )
    async def random_bytes(self, request: Request, urlbytes: str, body: RandomBody) -> Response:
        """So many random bytes; or, in the place of the number, the name of a source."""
        if urlbytes in _SOURCES:
            return _random(body.bytes, body.format, urlbytes)
        return _random(_count(urlbytes), body.format)

    @endpoint(
        "tools/random/{source}/{urlbytes}",
        Operation.UPDATE,
        operation_id="generate-random-with-source-and-bytes",
    )
    async def random_from(
        self, request: Request, source: str, urlbytes: str, body: RandomBody
    ) -> Response:
        """So many random bytes from a source: 'platform', 'seal' or 'all'."""
        if source not in _SOURCES:
            raise InvalidRequest("source: use platform, seal or all")
        return _random(_count(urlbytes), body.format, source)

    @endpoint("tools/hash", Operation.UPDATE, operation_id="generate-hash")
    async def hash(self, request: Request, body: HashBody) -> Response:
        """The digest of some data."""
        return await _hash(body.algorithm, body.input, body.format)

    @endpoint(
        "tools/hash/{urlalgorithm}",
        Operation.UPDATE,
        operation_id="generate-hash-with-algorithm",
    )
    async def hash_by(
        self, request: Request, urlalgorithm: str, body: HashAlgorithmBody
    ) -> Response:
        """The digest of some data by the algorithm in the path."""
        return await _hash(urlalgorithm, body.input, body.format)


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise InvalidRequest("error parsing url-set byte count: expected a whole number")
    return int(text)


def _random(count: int, form: str, source: str = "platform") -> Response:
    if count < 1:
        raise InvalidRequest("'bytes' cannot be less than 1")
    if count > MOST_BYTES:
        raise InvalidRequest(f"'bytes' should be less than {MOST_BYTES}")
    _check_form(form)
    found = _encoded(os.urandom(count), form)
    warnings = None
    if source == "seal":
        warnings = ["the seal has no random numbers of its own: these are the operating system's"]
    return Response({"random_bytes": found}, warnings=warnings)


async def _hash(algorithm: str, given: str, form: str) -> Response:
    try:
        data = base64.b64decode(given.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("unable to decode input as base64") from None
    _check_form(form)
    if algorithm not in _ALGORITHMS:
        raise InvalidRequest(f"algorithm: use one of {', '.join(_ALGORITHMS)}")
    digest = hashlib.new(_ALGORITHMS[algorithm])
    if len(data) > _LARGE:
        await asyncio.to_thread(digest.update, data)
    else:
        digest.update(data)
    return Response({"sum": _encoded(digest.digest(), form)})


def _check_form(form: str) -> None:
    if form not in ("hex", "base64"):
        raise InvalidRequest('format: must be "hex" or "base64"')


def _encoded(data: bytes, form: str) -> str:
    return data.hex() if form == "hex" else base64.b64encode(data).decode()
