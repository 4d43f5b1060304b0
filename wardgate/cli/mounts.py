"""What `wardgate auth …` and `wardgate secrets …` have in common: the mount table."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from wardgate.cli.command import Commands, Duration, Flag
from wardgate.cli.failure import ServerFailed
from wardgate.cli.output import Output
from wardgate.cli.session import Session
from wardgate.cli.text import plain

At = Annotated[str, Flag("Where; by default the name of the type.")]

_FINAL = frozenset({"success", "failure"})
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0


class Settings(TypedDict, total=False):
    """What can be set for a mount, when it is enabled and later."""

    description: Annotated[str, Flag("What it is for.")]
    default_lease_ttl: Annotated[Duration, Flag("How long what it gives out lives.")]
    max_lease_ttl: Annotated[Duration, Flag("The most that renewals can reach.")]
    listing_visibility: Annotated[str, Flag("unauth shows it before a login; hidden does not.")]
    options: Annotated[dict[str, str], Flag("Of the type.")]
    version: Annotated[int, Flag("Of the type, such as 2 for kv.")]
    passthrough_request_headers: Annotated[list[str], Flag("That it may see.")]
    allowed_response_headers: Annotated[list[str], Flag("That it may set.")]
    audit_non_hmac_request_keys: Annotated[list[str], Flag("That the audit log shows as they are.")]
    audit_non_hmac_response_keys: Annotated[
        list[str], Flag("That the audit log shows as they are.")
    ]


class Creation(Settings, total=False):
    """What can be said of a mount only when it is enabled."""

    local: Annotated[bool, Flag("Not replicated to other clusters.")]
    seal_wrap: Annotated[bool, Flag("Encrypt what is critical with the seal, too.")]


@dataclass(frozen=True, slots=True)
class Mounts:
    """One half of the mount table: `api` is its path, `prefix` what its mounts start with."""

    noun: str
    api: str
    prefix: str = ""

    @property
    def commands(self) -> Commands:
        """Those that are the same for both halves."""
        return {"list": self.show, "disable": self.disable, "move": self.move}

    def show(
        self, session: Session, *, detailed: Annotated[bool, Flag("All that is known.")] = False
    ) -> None:
        """List what is enabled."""
        reply = session.request("GET", self.api, doing=f"listing {self.noun}s")
        mounts: dict[str, Any] = reply.data or {}
        if session.output.is_json:
            session.output.json({path: _with_status(mounts[path]) for path in sorted(mounts)})
        elif detailed:
            _show_detailed(session.output, mounts, with_token_type=bool(self.prefix))
        else:
            rows = []
            for path, mount in sorted(mounts.items()):
                known = [mount.get(name) or "n/a" for name in ("type", "accessor", "description")]
                rows.append([path, *known])
            session.output.table(("Path", "Type", "Accessor", "Description"), rows)

    def enable(self, session: Session, type_: str, path: str, given: Mapping[str, Any]) -> str:
        """Enable a mount with the options `given`; its path, with a slash at the end."""
        path = path.strip("/") or type_.strip("/")
        tuned = _tuning(given)
        body = {
            "type": type_,
            "description": tuned.pop("description", ""),
            "options": tuned.pop("options", None),
            "local": tuned.pop("local", False),
            "seal_wrap": tuned.pop("seal_wrap", False),
            "config": tuned,
        }
        session.request("POST", f"{self.api}/{path}", body, doing="enabling")
        return f"{path}/"

    def tune(self, session: Session, path: str, given: Mapping[str, Any]) -> None:
        """Change the settings that are `given`."""
        path = f"{path.strip('/')}/"
        doing = f"tuning {self.noun} {path}"
        session.request("POST", f"sys/mounts/{self.prefix}{path}tune", _tuning(given), doing=doing)
        session.output.success(f"Tuned the {self.noun} at: {path}")

    def disable(self, session: Session, path: str) -> None:
        """Disable what is at PATH: what it holds is deleted, what it gave out is revoked."""
        path = path.strip("/")
        session.request("DELETE", f"{self.api}/{path}", doing=f"disabling {self.noun} at {path}/")
        session.output.success(f"Disabled the {self.noun} (if it existed) at: {path}/")

    def move(self, session: Session, from_: str, to: str) -> None:
        """Move what is at FROM to another path: what it gave out lives on (OpenBao revokes it)."""
        start, end = self._full(from_), self._full(to)
        doing = f"moving {self.noun} {start} to {end}"
        reply = session.request("POST", "sys/remount", {"from": start, "to": end}, doing=doing)
        migration = (reply.data or {}).get("migration_id")
        wait = _FIRST_WAIT
        while migration and (status := _migration(session, migration, doing)) != "success":
            if status in _FINAL:
                raise ServerFailed(f"Error {doing}: the server gave up (migration {migration})")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        session.output.success(f"Finished moving {self.noun} {start} to {end}")

    def _full(self, path: str) -> str:
        path = f"{path.strip('/')}/"
        return path if path.startswith(self.prefix) else self.prefix + path


def _tuning(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options `given`, as the API takes them: the version of a type is one of its options."""
    body = dict(given)
    if "version" in body:
        body["options"] = body.get("options", {}) | {"version": str(body.pop("version"))}
    return body


def _migration(session: Session, migration: str, doing: str) -> str:
    reply = session.request("GET", f"sys/remount/status/{migration}", doing=doing)
    return str(((reply.data or {}).get("migration_info") or {}).get("status"))


def _with_status(mount: dict[str, Any]) -> dict[str, Any]:
    return {"deprecation_status": "", **mount}


def _show_detailed(output: Output, mounts: dict[str, Any], with_token_type: bool) -> None:
    headings = ["Path", "Plugin", "Accessor", "Default TTL", "Max TTL"]
    headings += ["Token Type"] if with_token_type else ["Force No Cache"]
    headings += ["Replication", "Seal Wrap", "External Entropy Access", "Options", "Description"]
    headings += ["UUID", "Version", "Running Version", "Running SHA256", "Deprecation Status"]
    rows = []
    for path, mount in sorted(mounts.items()):
        config = mount.get("config") or {}
        special = config.get("token_type" if with_token_type else "force_no_cache")
        row = [path, mount.get("type"), mount.get("accessor")]
        row += [_ttl(mount, config.get(name)) for name in ("default_lease_ttl", "max_lease_ttl")]
        row += [special, "local" if mount.get("local") else "replicated", mount.get("seal_wrap")]
        row += [mount.get("external_entropy_access"), mount.get("options") or {}]
        row += [mount.get("description"), mount.get("uuid"), mount.get("plugin_version")]
        row += [mount.get("running_plugin_version"), mount.get("running_sha256")]
        row += [mount.get("deprecation_status")]
        rows.append(["n/a" if value in (None, "") else plain(value) for value in row])
    output.table(headings, rows)


def _ttl(mount: dict[str, Any], seconds: object) -> str:
    # The built-in mounts give out no leases of their own.
    if mount.get("type") in ("cubbyhole", "system"):
        return "n/a"
    return plain(seconds) if seconds else "system"
