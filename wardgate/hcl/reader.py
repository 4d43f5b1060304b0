"""Reads HCL 1, the language of Vault's configuration files and policies.

This is not HCL 2 (Terraform's): keys may be quoted (``"2xx" = {...}``), several items may share a
line, a line break may stand anywhere between tokens, and ``${...}`` is nothing but text. What is
read is what the `bao` binary reads, less what can only be a slip: a number that runs into the next
key (``a = 1b = 2``), a number of more than 64 bits, an escape that is no character, and a key
without a value at the end of the text are errors here.
"""

from wardgate.hcl.document import HclError, Item, Limits, Place, Table, Value, number
from wardgate.hcl.tokens import Token, tokens


def read_hcl(text: str, limits: Limits, file: str) -> Table:
    """The table that `text` says; its size is not looked at. Raises `HclError`."""
    reader = _Reader(text, limits.depth, file)
    return Table(reader.items("end", depth=0), Place(file))


class _Reader:
    """Recursive descent over the tokens; `_token` is the next one. `depth` counts what encloses a
    value, itself included.
    """

    def __init__(self, text: str, max_depth: int, file: str) -> None:
        self._file = file
        self._max_depth = max_depth
        self._tokens = tokens(text, file)
        self._token = next(self._tokens)

    def items(self, closing: str, depth: int) -> tuple[Item, ...]:
        """Items up to and including the token of kind `closing`."""
        items = []
        while self._token.kind != closing:
            items.append(self._item(closing, depth))
            if self._token.kind == ",":
                self._next()
        self._next()
        return tuple(items)

    def _item(self, closing: str, depth: int) -> Item:
        keys = [self._key(closing)]
        while self._token.kind in ("name", "text"):
            # Each label makes a table around the block, and nests like one.
            self._bound(self._token, depth + len(keys))
            keys.append(self._next())
        sign = self._next()
        first = self._place(keys[0])
        if sign.kind == "=" and len(keys) == 1:
            return Item(keys[0].text, self._value(depth + 1), first)
        if sign.kind != "{":
            raise self._error(sign, 'expected "= value" or a block in { } after a key')
        value = self._table(sign, depth + len(keys))
        for label in reversed(keys[1:]):
            value = Table((Item(label.text, value, self._place(label)),), first)
        return Item(keys[0].text, value, first)

    def _key(self, closing: str) -> Token:
        token = self._next()
        if token.kind == "end":
            raise self._error(token, "a block is not closed; end it with }")
        if token.kind not in ("name", "text"):
            raise self._error(token, "expected a key" + (" or }" if closing == "}" else ""))
        return token

    def _value(self, depth: int) -> Value:
        token = self._next()
        match token.kind:
            case "text":
                return token.text
            case "number":
                return number(token.text, self._place(token))
            case "truth":
                return token.text == "true"
            case "{":
                return self._table(token, depth)
            case "[":
                return self._list(token, depth)
            case "end":
                raise self._error(token, "the text ends where a value must stand")
        raise self._error(token, "expected a value; texts and durations stand in quotation marks")

    def _table(self, opening: Token, depth: int) -> Table:
        self._bound(opening, depth)
        return Table(self.items("}", depth), self._place(opening))

    def _list(self, opening: Token, depth: int) -> tuple[Value, ...]:
        self._bound(opening, depth)
        values = []
        while self._token.kind != "]":
            if self._token.kind != ",":
                values.append(self._value(depth + 1))
            if self._token.kind == ",":
                self._next()
            elif self._token.kind != "]":
                raise self._error(self._token, "expected a comma or ] in a list")
        self._next()
        return tuple(values)

    def _bound(self, token: Token, depth: int) -> None:
        if depth > self._max_depth:
            raise self._error(token, f"nested deeper than {self._max_depth} levels")

    def _next(self) -> Token:
        token = self._token
        # The end stays, so that whoever reads on there finds the end again.
        if token.kind != "end":
            self._token = next(self._tokens)
        return token

    def _place(self, token: Token) -> Place:
        return Place(self._file, token.line)

    def _error(self, token: Token, problem: str) -> HclError:
        # Without naming the key: where quotation marks are missing, a "key" is part of a value.
        return HclError(problem, self._place(token))
