"""Opens a dev server: initialised, unsealed, and with everything at hand that it takes.

In a data directory the key lies beside the data: a dev server protects nothing. The file is there
before the data are, so that a process that is killed in between leaves a directory that still opens.
"""

import base64
import binascii
import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import AlreadyInitialized
from wardgate.barrier.shamir_seal import ShamirSeal
from wardgate.core.bootstrap import first_writes
from wardgate.core.ids import TOKEN_LENGTH, random_base62
from wardgate.core.mounts import Mount, new_mount
from wardgate.core.tokens.store import SERVICE_PREFIX
from wardgate.errors import WardgateError
from wardgate.server.node import Node
from wardgate.server.options import DevOptions

KEY_FILE = "dev-unseal-key"
"""Two lines: the unseal key in base64, and the root token."""


@dataclass(frozen=True, slots=True)
class DevKeys:
    """What a dev server gives to whoever started it."""

    unseal_key: bytes = field(repr=False)
    root_token: str = field(repr=False)


async def open_dev(node: Node, dev: DevOptions) -> DevKeys:
    """Initialise and unseal a dev server, or open again what is in its data directory."""
    assert isinstance(node.seal, ShamirSeal), "a dev server has no other seal"
    keys = await _keys(node, dev)
    if not await node.barrier.initialized():
        mounts = [_kv(dev.kv_version)] if dev.kv_version is not None else []
        _, writes = await first_writes(node.core, keys.root_token, mounts)
        with contextlib.suppress(AlreadyInitialized):  # by another dev server, with the same keys
            await node.seal.initialize_with(keys.unseal_key, 1, 1, writes)
    await node.seal.submit(keys.unseal_key)
    if dev.store_token:
        _store_token(keys.root_token)
    return keys


async def _keys(node: Node, dev: DevOptions) -> DevKeys:
    token = dev.root_token_id or SERVICE_PREFIX + random_base62(TOKEN_LENGTH)
    fresh = DevKeys(os.urandom(KEY_BYTES), token)
    initialized = await node.barrier.initialized()
    file = dev.data / KEY_FILE if dev.data is not None else None
    if initialized and (file is None or not file.is_file()):
        raise WardgateError(
            "the data directory was initialised by a server that is not a dev server; start it"
            " with -config, or choose another directory for --data"
        )
    if file is None:
        return fresh
    keys = _kept(file, fresh)
    if dev.root_token_id in (None, "", keys.root_token):
        return keys
    if initialized:
        raise WardgateError(
            "the data directory has another root token than -dev-root-token-id; leave that out"
            " to go on with the one that it has, or choose another directory for --data"
        )
    file.unlink(missing_ok=True)
    return _kept(file, fresh)


def _kept(file: Path, fresh: DevKeys) -> DevKeys:
    """The keys in `file`; `fresh` ones are put there, all at once, if it is not there yet."""
    content = f"{base64.b64encode(fresh.unseal_key).decode()}\n{fresh.root_token}\n"
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{KEY_FILE}-") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(written.name, file)
    key, _, token = file.read_text().partition("\n")
    try:
        return DevKeys(base64.b64decode(key, validate=True), token.strip())
    except binascii.Error:
        raise WardgateError(
            f"{file} is damaged: its first line is not the unseal key; restore it"
        ) from None


def _kv(version: int) -> Mount:
    return new_mount(
        "secret/", "kv", description="key/value secret storage", options={"version": str(version)}
    )


def _store_token(token: str) -> None:
    """Let the command line on this machine use the dev server at once, as Vault's does."""
    with contextlib.suppress(OSError):
        path = Path.home() / ".vault-token"
        path.unlink(missing_ok=True)
        path.write_text(token)  # the umask makes it 0600
