"""Documents in HCL 1 or JSON: configuration files, ACL policies and password policies.

`read` takes the text and gives a tree of keys and values in the order of the text, every key with
its place. What keys there may be and what they mean is left to whoever asked. Both languages make
the same tree, so nobody else needs to know in which one a text was written.

`docs/decisions/hcl.md` says why this is our own.
"""

from wardgate.hcl.document import HclError, Item, Limits, Number, Place, Table, Value
from wardgate.hcl.json import read_json
from wardgate.hcl.reader import read_hcl

__all__ = ["HclError", "Item", "Limits", "Number", "Place", "Table", "Value", "read"]


def read(text: str, limits: Limits, file: str = "") -> Table:
    """What `text` says: JSON when it begins with a brace, as no HCL can, otherwise HCL 1.

    `file` is a name for messages, if there is one. Raises `HclError`, and nothing else, whatever
    the text; takes time and memory proportional to its length.
    """
    _check_text(text, limits, file)
    if text.lstrip(" \t\r\n").startswith("{"):
        return read_json(text, limits, file)
    return read_hcl(text, limits, file)


def _check_text(text: str, limits: Limits, file: str) -> None:
    # A text has no more characters than bytes, so that a huge one is not even encoded.
    if len(text) > limits.size:
        raise HclError(f"longer than {limits.size} bytes", Place(file))
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise HclError("half of a surrogate pair is no character", Place(file, line)) from None
    if size > limits.size:
        raise HclError(f"longer than {limits.size} bytes", Place(file))
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise HclError("a NUL character has no meaning", Place(file, line))
