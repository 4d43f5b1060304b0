"""`wardgate operator generate-root`: a root token, made by those who hold unseal keys."""

import base64
import binascii
import secrets
import string
from typing import Annotated, Any

from wardgate.cli.command import Flag
from wardgate.cli.failure import CommandFailed, UsageError
from wardgate.cli.holding import KEY, filled, key_and_nonce, read_pgp_file
from wardgate.cli.output import Row
from wardgate.cli.session import Session
from wardgate.cli.text import plain

_ATTEMPT = "sys/generate-root-token/attempt"
_UPDATE = "sys/generate-root-token/update"
_SHAPE = {
    "nonce": "",
    "started": False,
    "progress": 0,
    "required": 0,
    "complete": False,
    "encoded_token": "",
    "encoded_root_token": "",
    "pgp_fingerprint": "",
    "otp": "",
    "otp_length": 0,
}


def generate_root(
    session: Session,
    key: Annotated[str | None, KEY] = None,
    *,
    init: Annotated[bool, Flag("Begin to make a root token.")] = False,
    cancel: Annotated[bool, Flag("End it.")] = False,
    status: Annotated[bool, Flag("Tell how far it is.")] = False,
    decode: Annotated[str, Flag("Decode this with the -otp; - reads it from stdin.")] = "",
    generate_otp: Annotated[bool, Flag("Print a one-time password for -init.")] = False,
    otp: Annotated[str, Flag("The one-time password that the token is encoded with.")] = "",
    pgp_key: Annotated[str, Flag("A file with the public PGP key to encrypt the token to.")] = "",
    nonce: Annotated[str, Flag("The nonce that was printed at the beginning.")] = "",
) -> None:
    """Make a root token.

    Begin with -init; each holder then gives a key and the -nonce. The token that is printed in the
    end is read with -decode and the one-time password.
    """
    if generate_otp:
        _print_otp(session)
    elif decode:
        _print_decoded(session, session.read_stdin() if decode == "-" else decode, otp)
    elif init:
        sent_key = read_pgp_file("pgp-key", pgp_key) if pgp_key else ""
        body = {"otp": otp, "pgp_key": sent_key}
        _show(session, _call(session, "PUT", _ATTEMPT, "beginning", body))
    elif cancel:
        _call(session, "DELETE", _ATTEMPT, "canceling")
        session.output.success("Root token generation canceled (if it was started)")
    elif status:
        _show(session, _call(session, "GET", _ATTEMPT, "reading the status"))
    else:
        found = _call(session, "GET", _ATTEMPT, "reading the status")
        if not found.get("started"):
            raise CommandFailed("No root token generation is in progress. Begin with -init.")
        key, nonce = key_and_nonce(session, key, nonce, found)
        body = {"key": key, "nonce": nonce}
        _show(session, _call(session, "PUT", _UPDATE, "giving a key", body))


def _print_otp(session: Session) -> None:
    length = _call(session, "GET", _ATTEMPT, "reading the status").get("otp_length", 0)
    otp = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
    if session.output.is_json:
        session.output.json({"otp": otp, "otp_length": length})
    else:
        session.output.line(otp)


def _print_decoded(session: Session, encoded: str, otp: str) -> None:
    if not otp:
        raise UsageError("Missing otp: give it with -otp")
    try:
        hidden = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        pairs = zip(hidden, otp.encode(), strict=True)
        token = bytes(byte ^ pad for byte, pad in pairs).decode()
    except (binascii.Error, ValueError):
        raise CommandFailed("The encoded token and the -otp do not fit together") from None
    if session.output.is_json:
        session.output.json({"token": token})
    else:
        session.output.line(token)


def _show(session: Session, told: dict[str, Any]) -> None:
    output = session.output
    if output.is_json:
        output.json(filled(_SHAPE, told))
        return
    rows: list[Row] = [
        ("Nonce", plain(told.get("nonce") or "n/a")),
        ("Started", plain(bool(told.get("started")))),
        ("Progress", f"{told.get('progress', 0)}/{told.get('required', 0)}"),
        ("Complete", plain(bool(told.get("complete")))),
    ]
    for name, heading in (
        ("pgp_fingerprint", "PGP Fingerprint"),
        ("encoded_token", "Encoded Token"),
        ("otp", "OTP"),
        ("otp_length", "OTP Length"),
    ):
        if told.get(name):
            rows.append((heading, plain(told[name])))
    output.pairs(rows)
    if told.get("otp"):
        output.note("The OTP decodes the token in the end, and is shown only now.")


def _call(
    session: Session, method: str, path: str, doing: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    reply = session.request(method, path, body, doing=doing, wrap=False)
    return reply.data or {}
