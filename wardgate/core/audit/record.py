"""Records, as lines of JSON in the form of Vault's audit devices.

A line is put together from pieces, since most of it is the same for every request of one token on
one mount, and since an answer's record repeats all of its request's: each piece is encoded once and
remembered, a bounded number of them.
"""

from typing import Any, NamedTuple

from wardgate import __version__
from wardgate.core.audit.hashing import Hasher, Unhashed
from wardgate.core.audit.options import RecordOptions
from wardgate.core.audit.seen import (
    Asking,
    Pieces,
    client_id,
    elided,
    given_data,
    mount_of,
)
from wardgate.core.json import decode, encode
from wardgate.core.mounts import Mount
from wardgate.core.operation import LISTINGS
from wardgate.core.policy import Acl
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.token_text import without_tokens
from wardgate.core.tokens.record import Token
from wardgate.timestamps import rfc3339

_REMEMBERED = 2048
_LONGEST_REMEMBERED = 2048  # bytes of an answer, or of what is said of a request or a token
_TOKEN = "_token"
_NO_CLEAR: frozenset[str] = frozenset()
_VERSION = f"v{__version__}+builtin.wardgate"


class _Plain(NamedTuple):
    """What is said of a plain request by the same caller for the same path, whenever and from
    wherever it comes, and what that follows from."""

    token: Token
    rights: Acl
    identity: tuple[str, ...]
    mount: Mount | None
    auth: bytes
    asked: bytes


