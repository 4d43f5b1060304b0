"""What endpoints may ask of the process that they run in."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from wardgate.core.request import JsonMap

Reload: TypeAlias = Callable[[], Awaitable[list[str]]]


class Host:
    """The process: the server puts in what it can do. `state` gives its configuration without
    secrets; `reload` reads the configuration again, as SIGHUP does, and says what came of it, None
    where there is no configuration to read."""

    def __init__(self) -> None:
        self.state: Callable[[], JsonMap] = dict
        self.reload: Reload | None = None
