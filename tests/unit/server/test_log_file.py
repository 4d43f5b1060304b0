"""The log file: written, renewed, bounded."""

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wardgate.server.log_file import LogFile, LogFileError


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, to be moved by the test; file names get one nanosecond more each."""
    time = [1000.0]
    names = iter(range(10**18, 10**19))
    monkeypatch.setattr("wardgate.server.log_file.time.monotonic", lambda: time[0])
    monkeypatch.setattr("wardgate.server.log_file.time.time_ns", lambda: next(names))
    return time


@pytest.fixture
def opened() -> Iterator[list[LogFile]]:
    files: list[LogFile] = []
    yield files
    for file in files:
        file.close()


class Log:
    """A log file, and what is in its folder."""

    def __init__(self, folder: Path, opened: list[LogFile], **limits: int) -> None:
        self.folder = folder
        whole = {"most_bytes": 0, "most_seconds": 0, "most_files": 0, **limits}
        self.file = LogFile(folder / "w.log", **whole)
        opened.append(self.file)

    def write(self, *lines: str) -> None:
        for line in lines:
            self.file.emit(logging.makeLogRecord({"msg": line}))

    @property
    def now(self) -> list[str]:
        return (self.folder / "w.log").read_text().splitlines()

    @property
    def old(self) -> list[list[str]]:
        return [each.read_text().splitlines() for each in sorted(self.folder.glob("w-*.log"))]


def test_lines_are_added_and_nobody_else_may_read_them(
    tmp_path: Path, opened: list[LogFile], now: list[float]
) -> None:
    (tmp_path / "w.log").write_text("before\n")
    (tmp_path / "w.log").chmod(0o600)
    log = Log(tmp_path, opened)
    log.write("one", "half a pair: \ud800")
    assert log.now == ["before", "one", "half a pair: \\ud800"]
    new = LogFile(tmp_path / "new.log", most_bytes=0, most_seconds=0, most_files=0)
    opened.append(new)
    assert stat.S_IMODE((tmp_path / "new.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("given", "found"), [("", "wardgate.log"), ("w", "w.log"), ("w.txt", "w.txt")]
)
def test_a_name_is_found_for_it(
    given: str, found: str, tmp_path: Path, opened: list[LogFile]
) -> None:
    opened.append(LogFile(tmp_path / given, most_bytes=0, most_seconds=0, most_files=0))
    assert [each.name for each in tmp_path.iterdir()] == [found]


def test_a_large_file_is_put_aside(tmp_path: Path, opened: list[LogFile], now: list[float]) -> None:
    log = Log(tmp_path, opened, most_bytes=10)
    log.write("1234", "1234", "5678", "longer than ten bytes", "9")
    assert log.old == [["1234", "1234"], ["5678"], ["longer than ten bytes"]]
    assert log.now == ["9"]


def test_an_old_file_is_put_aside(tmp_path: Path, opened: list[LogFile], now: list[float]) -> None:
    log = Log(tmp_path, opened, most_seconds=60)
    log.write("a")
    now[0] += 59
    log.write("b")
    now[0] += 1
    log.write("c")
    now[0] += 59
    log.write("d")
    assert (log.old, log.now) == ([["a", "b"]], ["c", "d"])


@pytest.mark.parametrize(("most", "left"), [(0, 9), (3, 3), (-1, 0)])
def test_so_many_files_are_kept(
    most: int, left: int, tmp_path: Path, opened: list[LogFile], now: list[float]
) -> None:
    (tmp_path / "w-notes.log").write_text("mine\n")
    log = Log(tmp_path, opened, most_bytes=1, most_files=most)
    log.write(*map(str, range(10)))
    old = log.old
    assert old.pop() == ["mine"]
    assert [lines[0] for lines in old] == list(map(str, range(9)))[9 - left :]
    assert log.now == ["9"]


def test_it_goes_on_in_the_file_that_has_the_name(
    tmp_path: Path, opened: list[LogFile], now: list[float]
) -> None:
    log = Log(tmp_path, opened)
    log.write("a")
    (tmp_path / "w.log").rename(tmp_path / "moved")
    log.write("b")
    log.file.reopen()
    log.write("c")
    assert ((tmp_path / "moved").read_text(), log.now) == ("a\nb\n", ["c"])


def test_what_cannot_be_opened_is_refused_and_the_old_one_kept(
    tmp_path: Path, opened: list[LogFile], now: list[float]
) -> None:
    with pytest.raises(LogFileError, match="log_file: cannot be opened: No such file"):
        LogFile(tmp_path / "no" / "w.log", most_bytes=0, most_seconds=0, most_files=0)
    log = Log(tmp_path, opened)
    (tmp_path / "w.log").unlink()
    (tmp_path / "w.log").mkdir()
    with pytest.raises(LogFileError, match="log_file: cannot be opened: Is a directory"):
        log.file.reopen()
    log.write("nobody reads this, and nothing breaks")


def test_a_full_disk_is_said_once(
    tmp_path: Path, opened: list[LogFile], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.log").symlink_to("/dev/full")
    full = LogFile(tmp_path / "w.log", most_bytes=0, most_seconds=0, most_files=0)
    for _ in range(3):
        full.emit(logging.makeLogRecord({"msg": "lost"}))
    said = capsys.readouterr().err
    assert said == "the log file cannot be written or renewed: No space left on device\n"
    opened.append(full)


def test_a_folder_that_is_gone_is_said_once(
    tmp_path: Path, opened: list[LogFile], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    log = Log(tmp_path / "a", opened, most_bytes=1)
    log.write("kept")
    (tmp_path / "a" / "w.log").unlink()
    (tmp_path / "a").rmdir()
    log.write("where the old one was no new one can be", "goes on")
    assert capsys.readouterr().err.count("cannot be written or renewed: No such file") == 1


def test_a_file_that_somebody_has_moved_is_begun_anew_when_it_is_due(
    tmp_path: Path, opened: list[LogFile]
) -> None:
    log = Log(tmp_path, opened, most_bytes=1)
    log.write("moved")
    (tmp_path / "w.log").rename(tmp_path / "elsewhere")
    log.write("new")
    assert (tmp_path / "w.log").read_text() == "new\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_several_workers_write_one_file_and_begin_new_ones_together(
    tmp_path: Path, opened: list[LogFile]
) -> None:
    logs = [Log(tmp_path, opened, most_bytes=100) for _ in range(3)]
    for number in range(60):
        logs[number % 3].write(f"line {number:04}")
    files = sorted(tmp_path.iterdir(), key=lambda file: file.read_text())
    assert [line for file in files for line in file.read_text().splitlines()] == [
        f"line {number:04}" for number in range(60)
    ]
    assert all(file.stat().st_size <= 100 for file in files)
    assert len(files) == 6