class Formatter:
    """Writes the records of one device."""

    def __init__(self, options: RecordOptions, salt: bytes) -> None:
        self.hasher = Unhashed(salt) if options.log_raw else Hasher(salt)
        self._options = options
        self._prefix = options.prefix.encode()
        self._plain: dict[tuple[str, str, str], _Plain] = {}
        self._tokens: dict[str, tuple[Token, tuple[str, ...], bytes, bytes]] = {}
        self._mounts: dict[str, tuple[Mount, bytes, bytes]] = {}
        self._peers: dict[str, bytes] = {}
        self._grants: dict[tuple[str, ...], bytes] = {}
        self._answers: dict[bytes, bytes] = {}
        self._second = (0, b"")

    def pieces(self, request: Request, headers: dict[str, bool], asking: Asking) -> Pieces:
        """About whoever asks, and what for. `headers` are the names of those to show, each with
        whether it is hashed."""
        if asking.rights is None or given_data(request):
            auth, asked = self._auth_and_asked(request, asking)
        else:
            auth, asked = self._remembered(request, asking, asking.rights)
        parts = [b'{"id":"', request.id.encode(), asked, self._peer(request.peer)]
        if request.wrap_ttl:
            parts.append(b',"wrap_ttl":%d' % request.wrap_ttl)
        if headers:
            parts.append(self._headers(request, headers))
        parts.append(b"}")
        return Pieces(auth, b"".join(parts))

    def _remembered(self, request: Request, asking: Asking, rights: Acl) -> tuple[bytes, bytes]:
        """`_auth_and_asked` of a request that brings no data: the same secret or token is often read
        again and again."""
        token = request.token
        assert token is not None
        name = (request.client_token, request.operation, request.path)
        known = self._plain.get(name)
        if (
            known is not None
            and known.token is token
            and known.rights is rights
            and known.mount is mount_of(request)
            and known.identity == asking.identity
        ):
            return known.auth, known.asked
        auth, asked = self._auth_and_asked(request, asking)
        size = len(auth) + len(asked) + len(request.client_token)
        if token.num_uses == 0 and size <= _LONGEST_REMEMBERED:
            mount = mount_of(request)
            made = _Plain(token, rights, asking.identity, mount, auth, asked)
            _remember(self._plain, name, made)
        return auth, asked

    def _auth_and_asked(self, request: Request, asking: Asking) -> tuple[bytes, bytes]:
        """``auth``, and what ``request`` says after its id and before where it came from."""
        token = request.token
        if token is None:
            of_request = self._bearer(request.client_token)
            auth = b'{"token_type":"default"}'
            if asking.allowed:  # the endpoint asks for no token
                auth = b"{" + of_request + b'"policy_results":{"allowed":true},' + auth[1:]
        else:
            of_auth, of_request = self._token(request.client_token, token, asking.identity)
            results = self._results(request, asking) if asking.allowed else b'{"allowed":false}'
            auth = b'{"policy_results":' + results + b"," + of_auth
        return auth, self._asked(request, of_request)

    def request_line(self, pieces: Pieces, now: float, errors: str) -> bytes:
        """The record of a request, with its newline; `errors` say why it was refused, if so."""
        return b"".join(
            (
                self._beginning(now),
                b'"type":"request","auth":',
                pieces.auth,
                b',"request":',
                pieces.request,
                self._error(errors) if errors else b"",
                b"}\n",
            )
        )

    def response_line(
        self,
        pieces: Pieces,
        now: float,
        errors: str,
        request: Request,
        response: Response,
        data: bytes,
    ) -> bytes:
        """The record of an answer, with its newline; `data` are its `answer_data`."""
        auth, reply = pieces.auth, None
        if response.auth is not None:
            reply = encode(self._reply(request, response.auth))
            if request.token is None:
                auth = reply  # who logged in is known now
        return b"".join(
            (
                self._beginning(now),
                b'"type":"response","auth":',
                auth,
                b',"request":',
                pieces.request,
                b',"response":',
                self._response(request, response, data, errors, reply),
                self._error(errors) if errors else b"",
                b"}\n",
            )
        )

    def _error(self, errors: str) -> bytes:
        """Messages may name the path."""
        return b',"error":' + encode(without_tokens(errors, self.hasher.text))

    def _beginning(self, now: float) -> bytes:
        """A record up to its time, as RFC 3339 has it, with six digits of microseconds."""
        whole = int(now)
        known, begun = self._second
        if known != whole:
            text = rfc3339(float(whole)).removesuffix("Z")
            begun = b'%b{"time":"%b.' % (self._prefix, text.encode())
            self._second = (whole, begun)
        return b'%b%06dZ",' % (begun, (now - whole) * 1_000_000)

    def _bearer(self, text: str) -> bytes:
        """What is said of a token that was not looked at, or is none."""
        return b'"client_token":' + encode(self.hasher.text(text)) + b"," if text else b""

    def _token(self, text: str, token: Token, identity: tuple[str, ...]) -> tuple[bytes, bytes]:
        """What ``auth`` and ``request`` say about the token."""
        known = self._tokens.get(text)
        if known is not None and known[0] is token and known[1] == identity:
            return known[2], known[3]
        bearer = self._bearer(text)
        accessor = self._accessor(token.accessor)
        client = {"client_token_accessor": accessor} if accessor else {}
        of_request = bearer + encode({"client_id": client_id(token), **client})[1:-1] + b","
        of_auth = bearer + encode(self._about(token, identity, accessor))[1:]
        if token.num_uses == 0 and len(of_auth) + len(text) <= _LONGEST_REMEMBERED:
            _remember(self._tokens, text, (token, identity, of_auth, of_request))
        return of_auth, of_request

    def _about(self, token: Token, identity: tuple[str, ...], accessor: str) -> JsonMap:
        uses = 1 if token.num_uses < 0 else token.num_uses + 1 if token.num_uses else 0
        shown: JsonMap = {
            "accessor": accessor,
            "display_name": token.display_name,
            "policies": sorted({*token.policies, *identity}),
            "token_policies": token.policies,
            "identity_policies": identity,
            "metadata": self._metadata(token.metadata),
            "remaining_uses": uses,
            "entity_id": token.entity_id,
            "token_type": token.type.value,
            "token_ttl": token.ttl,
            "token_issue_time": rfc3339(float(int(token.issued))),
        }
        return _filled(shown)

    def _results(self, request: Request, asking: Asking) -> bytes:
        granted: tuple[str, ...] = ()
        if asking.rights is not None:
            granted = asking.rights.granting(request.operation, request.path)
        found = self._grants.get(granted)
        if found is None:
            rules = [{"name": name, "namespace_id": "root", "type": "acl"} for name in granted]
            shown: JsonMap = {"allowed": True}
            if rules:
                shown["granting_policies"] = rules
            found = _remember(self._grants, granted, encode(shown))
        return found

    def _asked(self, request: Request, token: bytes) -> bytes:
        given = given_data(request)
        data = b""
        if given:
            mount, clear = mount_of(request), _NO_CLEAR
            if mount is not None and mount.config.audit_non_hmac_request_keys:
                clear = frozenset(mount.config.audit_non_hmac_request_keys)
            data = b',"data":' + encode(self.hasher.tree(given, clear))
        return b"".join(
            (
                b'","operation":"',
                request.operation.encode(),
                b'",',
                self._mount(request)[0],
                token,
                b'"namespace":{"id":"root"},"path":',
                encode(self._path(request)),
                data,
            )
        )

    def _path(self, request: Request) -> str:
        path = without_tokens(request.path, self.hasher.text)
        if request.operation in LISTINGS and not path.endswith("/"):
            path += "/"
        return path

    def _mount(self, request: Request) -> tuple[bytes, bytes]:
        """About the mount, as ``request`` and as ``response`` have it."""
        mount = mount_of(request)
        if mount is None:
            return b"", b""
        known = self._mounts.get(mount.uuid)
        if known is not None and known[0] is mount:
            return known[1], known[2]
        shown = {
            "mount_point": mount.path,
            "mount_type": mount.type,
            "mount_accessor": mount.accessor,
            "mount_class": "auth" if mount.is_auth else "secret",
        }
        of_request = encode({**shown, "mount_running_version": _VERSION})[1:-1] + b","
        of_response = encode({**shown, "mount_running_plugin_version": _VERSION})[1:-1]
        _remember(self._mounts, mount.uuid, (mount, of_request, of_response))
        return of_request, of_response

    def _peer(self, peer: str) -> bytes:
        found = self._peers.get(peer)
        if found is None:
            host, _, port = peer.rpartition(":")
            shown: JsonMap = {"remote_address": host.strip("[]")}
            if port.isascii() and port.isdigit():
                shown["remote_port"] = int(port)
            found = _remember(self._peers, peer, b"," + encode(shown)[1:-1])
        return found

    def _headers(self, request: Request, wanted: dict[str, bool]) -> bytes:
        shown = {}
        for name, hashed in wanted.items():
            values = request.header_values(name)
            if values:
                shown[name] = [self.hasher.text(value) if hashed else value for value in values]
        return b',"headers":' + encode(shown) if shown else b""

    def _response(
        self, request: Request, response: Response, data: bytes, errors: str, reply: bytes | None
    ) -> bytes:
        parts = []
        if reply is not None and response.wrap_info is None:
            parts.append(b'"auth":' + reply)
        mount = self._mount(request)[1]
        if mount:
            parts.append(mount)
        if response.wrap_info is not None:
            parts.append(b'"wrap_info":' + encode(self._wrapping(response.wrap_info)))
        else:
            if response.lease_id:
                parts.append(b'"secret":' + encode({"lease_id": response.lease_id}))
            shown_data = self._answer(request, data, errors)
            if shown_data:
                parts.append(b'"data":' + shown_data)
        if response.warnings:
            parts.append(b'"warnings":' + encode(response.warnings))
        if response.headers:
            shown: dict[str, list[str]] = {}
            for name, value in response.headers:
                shown.setdefault(name, []).append(self.hasher.text(value))
            parts.append(b'"headers":' + encode(shown))
        return b"{" + b",".join(parts) + b"}"

    def _answer(self, request: Request, data: bytes, errors: str) -> bytes:
        if errors:
            return encode({"error": self.hasher.text(errors)})
        if not data:
            return b""
        mount = mount_of(request)
        if mount is not None and mount.config.audit_non_hmac_response_keys:
            clear = frozenset(mount.config.audit_non_hmac_response_keys)
        elif self._options.elide_list_responses and request.operation in LISTINGS:
            clear = _NO_CLEAR
        else:  # the same secret or token is often read again and again
            known = self._answers.get(data)
            if known is None:
                known = encode(self.hasher.tree(decode(data)))
                if len(data) <= _LONGEST_REMEMBERED:
                    _remember(self._answers, data, known)
            return known
        shown = decode(data)
        if self._options.elide_list_responses and request.operation in LISTINGS:
            shown = elided(shown)
        return encode(self.hasher.tree(shown, clear))

    def _reply(self, request: Request, auth: JsonMap) -> JsonMap:
        """A token that is given out."""
        accessor = self._accessor(auth.get("accessor") or "")
        issued = request.issued
        shown: JsonMap = {
            "client_token": self.hasher.text(auth.get("client_token") or ""),
            "accessor": accessor,
            "display_name": "" if issued is None else issued.display_name,
            "policies": auth.get("policies"),
            "token_policies": auth.get("token_policies"),
            "identity_policies": auth.get("identity_policies"),
            "metadata": self._metadata(auth.get("metadata")),
            "num_uses": auth.get("num_uses"),
            "entity_id": auth.get("entity_id"),
            "token_type": auth.get("token_type"),
            "token_ttl": auth.get("lease_duration"),
            "credential_accessor": self._accessor(request.credential_accessor),
        }
        if issued is not None and issued.last_renewed:
            shown["token_issue_time"] = rfc3339(float(int(issued.issued)))
        return _filled(shown)

    def _metadata(self, metadata: JsonMap | None) -> JsonMap | None:
        """As it is, but that tokens of others, which a login may leave there, are secrets."""
        if not metadata or not any(name.endswith(_TOKEN) for name in metadata):
            return metadata
        return {
            name: self.hasher.text(value) if name.endswith(_TOKEN) else value
            for name, value in metadata.items()
        }

    def _wrapping(self, info: JsonMap) -> JsonMap:
        shown = {**info, "token": self.hasher.text(info["token"])}
        for name in ("accessor", "wrapped_accessor"):
            if name in info:
                shown[name] = self._accessor(info[name])
        return shown

    def _accessor(self, accessor: str) -> str:
        if not accessor or not self._options.hmac_accessor:
            return accessor
        return self.hasher.text(accessor)


def _filled(shown: JsonMap) -> JsonMap:
    """What is empty is left out."""
    return {name: value for name, value in shown.items() if value}


def _remember(known: dict[Any, Any], name: Any, value: Any) -> Any:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[name] = value
    return value
