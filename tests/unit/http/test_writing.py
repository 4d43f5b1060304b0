"""The bytes of answers."""

import pytest

from wardgate.http.writing import Fields, answer_bytes, date_bytes

DATE = date_bytes(1_700_000_000)


def head(fields: Fields, status: int = 200) -> list[bytes]:
    lines, _, body = answer_bytes(status, fields, b"", DATE, bare=False).partition(b"\r\n\r\n")
    assert body == b""
    return lines.split(b"\r\n")


def test_an_answer() -> None:
    assert answer_bytes(
        404, [("a", "b"), ("a", "c")], b"hi", DATE, connection="close", bare=False
    ) == (
        b"HTTP/1.1 404 Not Found\r\na: b\r\na: c\r\nconnection: close\r\ncontent-length: 2\r\n"
        b"date: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\nhi"
    )


def test_an_answer_without_a_body() -> None:
    for status, bare in ((204, False), (200, True)):
        said = answer_bytes(status, [], b"hi", DATE, bare=bare)
        assert b"content-length" not in said
        assert said.endswith(b"GMT\r\n\r\n")


@pytest.mark.parametrize(("status", "line"), [(200, b"200 OK"), (472, b"472 Unknown")])
def test_a_status_has_a_reason(status: int, line: bytes) -> None:
    assert head([], status)[0] == b"HTTP/1.1 " + line


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "\x80\xa0\xadé", "\U0001f600"])
def test_a_value_that_an_operator_may_give_is_sent(value: str) -> None:
    assert f"x: {value}".encode() in head([("x", value)])


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "\0", "\x7f", "\x1b", "\ud800"])
def test_a_value_that_is_none_is_not_sent(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        head([("x", value)])


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\n", "\0"])
def test_a_name_that_is_none_is_not_sent(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        head([(name, "a")])


def test_the_message_repeats_no_value() -> None:
    with pytest.raises(ValueError, match="'x'") as refused:
        head([("x", "hunter2\n")])
    assert "hunter2" not in str(refused.value)
