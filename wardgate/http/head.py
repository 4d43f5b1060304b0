"""The head of a request as it came: method, target, headers."""


class Headers:
    """The fields of a head. Names are in lower case; a field may be there several times."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, list[bytes]]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value; `default` where there is none, or it is not ASCII."""
        values = self._fields.get(name)
        if values is None:
            return default
        try:
            return values[0].decode("ascii")
        except UnicodeDecodeError:
            return default

    def drop(self, name: str) -> None:
        """Forget a field: it has been seen to."""
        del self._fields[name]

    def get_all(self, name: str) -> list[str]:
        """All values that are ASCII, as they came."""
        values = self._fields.get(name)
        return [] if values is None else [each.decode() for each in values if each.isascii()]


class Head:
    """`path` is percent-decoded, with U+FFFD for bytes that are no UTF-8, `query_string` is as it came;
    `client` is address and port of whoever sent it, empty over a unix socket."""

    __slots__ = ("client", "headers", "http_version", "method", "path", "query_string")

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str,
        headers: Headers,
        http_version: str,
        client: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.http_version = http_version
        self.client = client
