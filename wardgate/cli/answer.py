"""Prints the answer to a request: a secret, a new token, or a wrapping token.

The JSON has the members that the Vault CLI prints, which are not quite those of the API.
"""

from collections.abc import Mapping
from typing import Any

from wardgate.cli.failure import ServerFailed
from wardgate.cli.output import Output, Row
from wardgate.cli.text import cell, plain, quoted
from wardgate.client.reply import JsonObject, Reply
from wardgate.durations import brief_duration

_AUTH = (
    "client_token",
    "accessor",
    "policies",
    "token_policies",
    "identity_policies",
    "metadata",
    "orphan",
    "entity_id",
    "lease_duration",
    "renewable",
    "mfa_requirement",
)
_WRAP_NAMES = {
    "token": "wrapping_token",
    "accessor": "wrapping_accessor",
    "ttl": "wrapping_token_ttl",
    "creation_time": "wrapping_token_creation_time",
    "creation_path": "wrapping_token_creation_path",
    "wrapped_accessor": "wrapped_accessor",
}


def show(output: Output, reply: Reply, *, done: str | None = None, path: str = "") -> None:
    """Print `reply`, or that `done` was done when it carries nothing.

    Without `done` an empty answer is a failure: nothing is stored at `path`.
    """
    if not (reply.data or reply.auth or reply.wrap_info or _has_lease(reply)):
        output.warn(reply.warnings)
        if done is None:
            raise ServerFailed(f"No value found at {path}")
        output.success(done)
    elif output.field:
        output.chosen(fields(reply), "secret")
    elif output.is_json:
        output.json(as_json(reply))
    else:
        output.pairs(_rows(reply))
        output.warn(reply.warnings)


def _has_lease(reply: Reply) -> bool:
    return bool((reply.body or {}).get("lease_id"))


def as_json(reply: Reply) -> JsonObject:
    body = reply.body or {}
    shown: JsonObject = {
        "request_id": body.get("request_id") or "",
        "lease_id": body.get("lease_id") or "",
        "lease_duration": body.get("lease_duration") or 0,
        "renewable": bool(body.get("renewable")),
        "data": reply.data,
        "warnings": list(reply.warnings) or None,
    }
    if reply.auth:
        shown["auth"] = {name: reply.auth.get(name) for name in _AUTH}
    if reply.wrap_info:
        shown["wrap_info"] = {name: reply.wrap_info.get(name, "") for name in _WRAP_NAMES}
    return shown


def fields(reply: Reply) -> Mapping[str, Any]:
    """Everything that -field can choose from an answer."""
    if reply.auth:
        return _auth_fields(reply.auth)
    if reply.wrap_info:
        return {name: value for name, value in _wrap_fields(reply.wrap_info).items() if value}
    body = reply.body or {}
    seconds = body.get("lease_duration", 0)
    return {
        "request_id": body.get("request_id", ""),
        "lease_id": body.get("lease_id", ""),
        "lease_duration": seconds,
        "lease_renewable": body.get("renewable", False),
        "refresh_interval": seconds,
        "data": reply.data,
        **(reply.data or {}),
    }


def _auth_fields(auth: JsonObject) -> dict[str, Any]:
    return {
        "token": auth.get("client_token"),
        "token_accessor": auth.get("accessor"),
        "token_duration": auth.get("lease_duration"),
        "token_renewable": auth.get("renewable"),
        "token_policies": auth.get("token_policies"),
        "identity_policies": auth.get("identity_policies"),
        "policies": auth.get("policies"),
    } | {f"token_meta_{key}": value for key, value in sorted((auth.get("metadata") or {}).items())}


def _wrap_fields(wrap_info: JsonObject) -> dict[str, Any]:
    return {shown: wrap_info.get(name) for name, shown in _WRAP_NAMES.items()}


def _rows(reply: Reply) -> list[Row]:
    if reply.auth:
        return _auth_rows(reply.auth)
    if reply.wrap_info:
        # The colons are the Vault CLI's; scripts look for them.
        found = _wrap_fields(reply.wrap_info)
        return [(f"{name}:", cell(name, value)) for name, value in found.items() if value]
    return _lease_rows(reply.body or {}) + data_rows(reply.data or {})


def data_rows(data: Mapping[str, Any]) -> list[Row]:
    return [(key, cell(key, data[key])) for key in sorted(data)]


def _lease_rows(body: JsonObject) -> list[Row]:
    seconds = body.get("lease_duration") or 0
    if body.get("lease_id"):
        return [
            ("lease_id", plain(body["lease_id"])),
            ("lease_duration", brief_duration(seconds)),
            ("lease_renewable", plain(body.get("renewable"))),
        ]
    # KV version 1 has no lease; its duration only says how often to look again.
    return [("refresh_interval", brief_duration(seconds))] if seconds else []


def _auth_rows(auth: JsonObject) -> list[Row]:
    rows: list[Row] = []
    for name, value in _auth_fields(auth).items():
        if name.endswith("policies"):
            rows.append((name, quoted(value)))
        elif name == "token_duration":
            rows.append((name, brief_duration(value) if value else "∞"))
        else:
            rows.append((name, cell(name, value)))
    return rows
