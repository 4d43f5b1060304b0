"""`wardgate operator rekey|rotate-keys`: new unseal keys, made by those who hold the old ones."""

from typing import Annotated, Any, TypedDict, Unpack

from wardgate.cli.command import Flag
from wardgate.cli.failure import CommandFailed
from wardgate.cli.holding import KEY, filled, key_and_nonce, read_pgp_files
from wardgate.cli.output import Row
from wardgate.cli.session import Session
from wardgate.cli.text import plain

_STATUS = {
    "nonce": "",
    "started": False,
    "t": 0,
    "n": 0,
    "progress": 0,
    "required": 0,
    "pgp_fingerprints": None,
    "backup": False,
    "verification_required": False,
    "verification_nonce": "",
}
_FINISHED = {
    "nonce": "",
    "complete": False,
    "keys": None,
    "keys_base64": None,
    "pgp_fingerprints": None,
    "backup": False,
    "verification_required": False,
}
_VERIFICATION = {"nonce": "", "started": False, "t": 0, "n": 0, "progress": 0}


class _Options(TypedDict, total=False):
    init: Annotated[bool, Flag("Begin to replace the unseal keys.")]
    cancel: Annotated[bool, Flag("End it; with -verify, begin the verification again.")]
    status: Annotated[bool, Flag("Tell how far it is.")]
    verify: Annotated[
        bool, Flag("With -init: verify the new keys. Else: this is about the verification.")
    ]
    key_shares: Annotated[int, Flag("How many new keys there will be; 5 without it.", "n")]
    key_threshold: Annotated[int, Flag("How many of them are needed; 3 without it.", "t")]
    nonce: Annotated[str, Flag("The nonce that was printed at the beginning.")]
    pgp_keys: Annotated[str, Flag("Files with public PGP keys, one for each new key.")]
    backup: Annotated[bool, Flag("Keep the encrypted keys on the server.")]
    backup_retrieve: Annotated[bool, Flag("Print the encrypted keys that were kept.")]
    backup_delete: Annotated[bool, Flag("Remove them from the server.")]


def rekey(
    session: Session, key: Annotated[str | None, KEY] = None, **options: Unpack[_Options]
) -> None:
    """Replace the unseal keys by new ones.

    Begin with -init; each holder then gives a key and the -nonce. With -init -verify, the new keys
    hold only when enough of them were given back with -verify.
    """
    _Replacing(session, "sys/rekey").run(key, options)


def rotate_keys(
    session: Session, key: Annotated[str | None, KEY] = None, **options: Unpack[_Options]
) -> None:
    """Replace the unseal keys by new ones; as rekey, by the newer calls."""
    _Replacing(session, "sys/rotate/root").run(key, options)


