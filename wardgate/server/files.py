"""Finds and reads configuration files: HCL or JSON by content, a directory as all its files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wardgate.hcl import HclError, Place, Table, read
from wardgate.server.document import LIMITS, MAX_FILE_BYTES, ConfigError


def read_files(paths: Sequence[Path]) -> Table:
    """All items of all files, in order. A directory stands for its ``*.hcl`` and ``*.json`` files,
    sorted by name; others in it are left alone. Raises `ConfigError`.
    """
    tables = [read_text(_text(file), str(file)) for path in paths for file in _expanded(path)]
    place = tables[0].place if tables else Place("configuration")
    return Table(tuple(item for table in tables for item in table), Place(place.file))


def read_text(text: str, file: str) -> Table:
    """What one file says, be it HCL or JSON. Raises `ConfigError`."""
    try:
        return read(text.removeprefix("\ufeff"), LIMITS, file)
    except HclError as error:
        raise ConfigError(error.problem, error.place) from None


def _expanded(path: Path) -> Iterator[Path]:
    try:
        if not path.is_dir():
            yield path
            return
        names = sorted(path.iterdir())
    except OSError as error:
        raise _unreadable(path, error) from None
    # ".#name.hcl" is the lock of an editor that has the file open.
    files = [each for each in names if each.suffix in (".hcl", ".json") and each.name[:2] != ".#"]
    if not files:
        raise ConfigError("the directory has no *.hcl or *.json file in it", Place(str(path)))
    yield from files


def _text(path: Path) -> str:
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:  # a NUL in the path
        raise ConfigError("is no valid path", Place("configuration")) from None
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"the file is larger than {MAX_FILE_BYTES} bytes", place)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file is not UTF-8 text", Place(place.file, line)) from None


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot be read: {error.strerror}", Place(str(path)))
