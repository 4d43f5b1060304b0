"""`wardgate status`: is the server sealed, and is it the active one?"""

from collections.abc import Mapping
from typing import Any

from wardgate.cli.command import Commands
from wardgate.cli.failure import LOCAL, Finished, Refused, ServerFailed
from wardgate.cli.output import Output, Row
from wardgate.cli.session import Session
from wardgate.cli.text import plain

SEALED = 2

_ROWS = {
    "type": "Seal Type",
    "recovery_seal_type": "Recovery Seal Type",
    "initialized": "Initialized",
    "sealed": "Sealed",
    "n": "Total Shares",
    "t": "Threshold",
    "progress": "Unseal Progress",
    "nonce": "Unseal Nonce",
    "version": "Version",
    "commit_date": "Commit Date",
    "build_date": "Build Date",
    "storage_type": "Storage Type",
    "cluster_name": "Cluster Name",
    "cluster_id": "Cluster ID",
    "ha_enabled": "HA Enabled",
    "ha_cluster": "HA Cluster",
    "ha_mode": "HA Mode",
    "active_time": "Active Since",
    "leader_address": "Active Node Address",
    "raft_committed_index": "Raft Committed Index",
    "raft_applied_index": "Raft Applied Index",
}


def status(session: Session) -> None:
    """Print the state of the server. Exit code 0: unsealed, 2: sealed, 1: it cannot be told."""
    try:
        seal = _seal_status(session)
    except ServerFailed as failure:
        session.output.note(str(failure))
        raise Finished(LOCAL) from failure
    show_seal(session, seal)
    if seal.get("sealed"):
        raise Finished(SEALED)


def show_seal(session: Session, seal: Mapping[str, Any]) -> None:
    """Print the answer of ``sys/seal-status`` together with who leads the cluster."""
    output = session.output
    shown = {"build_date": "", **seal, **_leader(session)}
    if output.field:
        output.chosen(shown | _high_availability(shown), "seal status")
    elif output.is_json:
        output.json(shown)
    else:
        _show_table(output, shown)


def _seal_status(session: Session) -> dict[str, Any]:
    reply = session.request("GET", "sys/seal-status", doing="checking seal status", wrap=False)
    return reply.data or {}


def _leader(session: Session) -> dict[str, Any]:
    try:
        reply = session.request("GET", "sys/leader", doing="checking the leader", wrap=False)
    except Refused:
        # A server that is not initialised does not know; that is no reason to fail.
        return {"ha_enabled": False}
    return {"ha_enabled": False} | (reply.data or {})


def _high_availability(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What only a cluster has; the active node does not point at itself."""
    if not shown["ha_enabled"] or shown.get("sealed"):
        return {}
    found = {
        "ha_cluster": shown.get("leader_cluster_address") or "n/a",
        "ha_mode": "active" if shown.get("is_self") else "standby",
    }
    return found | {"leader_address": None} if shown.get("is_self") else found


def _show_table(output: Output, shown: Mapping[str, Any]) -> None:
    values = {**shown, **_high_availability(shown)}
    values["progress"] = values["nonce"] = None
    if shown.get("sealed"):
        values["progress"] = f"{shown.get('progress', 0)}/{shown.get('t', 0)}"
        values["nonce"] = shown.get("nonce") or "n/a"
    recovery = shown.get("recovery_seal")
    rows: list[Row] = [
        ("Total Recovery Shares" if key == "n" and recovery else heading, plain(values[key]))
        for key, heading in _ROWS.items()
        if values.get(key) not in (None, "")
    ]
    output.pairs(rows)


COMMANDS: Commands = {"status": status}
