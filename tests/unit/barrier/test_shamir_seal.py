"""Initialising and unsealing with shares: how it goes, and all the ways it goes wrong."""

import asyncio
import os
from uuid import UUID

import msgspec
import pytest

from tests.clock import ManualClock
from tests.unit.barrier.conftest import Run
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.attempt import Progress
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import AlreadyInitialized, BarrierError, NotInitialized
from wardgate.barrier.keys import KEYRING, SEAL
from wardgate.barrier.seal import Seal, SealStatus, read_record
from wardgate.barrier.shamir_seal import ShamirSeal, new_shares
from wardgate.barrier.shares import UNSEAL_SHARES, ShareMarks
from wardgate.errors import InvalidRequest
from wardgate.store.interface import Entry, Put


class Server:
    """A process with its barrier and seal."""

    def __init__(self, store: DictStore) -> None:
        self.barrier = Barrier(store, ManualClock())
        self.seal = ShamirSeal(store, self.barrier)


@pytest.fixture
def server(store: DictStore) -> Server:
    return Server(store)


@pytest.fixture
def keys(server: Server, run: Run) -> list[bytes]:
    """The keys of a server with five shares and a threshold of three."""
    return run(server.seal.initialize(5, 3)).keys


# Initialising


def test_before_initialisation_there_is_nothing_to_unseal(server: Server, run: Run) -> None:
    seal: Seal = server.seal
    assert run(seal.status()) == SealStatus("shamir", False, True, 0, 0, 0, "")
    with pytest.raises(NotInitialized) as refusal:
        run(server.seal.submit(bytes(33)))
    assert refusal.value.status == 400
    server.seal.reset()


def test_initialising_is_one_commit_and_leaves_it_sealed(
    server: Server, store: DictStore, run: Run
) -> None:
    result = run(server.seal.initialize(5, 3, writes=[Put("core/first", b"1")]))
    assert [len(key) for key in result.keys] == [33] * 5
    assert len(store.commits) == 1
    assert sorted(store.data) == [KEYRING, SEAL, "core/first", UNSEAL_SHARES]
    assert run(server.seal.status()) == SealStatus("shamir", True, True, 3, 5, 0, "")


def test_nothing_that_unseals_is_in_storage_or_in_a_representation(
    server: Server, store: DictStore, run: Run
) -> None:
    result = run(server.seal.initialize(1, 1))
    (key,) = result.keys
    run(server.seal.submit(key))
    root_key = server.barrier._opened().root_key
    stored = b"".join(entry.value for entry in store.data.values())
    assert key not in stored
    assert root_key not in stored
    assert repr(key) not in repr(result)


