"""The static seal's keys: where they come from, and what is made of wrong ones."""

import asyncio
import base64
import logging
import os
from pathlib import Path

import pytest

from wardgate.barrier.auto_seal import Wrapped
from wardgate.barrier.errors import SealFailed
from wardgate.hcl import Place
from wardgate.server.document import ConfigError
from wardgate.server.seals.config import StaticSeal
from wardgate.server.seals.static import StaticWrapper

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


def opened(
    current: str, identity: str = "a", previous: str = "", previous_id: str = "", **environ: str
) -> StaticWrapper:
    place = Place("w.hcl", 3)
    return StaticWrapper.open(StaticSeal(identity, current, previous_id, previous, place, environ))


def opens(wrapper: StaticWrapper, key: bytes, identity: str = "a") -> bool:
    """Whether what was encrypted with `key` is decrypted."""
    wrapped = asyncio.run(StaticWrapper(identity, {identity: key}).wrap(b"secret"))
    try:
        return asyncio.run(wrapper.unwrap(wrapped)) == b"secret"
    except SealFailed:
        return False


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("written", [KEY.hex(), KEY.hex().upper(), base64.b64encode(KEY).decode()])
def test_a_key_is_written_in_one_of_three_ways(tmp_path: Path, written: str, end: str) -> None:
    file = tmp_path / "key"
    file.write_text(written + end)
    assert opens(opened(f"file://{file}"), KEY)
    assert opens(opened("env://SOME_KEY", SOME_KEY=written + end), KEY)
    assert opens(opened(written + end), KEY)


def test_a_file_may_hold_the_raw_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    for key in (KEY, os.urandom(31) + b"\n", bytes(32)):
        file.write_bytes(key)
        assert opens(opened(f"file://{file}"), key)


@pytest.mark.parametrize(
    "content", [b"", KEY[:31], KEY + b"x", KEY[:16].hex().encode()[:31], b"hunter2", bytes(64)]
)
def test_a_key_of_another_length_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        opened(f"file://{file}")
    said = str(error.value)
    assert said.startswith('w.hcl:3: seal "static": current_key: must be a key of 32 bytes')
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("file:///no/such/file", "current_key: the key file cannot be read: No such file"),
        ("file:///", "current_key: the key file cannot be read: Is a directory"),
        ("file://a\0b", "current_key: the key file cannot be read: not a path"),
        ("env://NOT_SET", "current_key: the variable that it names is not set"),
        ("hunter2", "current_key: must be a key of 32 bytes"),
    ],
)
def test_a_key_that_is_not_there_is_refused(given: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        opened(given)
    assert problem in str(error.value)
    assert "hunter2" not in str(error.value)


def test_who_may_read_the_key_file_is_looked_at(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY)
    for mode, warned in ((0o400, False), (0o440, False), (0o644, True), (0o602, True)):
        file.chmod(mode)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            opened(f"file://{file}")
        assert ("every user of this machine" in caplog.text) == warned


def test_a_key_that_is_a_text_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    opened(KEY[:16].hex())
    assert "is text of 32 characters" in caplog.text
    assert KEY[:16].hex() not in caplog.text


def test_keys_change_by_way_of_the_previous_one() -> None:
    wrapper = opened(OTHER.hex(), "b", KEY.hex(), "a")
    assert opens(wrapper, KEY, "a")
    assert opens(wrapper, OTHER, "b")
    assert asyncio.run(wrapper.wrap(b"x")).key_id == "b"


def test_two_keys_do_not_share_an_id() -> None:
    with pytest.raises(ConfigError, match="two different keys have the same id"):
        opened(OTHER.hex(), "a", KEY.hex(), "a")
    opened(KEY.hex(), "a", KEY.hex(), "a")


def test_a_wrong_key_says_what_to_do() -> None:
    wrapped = asyncio.run(opened(KEY.hex(), "a").wrap(b"secret"))
    for wrapper, reason in [
        (opened(OTHER.hex(), "a"), "the key of this id is not the one"),
        (opened(OTHER.hex(), "b"), "set previous_key and previous_key_id to that key"),
    ]:
        with pytest.raises(SealFailed) as failure:
            asyncio.run(wrapper.unwrap(wrapped))
        assert reason in failure.value.reason
    with pytest.raises(SealFailed) as failure:
        asyncio.run(opened(KEY.hex(), "a").unwrap(Wrapped("a", b"damaged")))
    assert "barrier/seal" in failure.value.reason


def test_a_closed_wrapper_has_no_keys() -> None:
    wrapper = opened(KEY.hex())
    asyncio.run(wrapper.close())
    assert not opens(wrapper, KEY)
