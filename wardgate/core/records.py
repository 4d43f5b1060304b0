"""How records become bytes: one codec a kind of record, MessagePack inside.

A record is a frozen `msgspec.Struct`: it is decoded once for each version of its key and then shared
between requests, so nobody may change it.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Codec(Generic[T]):
    """Encodes and decodes records of one kind.

    `derive` turns the decoded struct into what readers work with (for example parsed policy rules),
    so that the work is done once for each stored version rather than for each request.
    """

    __slots__ = ("_decode", "_encode")

    def __init__(self, kind: type[T], derive: Callable[[T], T] | None = None) -> None:
        decode = msgspec.msgpack.Decoder(kind).decode
        self._decode: Callable[[bytes], T] = (
            decode if derive is None else lambda data: derive(decode(data))
        )
        self._encode = msgspec.msgpack.Encoder().encode

    def encode(self, record: T) -> bytes:
        return self._encode(record)

    def decode(self, data: bytes) -> T:
        """The record; `msgspec.DecodeError` or `msgspec.ValidationError` when the bytes are not one."""
        return self._decode(data)


class BytesCodec:
    """Leaves bytes as they are."""

    @staticmethod
    def encode(record: bytes) -> bytes:
        return record

    @staticmethod
    def decode(data: bytes) -> bytes:
        return data


JSON_MAP: Codec[dict[str, object]] = Codec(dict[str, object])
"""A free-form map of text to JSON values."""
