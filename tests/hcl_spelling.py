"""Documents of any shape, and the many ways in which HCL 1 lets one write them down."""

import json
import random
from typing import TypeAlias

from hypothesis import strategies as st

from wardgate.hcl import Number, Table, Value

Node: TypeAlias = "str | int | float | bool | list[Node] | Tree | None"
Tree: TypeAlias = "tuple[tuple[str, Node], ...]"
"""A table as its keys and values in order. A key may be repeated."""

TEMPLATES = ("${a}", 'x${"b" {c}}y', "${\n}", r"${a\n\"}", "$${}")
"""Texts that mean what stands between quotation marks, be it a line break or a backslash."""

_CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.one_of(
    st.text(_CHARS, max_size=12),
    st.lists(st.text(_CHARS, max_size=8).map(lambda line: line + "\n"), max_size=3).map("".join),
    st.text(st.sampled_from('${}"\\\n# ')),
    st.sampled_from(TEMPLATES),
)
KEYS = st.sampled_from(["a", "b-c", "d.e", "_f", "truth", "é", "true", "2xx", ""]) | TEXTS
_SCALARS = st.one_of(
    TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)
).filter(lambda value: value not in (float("inf"), float("-inf")))


def _trees(values: st.SearchStrategy[Node]) -> st.SearchStrategy[Tree]:
    return st.lists(st.tuples(KEYS, values), max_size=4).map(tuple)


NODES: st.SearchStrategy[Node] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | _trees(inner), max_leaves=10
)
TREES = _trees(NODES)


def plain(value: Value) -> Node:
    """What was read, without places and spelling."""
    if isinstance(value, Table):
        return tuple((item.key, plain(item.value)) for item in value)
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.value if isinstance(value, Number) else value


class Spelling:
    """Writes down trees, with a choice wherever the language leaves one."""

    def __init__(self, seed: int) -> None:
        # Choices drawn one by one would take minutes.
        self._random = random.Random(seed)

    def document(self, tree: Tree) -> str:
        return self._gap("") + "".join(self._item(key, value) for key, value in tree)

    def value(self, value: Node) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case str():
                return self._pick([*self._heredocs(value), self.quoted(value)])
            case int() | float():
                return self._number(value)
            case list():
                return "[" + self._gap("") + self._list_items(value) + "]"
            case tuple():
                return "{" + self.document(value) + "}"
        raise AssertionError("HCL has no null")

    def quoted(self, text: str) -> str:
        if text in TEMPLATES:
            return f'"{text}"'
        following = [*text[1:], '"']
        return '"' + "".join(map(self._char, text, following)) + '"'

    def _list_items(self, values: list[Node]) -> str:
        comma = self._pick([",", " , ", ",\n", ",,"])
        items = comma.join(self.value(each) + self._gap("") for each in values)
        return items + (self._pick(["", comma]) if values else "")

    def _item(self, key: str, value: Node) -> str:
        written = self._key(key) + self._gap(" ")
        if isinstance(value, tuple) and self._flip():
            while len(value) == 1 and self._flip():
                label, inner = value[0]
                if not isinstance(inner, tuple):
                    break
                written += self._key(label) + self._gap(" ")
                value = inner
            written += self.value(value)
        else:
            written += "=" + self._gap("") + self.value(value)
        return written + self._gap("") + self._pick([" ", "\n", ",", " ,\n"]) + self._gap("")

    def _key(self, key: str) -> str:
        if key in ("a", "b-c", "d.e", "_f", "truth", "é") and self._flip():
            return key
        return self.quoted(key)

    def _char(self, char: str, following: str) -> str:
        code = ord(char)
        ways = [f"\\U{code:08x}"]
        if char not in '"\\\n' and char + following != "${":
            ways.append(char)
        if code <= 0xFFFF:
            ways.append(f"\\u{code:04X}")
        if char in '"\\\n\t':
            ways.append("\\" + {"\n": "n", "\t": "t"}.get(char, char))
        ways.append("".join(f"\\x{byte:02x}" for byte in char.encode()))
        ways.append("".join(f"\\{byte:03o}" for byte in char.encode()))
        return self._pick(ways)

    def _heredocs(self, text: str) -> list[str]:
        lines = text.split("\n")
        if lines.pop() or "\r" in text or "END" in text:
            return []
        indented = "".join(f"\t {line}\n" for line in lines)
        return [f"<<END\n{text}END\n", f"<<-END\n{indented}\t END\n"]

    def _number(self, number: int | float) -> str:
        if isinstance(number, float):
            return self._pick([repr(number), f"{number:.17e}", f"{number:.17E}"])
        sign = "-" if number < 0 else ""
        digits = abs(number)
        return self._pick([f"{number}", f"{sign}0x{digits:X}", f"{sign}0{digits:o}"])

    def _gap(self, least: str) -> str:
        """White space and comments, or only `least`."""
        return self._pick([least, least, " ", "\n", "\t\r\n", ' # " }\n', "// [\n", '/* " } */'])

    def _pick(self, ways: list[str]) -> str:
        return self._random.choice(ways)

    def _flip(self) -> bool:
        return self._random.random() < 0.5


_SPELLINGS = st.builds(Spelling, st.integers(0, 2**32))

SPELLED_DOCUMENTS = st.builds(
    lambda spelling, tree: (spelling.document(tree), tree), _SPELLINGS, TREES
)
"""A document, and what it means."""

SPELLED_TEXTS = st.builds(lambda spelling, text: (spelling.value(text), text), _SPELLINGS, TEXTS)
"""A text as a value, and what it means."""


def as_json(tree: Node) -> str:
    """The same as JSON, which has one way to write most things."""
    if isinstance(tree, tuple):
        return "{" + ", ".join(f"{json.dumps(key)}: {as_json(v)}" for key, v in tree) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(as_json, tree)) + "]"
    return json.dumps(tree)
