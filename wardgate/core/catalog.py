"""What kinds of backends there are; the composition root fills it in."""

from typing import TYPE_CHECKING, Protocol

from wardgate.core.backend import Backend
from wardgate.core.mounts import Mount

if TYPE_CHECKING:
    from wardgate.core.core import Core

Options = dict[str, str] | None


class Catalog(Protocol):
    """All kinds of secret engines and auth methods."""

    def canonical(self, path: str, kind: str, options: Options) -> tuple[str, Options]:
        """The kind and options under which `kind` is mounted at `path` (``kv-v2`` is ``kv`` with
        version 2); `InvalidRequest` when there is no such kind or the options do not fit it."""
        ...

    def check_tuning(self, mount: Mount, options: dict[str, str]) -> None:
        """`InvalidRequest` when a mounted backend cannot take over these options."""
        ...

    def names(self, kind: str) -> list[str]:
        """The names of what can be mounted, sorted: of ``auth`` or ``secret``; of other kinds there
        are none."""
        ...

    def build(self, core: "Core", mount: Mount) -> Backend:
        """The code behind `mount`."""
        ...