@pytest.mark.parametrize(
    ("shares", "threshold", "problem"),
    [  # as OpenBao answers
        (0, 0, "shares must be at least one"),
        (0, 3, "shares must be at least one"),
        (-1, 1, "shares must be at least one"),
        (5, 0, "threshold must be at least one"),
        (5, -3, "threshold must be at least one"),
        (256, 0, "threshold must be at least one"),
        (3, 5, "threshold cannot be larger than shares"),
        (1, 2, "threshold cannot be larger than shares"),
        (5, 1, "threshold must be greater than one for multiple shares"),
        (256, 1, "threshold must be greater than one for multiple shares"),
        (256, 3, "shares must be less than 256"),
        (256, 300, "shares must be less than 256"),
        (5, 300, "threshold must be less than 256"),
    ],
)
def test_impossible_counts_are_refused_as_vault_refuses_them(
    server: Server, store: DictStore, run: Run, shares: int, threshold: int, problem: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        run(server.seal.initialize(shares, threshold))
    assert refusal.value.messages == (f"invalid seal configuration: {problem}",)
    assert not store.data


def test_a_second_initialisation_is_refused_and_the_keys_still_fit(
    server: Server, store: DictStore, keys: list[bytes], run: Run
) -> None:
    with pytest.raises(AlreadyInitialized) as refusal:
        run(Server(store).seal.initialize(1, 1))
    assert refusal.value.messages == ("Vault is already initialized",)
    assert [run(server.seal.submit(key)) for key in keys[:3]] == [False, False, True]


def test_of_two_initialisations_at_once_one_wins(store: DictStore, run: Run) -> None:
    servers = [Server(store), Server(store)]

    async def at_once() -> list[object]:
        return await asyncio.gather(
            *(server.seal.initialize(1, 1) for server in servers), return_exceptions=True
        )

    assert sorted(type(result).__name__ for result in run(at_once())) == [
        "AlreadyInitialized",
        "InitResult",
    ]


# Unsealing


@pytest.mark.parametrize("chosen", [(0, 1, 2), (4, 2, 0), (3, 4, 1)])
def test_any_three_keys_unseal_in_any_order(
    server: Server, keys: list[bytes], run: Run, chosen: tuple[int, ...]
) -> None:
    assert [run(server.seal.submit(keys[at])) for at in chosen] == [False, False, True]
    assert not server.barrier.sealed
    assert run(server.seal.status()) == SealStatus("shamir", True, False, 3, 5, 0, "")


def test_progress_is_counted_under_a_nonce_of_the_attempt(
    server: Server, keys: list[bytes], run: Run
) -> None:
    assert server.seal.progress == Progress(0, "")
    run(server.seal.submit(keys[0]))
    progress, nonce = server.seal.progress
    assert progress == 1
    assert str(UUID(nonce)) == nonce
    run(server.seal.submit(keys[1]))
    assert server.seal.progress == Progress(2, nonce)
    assert run(server.seal.status()) == SealStatus("shamir", True, True, 3, 5, 2, nonce)
    server.seal.reset()
    assert server.seal.progress == Progress(0, "")
    run(server.seal.submit(keys[0]))
    assert server.seal.progress.nonce not in ("", nonce)


def test_the_same_key_twice_counts_once(server: Server, keys: list[bytes], run: Run) -> None:
    assert not run(server.seal.submit(keys[0]))
    before = server.seal.progress
    for _ in range(3):
        assert not run(server.seal.submit(keys[0]))
    assert server.seal.progress == before


def test_a_single_share_is_the_key_itself(server: Server, run: Run) -> None:
    (key,) = run(server.seal.initialize(1, 1)).keys
    assert len(key) == 32
    with pytest.raises(InvalidRequest, match="do not open this server"):
        run(server.seal.submit(bytes(32)))
    assert run(server.seal.submit(key))


def test_values_are_there_after_sealing_and_unsealing(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    for key in keys[:3]:
        run(server.seal.submit(key))
    run(server.barrier.commit({}, [Put("a", b"kept")]))
    server.barrier.seal()
    restarted = Server(store)
    for process in (server, restarted):
        for key in keys[2:]:
            run(process.seal.submit(key))
        assert run(process.barrier.get("a")) == Entry(b"kept", 2)


def test_progress_is_not_shared_or_stored(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    before = dict(store.data)
    run(server.seal.submit(keys[0]))
    run(server.seal.submit(keys[1]))
    assert store.data == before
    assert Server(store).seal.progress == Progress(0, "")


def test_once_unsealed_keys_are_no_longer_looked_at(
    server: Server, keys: list[bytes], run: Run
) -> None:
    for key in keys[:3]:
        run(server.seal.submit(key))
    assert run(server.seal.submit(keys[3]))
    assert run(server.seal.submit(b"anything"))
    assert server.seal.progress == Progress(0, "")
    with pytest.raises(InvalidRequest, match="vault is unsealed"):
        server.seal.reset()


def test_keys_given_at_once_unseal_and_leave_no_progress(
    server: Server, keys: list[bytes], run: Run
) -> None:
    async def at_once() -> list[bool]:
        return await asyncio.gather(*(server.seal.submit(key) for key in keys))

    assert any(run(at_once()))
    assert not server.barrier.sealed
    assert server.seal.progress == Progress(0, "")


# Wrong keys


@pytest.mark.parametrize("length", [0, 1, 16, 32, 34, 4096])
def test_a_key_of_another_length_is_refused_at_once(
    server: Server, keys: list[bytes], run: Run, length: int
) -> None:
    run(server.seal.submit(keys[0]))
    before = server.seal.progress
    with pytest.raises(InvalidRequest, match="has 33 bytes once decoded"):
        run(server.seal.submit(b"x" * length))
    assert server.seal.progress == before


def test_a_key_with_an_impossible_point_is_refused_at_once(
    server: Server, keys: list[bytes], run: Run
) -> None:
    with pytest.raises(InvalidRequest, match="not a share that an initialisation gave out"):
        run(server.seal.submit(keys[0][:-1] + b"\0"))
    assert server.seal.progress == Progress(0, "")


def test_two_keys_for_one_share_are_refused_and_the_attempt_stays(
    server: Server, keys: list[bytes], run: Run
) -> None:
    run(server.seal.submit(keys[0]))
    with pytest.raises(InvalidRequest, match="another key for the same share"):
        run(server.seal.submit(bytes(32) + keys[0][-1:]))
    assert [run(server.seal.submit(key)) for key in keys[1:3]] == [False, True]


def test_a_wrong_set_of_keys_unseals_nothing_and_ends_the_attempt(
    server: Server, keys: list[bytes], run: Run
) -> None:
    wrong = os.urandom(32) + keys[2][-1:]
    run(server.seal.submit(keys[0]))
    run(server.seal.submit(keys[1]))
    with pytest.raises(InvalidRequest, match="do not open this server") as refusal:
        run(server.seal.submit(wrong))
    assert repr(wrong) not in str(refusal.value)
    assert server.barrier.sealed
    assert server.seal.progress == Progress(0, "")
    assert [run(server.seal.submit(key)) for key in keys[:3]] == [False, False, True]


def test_keys_of_another_server_unseal_nothing(server: Server, keys: list[bytes], run: Run) -> None:
    foreign = run(Server(DictStore()).seal.initialize(5, 3)).keys
    run(server.seal.submit(foreign[0]))
    run(server.seal.submit(foreign[1]))
    with pytest.raises(InvalidRequest, match="do not open this server"):
        run(server.seal.submit(foreign[2]))
    assert server.barrier.sealed


# Altered records


@pytest.mark.parametrize("threshold", [0, 1, 2])
def test_a_lowered_threshold_in_storage_opens_nothing(
    server: Server, keys: list[bytes], store: DictStore, run: Run, threshold: int
) -> None:
    altered = store.data[SEAL].value.replace(b'"threshold":3', b'"threshold":%d' % threshold)
    store.data[SEAL] = Entry(altered, 1)
    for key in keys[: max(threshold - 1, 0)]:
        run(server.seal.submit(key))
    with pytest.raises(InvalidRequest, match="do not open this server"):
        run(server.seal.submit(keys[4]))
    assert server.barrier.sealed


def test_a_damaged_seal_record_is_an_error_that_names_it(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    store.data[SEAL] = Entry(b"{", 1)
    with pytest.raises(BarrierError, match="the record barrier/seal in storage is damaged"):
        run(server.seal.status())


def test_storage_of_another_kind_of_seal_is_an_error_that_tells_the_fix(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    store.data[SEAL] = Entry(store.data[SEAL].value.replace(b"shamir", b"static"), 1)
    with pytest.raises(BarrierError, match="another kind of seal than shamir"):
        run(server.seal.submit(keys[0]))


def test_a_root_key_of_another_server_in_the_seal_record_does_not_unseal(
    server: Server, store: DictStore, run: Run
) -> None:
    run(server.seal.initialize(1, 1))
    other_store = DictStore()
    (key,) = run(Server(other_store).seal.initialize(1, 1)).keys
    store.data[SEAL] = other_store.data[SEAL]
    with pytest.raises(BarrierError, match="barrier/keyring"):
        run(server.seal.submit(key))
    assert server.barrier.sealed


# Another root key


def test_the_root_key_is_replaced_under_the_same_shares(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    for key in keys[:3]:
        run(server.seal.submit(key))
    before = server.barrier._opened().root_key
    run(server.seal.rotate_root())
    assert server.barrier._opened().root_key != before
    other = Server(store)
    for key in keys[2:]:
        run(other.seal.submit(key))
    assert not other.barrier.sealed
    assert other.barrier._opened().root_key == server.barrier._opened().root_key


def test_a_seal_and_a_keyring_that_do_not_belong_together_are_told_apart(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    for key in keys[:3]:
        run(server.seal.submit(key))
    foreign = new_shares(os.urandom(KEY_BYTES), 5, 3).record
    run(store.commit({}, [Put(SEAL, foreign)]))
    with pytest.raises(BarrierError, match="restore both from the same backup"):
        run(server.seal.rotate_root())


def test_a_seal_record_without_the_seals_key_says_what_to_do(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    for key in keys[:3]:
        run(server.seal.submit(key))
    record = run(read_record(store, "shamir"))
    assert record is not None
    older = msgspec.structs.replace(record, seal_key=b"")
    run(store.commit({}, [Put(SEAL, older.encode())]))
    with pytest.raises(InvalidRequest, match="sys/rotate/root/init"):
        run(server.seal.rotate_root())


def test_marks_are_of_the_shares_and_of_no_other(
    server: Server, keys: list[bytes], run: Run
) -> None:
    marks = ShareMarks.of(keys, 3)
    assert [marks.number(key) for key in keys] == [0, 1, 2, 3, 4]
    assert marks.number(keys[0][:-1] + b"\x00") is None
    assert marks.id != ShareMarks.of(keys, 3).id
    assert all(key[:16] not in marks.encode() for key in keys)
