"""`wardgate lease …`: for how long credentials and tokens are good."""

from typing import Annotated

from wardgate.cli import answer
from wardgate.cli.command import Commands, Duration, Flag, Group, Word
from wardgate.cli.data import show_names
from wardgate.cli.failure import UsageError
from wardgate.cli.session import Session


def list_leases(session: Session, prefix: Annotated[str, Word("[PREFIX]")] = "") -> None:
    """List the leases below a path, and the folders with more of them."""
    path = f"sys/leases/lookup/{prefix.strip('/')}".rstrip("/")
    show_names(session.output, session.find("LIST", path, doing="listing leases"), path)


def lookup(session: Session, id_: Annotated[str, Word("ID")]) -> None:
    """Print when a lease began, when it ends and whether it can be renewed."""
    reply = session.request(
        "PUT", "sys/leases/lookup", {"lease_id": id_}, doing="looking up the lease"
    )
    answer.show(session.output, reply, path="the lease")


def renew(
    session: Session,
    id_: Annotated[str, Word("ID")],
    *,
    increment: Annotated[Duration | None, Flag("How long it shall last from now.", "i")] = None,
) -> None:
    """Prolong the lease of a secret. For a token there is `token renew`."""
    body = {"lease_id": id_, **({} if increment is None else {"increment": increment})}
    reply = session.request("PUT", "sys/leases/renew", body, doing="renewing the lease")
    answer.show(session.output, reply, path="the lease")


def revoke(
    session: Session,
    id_: Annotated[str, Word("ID")],
    *,
    prefix: Annotated[bool, Flag("ID is a path: all leases below it.")] = False,
    force: Annotated[
        bool, Flag("With -prefix: forget the leases even if the secrets cannot be taken back.", "f")
    ] = False,
    sync: Annotated[bool, Flag("Wait until it is done.")] = False,
) -> None:
    """Revoke a lease: a secret is taken back, a token ends."""
    if force and not prefix:
        raise UsageError("Specifying -force requires also specifying -prefix")
    doing = "revoking leases" if prefix else "revoking the lease"
    if force:
        session.output.warn(["what the engines gave out may go on working"])
        session.request("PUT", f"sys/leases/revoke-force/{id_}", doing=doing)
        session.output.success(f"Force revoked any leases with prefix: {id_}")
        return
    if prefix:
        session.request("PUT", f"sys/leases/revoke-prefix/{id_}", {"sync": sync}, doing=doing)
        done = f"Revoked any leases with prefix: {id_}"
    else:
        session.request("PUT", "sys/leases/revoke", {"lease_id": id_, "sync": sync}, doing=doing)
        done = f"Revoked lease: {id_}"
    session.output.success(done if sync else "All revocations are under way")


COMMANDS: Commands = {
    "lease": Group(
        "Look leases up, renew and revoke them.",
        {"list": list_leases, "lookup": lookup, "renew": renew, "revoke": revoke},
    )
}
