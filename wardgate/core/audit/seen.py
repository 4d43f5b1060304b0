"""What is known of a request and its answer when they are recorded."""

import base64
from hashlib import sha256
from typing import Any

import msgspec

from wardgate.core.json import encode
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.tokens.record import Token

_WRITES = (Operation.CREATE, Operation.UPDATE, Operation.PATCH)


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about whoever asks: whether the request is allowed, the policies that let
    it through, and those that come from an identity."""

    allowed: bool
    granted: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()


class Pieces(msgspec.Struct, frozen=True):
    """What the records of a request and of its answer share: ``auth`` and ``request``."""

    auth: bytes
    request: bytes


class Answer:
    """An answer, with its data as they go over the wire: encoded, so that it can be told what they
    weigh, and decoded to dicts and lists whatever an endpoint made them of."""

    __slots__ = ("data", "response")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.data = b""
        if response.wrap_info is not None or (response.bare and response.status >= 400):
            return
        if response.raw:
            raw: JsonMap = {
                "http_content_type": response.content_type,
                "http_raw_body": response.raw.decode("utf-8", "backslashreplace"),
                "http_status_code": response.status,
            }
            self.data = encode(raw)
        elif response.data is not None:
            self.data = encode(response.data)


def given_data(request: Request) -> JsonMap | None:
    """What a request brought along, in its body or its query."""
    given = request.body if request.operation in _WRITES else request.query
    return given if given is None or isinstance(given, dict) else dict(given)


def mount_of(request: Request) -> Mount | None:
    """The request's mount, if there is one."""
    mount: Mount | None = getattr(request, "mount", None)  # unset where no mount has the path
    return mount


def client_id(token: Token) -> str:
    """Whom the request counts for: the entity, or all tokens with these policies, named by a hash
    of the policies' names in order, as Vault has it."""
    if token.entity_id:
        return token.entity_id
    text = "\x7f".join(sorted(token.policies)) + "\0root"
    return base64.b64encode(sha256(text.encode()).digest()).decode()


def elided(data: Any) -> Any:
    """A listing with the numbers of its entries in their place."""
    if not isinstance(data, dict):
        return data
    counted = {
        name: len(data[name])
        for name in ("keys", "key_info")
        if isinstance(data.get(name), list | tuple | dict)
    }
    return {**data, **counted}
