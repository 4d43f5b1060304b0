"""Globs in which ``*`` stands for any run of characters and nothing else is special."""


def glob_matches(glob: str, text: str) -> bool:
    """Whether the whole of `text` fits `glob`; linear in the length of both.

    Each piece between stars is taken at its first occurrence, which never spoils a later match.
    """
    first, *middle = glob.split("*")
    if not middle:
        return glob == text
    last = middle.pop()
    if len(text) < len(first) + len(last):
        return False
    if not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True