class _Replacing:
    """One command about new unseal keys, at `base`."""

    def __init__(self, session: Session, base: str) -> None:
        self._session = session
        self._base = base

    def run(self, key: str | None, options: _Options) -> None:
        verify = options.get("verify", False)
        if options.get("backup_retrieve"):
            self._show_backup()
        elif options.get("backup_delete"):
            self._call("DELETE", "backup", "deleting backed up keys")
            self._session.output.success("Deleted backed up keys (if they existed)")
        elif options.get("init"):
            self._begin(options)
        elif options.get("cancel"):
            self._cancel(verify)
        elif options.get("status"):
            self._show_progress(verify)
        else:
            self._give(key, options.get("nonce", ""), verify)

    def _begin(self, options: _Options) -> None:
        wanted = {
            "secret_shares": options.get("key_shares", 5),
            "secret_threshold": options.get("key_threshold", 3),
            "pgp_keys": read_pgp_files(options.get("pgp_keys", "")) or None,
            "backup": options.get("backup", False),
            "require_verification": options.get("verify", False),
        }
        told = self._call("PUT", "init", "beginning to replace the unseal keys", wanted)
        if not wanted["require_verification"] and not self._session.output.is_json:
            self._session.output.note(
                "The new keys hold as soon as they are printed, and are printed once. To be safe,"
                " cancel this and begin again with -verify."
            )
        self._show(told)

    def _cancel(self, verify: bool) -> None:
        self._call("DELETE", "verify" if verify else "init", "canceling")
        what = "verification" if verify else "rotation"
        self._session.output.success(f"Canceled {what} (if it was started)")

    def _show_progress(self, verify: bool) -> None:
        told = self._call("GET", "verify" if verify else "init", "reading the status")
        if verify:
            self._show_verification(told)
        else:
            self._show(told)

    def _give(self, key: str | None, nonce: str, verify: bool) -> None:
        path = "verify" if verify else "init"
        status = self._call("GET", path, "reading the status")
        if not status.get("started"):
            raise CommandFailed("Nothing is in progress. Begin with -init.")
        key, nonce = key_and_nonce(self._session, key, nonce, status)
        body = {"key": key, "nonce": nonce}
        told = self._call("PUT", "verify" if verify else "update", "giving a key", body)
        if not verify:
            self._show_finished(told) if told.get("complete") else self._show(told)
        elif told.get("complete"):
            self._session.output.success("The new keys are in force.")
        else:
            self._show_verification(told)

    def _show_backup(self) -> None:
        told = self._call("GET", "backup", "reading backed up keys")
        output = self._session.output
        shown = {name: told.get(name) for name in ("nonce", "keys", "keys_base64")}
        if output.is_json:
            output.json(shown)
            return
        output.line(f"Nonce: {plain(shown['nonce'])}")
        for fingerprint, keys in (shown["keys_base64"] or {}).items():
            for key in keys:
                output.line(f"{fingerprint}: {key}")

    def _show(self, told: dict[str, Any]) -> None:
        output = self._session.output
        if output.is_json:
            output.json(filled(_STATUS, told))
            return
        rows: list[Row] = [("Nonce", plain(told.get("nonce") or "n/a"))]
        rows.append(("Started", plain(bool(told.get("started")))))
        if told.get("started"):
            rows += [
                ("Progress", f"{told.get('progress', 0)}/{told.get('required', 0)}"),
                ("New Shares", plain(told.get("n"))),
                ("New Threshold", plain(told.get("t"))),
                ("Verification Required", plain(bool(told.get("verification_required")))),
            ]
        if told.get("verification_nonce"):
            rows.append(("Verification Nonce", plain(told["verification_nonce"])))
        if told.get("pgp_fingerprints"):
            rows.append(("PGP Fingerprints", " ".join(told["pgp_fingerprints"])))
            rows.append(("Backup", plain(bool(told.get("backup")))))
        output.pairs(rows)

    def _show_verification(self, told: dict[str, Any]) -> None:
        output = self._session.output
        if output.is_json:
            output.json(filled(_VERIFICATION, told))
            return
        output.pairs(
            [
                ("Started", plain(bool(told.get("started")))),
                ("New Shares", plain(told.get("n"))),
                ("New Threshold", plain(told.get("t"))),
                ("Verification Nonce", plain(told.get("nonce"))),
                ("Verification Progress", f"{told.get('progress', 0)}/{told.get('t', 0)}"),
            ]
        )

    def _show_finished(self, told: dict[str, Any]) -> None:
        output = self._session.output
        if output.is_json:
            nonce = told.get("verification_nonce")
            output.json(filled(_FINISHED, told) | ({"verification_nonce": nonce} if nonce else {}))
            return
        fingerprints = told.get("pgp_fingerprints") or []
        for number, key in enumerate(told.get("keys_base64") or (), start=1):
            whose = f" fingerprint {fingerprints[number - 1]}" if fingerprints else ""
            output.line(f"Key {number}{whose}: {key}")
        output.line()
        output.line(f"Operation nonce: {plain(told.get('nonce'))}")
        if told.get("verification_nonce"):
            output.line(f"Verification nonce: {plain(told['verification_nonce'])}")
            output.line()
            output.line("The old keys are in force until enough of these were given back with")
            output.line("-verify and the verification nonce.")
        else:
            output.line()
            output.line("These keys are in force, and shown only now. The old ones are void.")

    def _call(
        self, method: str, path: str, doing: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        reply = self._session.request(method, f"{self._base}/{path}", body, doing=doing, wrap=False)
        return reply.data or {}
