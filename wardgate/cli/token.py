"""`wardgate token …`. A TOKEN may be given as ``-``: it is then read from stdin, not from argv."""

from enum import StrEnum
from typing import Annotated, TypedDict, Unpack

from wardgate.cli import answer
from wardgate.cli.command import Commands, Duration, Flag, Group, Word
from wardgate.cli.failure import UsageError
from wardgate.cli.session import Session
from wardgate.cli.text import plain

TokenWord = Annotated[str | None, Word("[TOKEN]", "- reads it from stdin.")]
ByAccessor = Annotated[bool, Flag("TOKEN is an accessor.")]


class Mode(StrEnum):
    """What else goes when a token is revoked: its children, nothing, or a whole mount's tokens."""

    ORPHAN = "orphan"
    PATH = "path"


class NewToken(TypedDict, total=False):
    """What a new token is to be like."""

    policy: Annotated[list[str], Flag("A policy that it has.")]
    ttl: Annotated[Duration, Flag("How long it lives.")]
    explicit_max_ttl: Annotated[Duration, Flag("The most that renewals can reach.")]
    period: Annotated[Duration, Flag("Renewable for ever, by this much each time.")]
    use_limit: Annotated[int, Flag("How many requests it is good for.")]
    renewable: Annotated[bool, Flag("Whether it can be renewed at all; -renewable=false: no.")]
    orphan: Annotated[bool, Flag("Outlives the token you have.")]
    no_default_policy: Annotated[bool, Flag('Without the policy "default".')]
    type: Annotated[str, Flag("service or batch.")]
    display_name: Annotated[str, Flag("What the audit log calls it.")]
    metadata: Annotated[dict[str, str], Flag("What else is to be known of it.")]
    entity_alias: Annotated[str, Flag("Whose it is; the role must allow that.")]
    id: Annotated[str, Flag("Its value; better left out.")]


_API_NAMES = {
    "policy": "policies",
    "use_limit": "num_uses",
    "orphan": "no_parent",
    "metadata": "meta",
}


def create(
    session: Session,
    *,
    role: Annotated[str, Flag("The token role to create it by.")] = "",
    **given: Unpack[NewToken],
) -> None:
    """Create a token."""
    body = {_API_NAMES.get(name, name): value for name, value in given.items()}
    path = f"auth/token/create/{role}".rstrip("/")
    reply = session.request("POST", path, body, doing="creating token")
    answer.show(session.output, reply, path=path)


def lookup(session: Session, token: TokenWord = None, *, accessor: ByAccessor = False) -> None:
    """Print what is known of a token, by default of your own."""
    chosen = _chosen(session, token, accessor)
    if chosen is None:
        reply = session.request("GET", "auth/token/lookup-self", doing="looking up token")
    else:
        path = f"auth/token/lookup{'-accessor' if accessor else ''}"
        reply = session.request("POST", path, chosen, doing="looking up token")
    answer.show(session.output, reply, path="the token")


def renew(
    session: Session,
    token: TokenWord = None,
    *,
    accessor: ByAccessor = False,
    increment: Annotated[Duration | None, Flag("How long it shall live from now.", "i")] = None,
) -> None:
    """Prolong a token, by default your own."""
    chosen = _chosen(session, token, accessor)
    body = dict(chosen or {})
    if increment is not None:
        body["increment"] = increment
    kind = "-self" if chosen is None else "-accessor" if accessor else ""
    reply = session.request("POST", f"auth/token/renew{kind}", body, doing="renewing token")
    answer.show(session.output, reply, path="the token")


def revoke(
    session: Session,
    token: TokenWord = None,
    *,
    accessor: ByAccessor = False,
    self_: Annotated[bool, Flag("Your own token.")] = False,
    mode: Annotated[
        Mode | None, Flag("orphan keeps its children; path takes all that a mount gave out.")
    ] = None,
) -> None:
    """Revoke a token and its children."""
    if self_ == (token is not None):
        raise UsageError("revoke takes either a TOKEN or -self")
    if mode and (self_ or accessor):
        raise UsageError("option -mode goes with neither -self nor -accessor")
    doing = "revoking token"
    if self_:
        session.request("PUT", "auth/token/revoke-self", doing=doing)
    elif mode == Mode.PATH:
        session.request("PUT", f"sys/leases/revoke-prefix/{token}", doing=doing)
    else:
        kind = "-orphan" if mode else "-accessor" if accessor else ""
        body = _chosen(session, token, accessor)
        session.request("POST", f"auth/token/revoke{kind}", body, doing=doing)
    session.output.success("Revoked token (if it existed)")


def capabilities(
    session: Session,
    token_or_path: Annotated[str, Word("[TOKEN]", "- reads it from stdin.")],
    path: Annotated[str | None, Word("PATH")] = None,
) -> None:
    """Print what a token, by default your own, may do at a path."""
    kind, body = "-self", {}
    if path is None:
        path = token_or_path
    else:
        kind, body = "", _chosen(session, token_or_path, False) or {}
    doing = "listing capabilities"
    found = (
        session.request("POST", f"sys/capabilities{kind}", {**body, "path": path}, doing=doing).data
        or {}
    )
    names = sorted(found.get(path) or found.get("capabilities") or [])
    if session.output.is_json:
        session.output.json(names)
    else:
        session.output.line(", ".join(plain(name) for name in names))


def _chosen(session: Session, token: str | None, accessor: bool) -> dict[str, str] | None:
    """The token or accessor as the API takes it; None for one's own token."""
    if token is None:
        if accessor:
            raise UsageError("Not enough arguments with -accessor (expected 1, got 0)")
        return None
    value = session.read_stdin() if token == "-" else token
    return {"accessor" if accessor else "token": value}


COMMANDS: Commands = {
    "token": Group(
        "Create, look up, renew and revoke tokens.",
        {
            "create": create,
            "lookup": lookup,
            "renew": renew,
            "revoke": revoke,
            "capabilities": capabilities,
        },
    )
}
