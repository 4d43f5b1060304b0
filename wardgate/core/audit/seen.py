"""What is known of a request and its answer when they are recorded."""

import base64
from hashlib import sha256
from typing import Any

import msgspec

from wardgate.core.json import encode
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.tokens.record import Token

_WRITES = (Operation.CREATE, Operation.UPDATE, Operation.PATCH)


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about whoever asks: whether the request is allowed, the rights by which it
    is, and the policies that come from an identity."""

    allowed: bool
    rights: Acl | None = None
    identity: tuple[str, ...] = ()


class Pieces(msgspec.Struct, frozen=True):
    """What the records of a request and of its answer share: ``auth`` and ``request``."""

    auth: bytes
    request: bytes


def answer_data(response: Response) -> bytes:
    """The data of an answer as they go over the wire: encoded, so that it can be told what they
    weigh, and that they are dicts and lists whatever an endpoint made them of."""
    if response.wrap_info is not None or (response.bare and response.status >= 400):
        return b""
    if response.raw:
        raw: JsonMap = {
            "http_content_type": response.content_type,
            "http_raw_body": response.raw.decode("utf-8", "backslashreplace"),
            "http_status_code": response.status,
        }
        return encode(raw)
    return b"" if response.data is None else encode(response.data)


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
