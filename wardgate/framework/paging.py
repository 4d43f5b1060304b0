"""The query of a list: ``after`` and ``limit``."""

from typing import Annotated

from wardgate.framework.fields import Body, Doc


class Page(Body):
    """Which part of a list is wanted."""

    after: Annotated[str, Doc("List only names greater than this one.")] = ""
    limit: Annotated[int, Doc("List at most so many names; 0 or less lists all.")] = 0

    @property
    def most(self) -> int | None:
        """The limit for `Store.list`."""
        return self.limit if self.limit > 0 else None
