"""A wrapper for tests: keys in memory, which can be changed, taken away or be out of reach."""

import os

from wardgate.barrier import envelope
from wardgate.barrier.auto_seal import Wrapped
from wardgate.barrier.errors import SealFailed, WrongKey
from wardgate.barrier.keys import SEAL


class Keeper:
    """Holds a key for each version; the newest one is in use."""

    type = "keeper"

    def __init__(self) -> None:
        self.keys = {"1": os.urandom(32)}
        self.away = False
        self.asked = 0

    def change_key(self) -> None:
        self.keys[str(len(self.keys) + 1)] = os.urandom(32)

    async def wrap(self, plaintext: bytes) -> Wrapped:
        self._ask()
        name = max(self.keys, key=int)
        return Wrapped(name, envelope.wrap(self.keys[name], SEAL, plaintext))

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        self._ask()
        try:
            return envelope.unwrap(self.keys[wrapped.key_id], SEAL, wrapped.ciphertext)
        except (KeyError, WrongKey):
            raise SealFailed("no such key") from None

    async def maintain(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise SealFailed("the keeper is away")
