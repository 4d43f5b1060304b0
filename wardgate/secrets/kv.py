"""The mount type ``kv``: its option ``version`` says which of the two engines is behind it.

Both keep secrets in the same form, so a mount goes from version 1 to version 2 by the change of the
option alone. There is no way back, since version 1 could not show what version 2 has stored.
"""

from collections.abc import Mapping

from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend
from wardgate.secrets.kv1 import KvV1
from wardgate.secrets.kv2 import KvV2


def build(core: Core, mount: Mount) -> EndpointBackend:
    """The engine behind a mount of the type ``kv``."""
    return KvV2(core, mount) if _version(mount.options or {}) == "2" else KvV1(core, mount)


def check_options(options: Mapping[str, str]) -> None:
    """Refuse options that no new mount can have, with `InvalidRequest`."""
    _version(options)


def check_tuning(before: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Refuse the options `given` to a mount that it cannot take over, with `InvalidRequest`.

    What it had `before` and is not given stays.
    """
    if "version" in given:
        if not given["version"]:
            raise InvalidRequest("options.version: must be 1 or 2")
        if _version(given) < _version(before):
            raise InvalidRequest("options.version: a mount cannot go back from version 2 to 1")


def _version(options: Mapping[str, str]) -> str:
    version = options.get("version") or "1"
    if version not in ("1", "2"):
        raise InvalidRequest("options.version: must be 1 or 2")
    return version
