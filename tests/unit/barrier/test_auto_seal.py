"""A server that unseals by itself: how it goes, and all the ways it goes wrong."""

import asyncio

import msgspec
import pytest

from tests.clock import ManualClock
from tests.unit.barrier.conftest import Run
from tests.unit.barrier.dict_store import DictStore
from tests.unit.barrier.keeper import Keeper
from wardgate.barrier import envelope, shamir
from wardgate.barrier.attempt import Progress, split_key
from wardgate.barrier.auto_seal import AutoSeal, Health, digest_of
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.errors import (
    AlreadyInitialized,
    BarrierError,
    NotInitialized,
    SealFailed,
)
from wardgate.barrier.keys import KEYRING, SEAL
from wardgate.barrier.seal import Seal, SealRecord, SealStatus
from wardgate.errors import InvalidRequest
from wardgate.store.interface import Entry, Put

WRONG = bytes(32) + b"\x07"


class Server:
    """A process with its barrier and seal."""

    def __init__(self, store: DictStore, keeper: Keeper) -> None:
        self.clock = ManualClock()
        self.barrier = Barrier(store, self.clock)
        self.seal = AutoSeal(store, self.barrier, keeper, self.clock)

    async def proves(self, *shares: bytes) -> bool:
        """Whether these shares open the server after it was sealed by hand. Then it is open."""
        self.barrier.seal()
        try:
            for share in shares:
                await self.seal.submit(share)
            return not self.barrier.sealed
        except InvalidRequest:
            return False
        finally:
            if self.barrier.sealed:
                await self.seal.open()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def server(store: DictStore, keeper: Keeper) -> Server:
    return Server(store, keeper)


@pytest.fixture
def keys(server: Server, run: Run) -> list[bytes]:
    """The recovery keys of a server with five shares and a threshold of three."""
    return run(server.seal.initialize(5, 3, [Put("core/first", b"1")])).recovery_keys


def record(store: DictStore) -> SealRecord:
    return msgspec.json.decode(store.data[SEAL].value, type=SealRecord)


# Initialising and unsealing


def test_before_initialisation_there_is_nothing_to_unseal(server: Server, run: Run) -> None:
    seal: Seal = server.seal
    assert run(seal.status()) == SealStatus("keeper", False, True, 0, 0, 0, "", recovery=True)
    assert not run(server.seal.open())
    run(server.seal.check())
    with pytest.raises(NotInitialized):
        run(seal.submit(WRONG))
    seal.reset()


def test_initialising_is_one_commit_and_unseals(server: Server, store: DictStore, run: Run) -> None:
    result = run(server.seal.initialize(5, 3, writes=[Put("core/first", b"1")]))
    assert (result.keys, [len(key) for key in result.recovery_keys]) == ([], [33] * 5)
    assert len(store.commits) == 1
    assert sorted(store.data) == [KEYRING, SEAL, "core/first", "core/recovery-shares"]
    status = run(server.seal.status())
    assert status == SealStatus("keeper", True, False, 3, 5, 0, "", recovery=True)
    assert run(server.barrier.get("core/first")) == Entry(b"1", 1)


def test_nothing_that_opens_or_proves_anything_is_in_storage(
    server: Server, store: DictStore, keys: list[bytes]
) -> None:
    root_key, recovery_key = server.barrier._opened().root_key, shamir.combine(keys[:3])
    stored = b"".join(entry.value for entry in store.data.values())
    for secret in (root_key, recovery_key, *keys):
        assert secret not in stored


@pytest.mark.usefixtures("keys")
def test_another_process_unseals_by_itself(store: DictStore, keeper: Keeper, run: Run) -> None:
    other = Server(store, keeper)
    assert run(other.seal.open())
    assert other.seal.opened
    assert run(other.barrier.get("core/first")) == Entry(b"1", 1)


def test_of_two_processes_that_initialise_one_does(
    store: DictStore, keeper: Keeper, run: Run
) -> None:
    servers = [Server(store, keeper) for _ in range(2)]

    async def together() -> list[object]:
        calls = (server.seal.initialize(1, 1) for server in servers)
        return list(await asyncio.gather(*calls, return_exceptions=True))

    outcomes = run(together())
    assert sorted(isinstance(each, AlreadyInitialized) for each in outcomes) == [False, True]
    for server in servers:
        run(server.seal.open())
        assert not server.barrier.sealed


@pytest.mark.parametrize(
    ("shares", "threshold", "problem"),
    [
        (-1, -1, "shares must be at least one"),
        (0, 1, "threshold cannot be larger than shares"),
        (3, 4, "threshold cannot be larger than shares"),
        (3, 1, "threshold must be greater than one for multiple shares"),
        (3, 0, "threshold must be greater than one for multiple shares"),
        (256, 2, "shares must be less than 256"),
        (1, -1, "threshold must be at least one"),
    ],
)
def test_impossible_counts_are_refused(
    server: Server, store: DictStore, run: Run, shares: int, threshold: int, problem: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        run(server.seal.initialize(shares, threshold))
    assert refusal.value.messages == (f"invalid recovery configuration: {problem}",)
    assert store.data == {}


def test_without_its_keeper_it_cannot_be_initialised(
    server: Server, store: DictStore, keeper: Keeper, run: Run
) -> None:
    keeper.away = True
    with pytest.raises(SealFailed) as refusal:
        run(server.seal.initialize(1, 1))
    assert refusal.value.status == 503
    assert refusal.value.reason == "the keeper is away"
    assert "away" not in str(refusal.value)
    assert store.data == {}


def test_it_opens_when_the_keeper_is_back(
    keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    keeper.away = True
    other = Server(store, keeper)
    other.clock.advance(60)
    with pytest.raises(SealFailed):
        run(other.seal.open())
    assert other.seal.health == Health(False, other.clock.now())
    keeper.away = False
    assert run(other.seal.open())
    assert other.seal.health.healthy


def test_a_changed_record_does_not_open(
    keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    good = record(store)
    damaged = bytes((*good.root_key[:-1], good.root_key[-1] ^ 1))
    for bad, expected in [
        (msgspec.structs.replace(good, root_key=damaged), SealFailed),
        (msgspec.structs.replace(good, key_id="2"), SealFailed),
        (msgspec.structs.replace(good, type="shamir"), BarrierError),
        (
            msgspec.structs.replace(
                good, root_key=envelope.wrap(keeper.keys["1"], SEAL, b"too short")
            ),
            BarrierError,
        ),
    ]:
        store.data[SEAL] = Entry(bad.encode(), 1)
        other = Server(store, keeper)
        with pytest.raises(expected):
            run(other.seal.open())
        assert other.barrier.sealed
    store.data[SEAL] = Entry(b"{", 1)
    with pytest.raises(BarrierError):
        run(Server(store, keeper).seal.open())


def test_a_record_of_key_shares_is_not_taken_for_its_own(
    store: DictStore, keeper: Keeper, run: Run
) -> None:
    store.data[SEAL] = Entry(SealRecord("shamir", 1, 1, b"x").encode(), 1)
    with pytest.raises(BarrierError, match="another kind of seal"):
        run(Server(store, keeper).seal.status())


@pytest.mark.usefixtures("keys")
def test_who_initialises_again_does_not_make_it_ask_the_keeper(
    server: Server, keeper: Keeper, run: Run
) -> None:
    asked = keeper.asked
    with pytest.raises(AlreadyInitialized):
        run(server.seal.initialize(1, 1))
    assert keeper.asked == asked


# Keys that change


def test_a_new_key_of_the_keeper_is_taken_into_use_when_it_opens(
    keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    keeper.change_key()
    run(Server(store, keeper).seal.open())
    assert record(store).key_id == "2"
    del keeper.keys["1"]
    other = Server(store, keeper)
    assert run(other.seal.open())
    assert run(other.proves(*keys[:3]))


@pytest.mark.usefixtures("keys")
def test_an_unchanged_key_writes_nothing(store: DictStore, keeper: Keeper, run: Run) -> None:
    commits = len(store.commits)
    server = Server(store, keeper)
    run(server.seal.open())
    run(server.seal.check())
    assert len(store.commits) == commits


def test_the_check_finds_a_key_that_is_gone(
    server: Server, keys: list[bytes], keeper: Keeper, run: Run
) -> None:
    keeper.change_key()
    del keeper.keys["1"]
    with pytest.raises(SealFailed):
        run(server.seal.check())
    assert not server.seal.health.healthy
    assert not server.barrier.sealed


def test_another_root_key_keeps_data_and_recovery_key(
    server: Server, keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    old = record(store)
    run(server.seal.rotate_root())
    assert record(store).root_key != old.root_key
    other = Server(store, keeper)
    run(other.seal.open())
    assert run(other.barrier.get("core/first"))
    assert run(other.proves(*keys[2:]))
    assert other.barrier._opened().root_key == server.barrier._opened().root_key


def test_root_key_and_recovery_key_may_change_at_the_same_time(
    server: Server, keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    """Neither is lost, whoever is faster."""
    other = Server(store, keeper)
    run(other.seal.open())
    new_key = bytes(range(32))

    async def together() -> None:
        await asyncio.gather(
            server.seal.rotate_root(), other.seal.set_recovery_key(digest_of(new_key), 1, 1)
        )

    run(together())
    third = Server(store, keeper)
    run(third.seal.open())
    assert run(third.proves(new_key))
    assert not run(third.proves(*keys[:3]))


# The recovery key


def test_enough_right_shares_prove_it(server: Server, keys: list[bytes], run: Run) -> None:
    assert run(server.proves(*keys[:3]))
    assert run(server.proves(*keys[1:4]))
    assert not run(server.proves(*keys[:2]))
    assert not run(server.proves(keys[0], keys[1], WRONG))
    assert not run(server.proves(keys[0], keys[0], keys[1]))
    assert not run(server.proves(keys[0], keys[1], b"x" * 32))


def test_a_recovery_key_that_somebody_put_into_storage_proves_nothing(
    server: Server, keys: list[bytes], store: DictStore, keeper: Keeper, run: Run
) -> None:
    """Whoever writes to storage does not have the root key."""
    theirs = Server(DictStore(), Keeper())
    (their_key,) = run(theirs.seal.initialize(1, 1)).recovery_keys
    forged = record(theirs.seal._store)  # type: ignore[arg-type]
    store.data[SEAL] = Entry(
        msgspec.structs.replace(
            record(store), shares=1, threshold=1, recovery=forged.recovery
        ).encode(),
        2,
    )
    server.barrier.seal()
    with pytest.raises(BarrierError):
        run(server.seal.submit(their_key))
    assert server.barrier.sealed


def test_a_lower_threshold_in_storage_helps_nobody(
    server: Server, keys: list[bytes], store: DictStore, run: Run
) -> None:
    lowered = msgspec.structs.replace(record(store), threshold=2)
    store.data[SEAL] = Entry(lowered.encode(), 2)
    assert not run(server.proves(*keys[:2]))


def test_a_new_recovery_key_replaces_the_old_one(
    server: Server, keys: list[bytes], run: Run
) -> None:
    new_key = bytes(range(32))
    run(server.seal.set_recovery_key(digest_of(new_key), 3, 2))
    assert run(server.proves(*split_key(new_key, 3, 2)[1:]))
    assert not run(server.proves(*keys[:3]))
    with pytest.raises(InvalidRequest):
        run(server.seal.set_recovery_key(digest_of(new_key), 0, 0))


def test_there_need_not_be_one(server: Server, run: Run) -> None:
    assert run(server.seal.initialize(0, 0)).recovery_keys == []
    server.barrier.seal()
    with pytest.raises(InvalidRequest, match="no recovery key"):
        run(server.seal.submit(bytes(32)))


# Unsealing by hand


def test_sealed_by_hand_it_is_opened_by_the_recovery_key(
    server: Server, keys: list[bytes], run: Run
) -> None:
    server.barrier.seal()
    assert [run(server.seal.submit(key)) for key in keys[:3]] == [False, False, True]
    assert not server.barrier.sealed
    assert server.seal.progress == Progress(0, "")
    assert run(server.seal.submit(WRONG))
    with pytest.raises(InvalidRequest, match="unsealed"):
        server.seal.reset()


def test_a_wrong_recovery_key_opens_nothing(server: Server, keys: list[bytes], run: Run) -> None:
    server.barrier.seal()
    for key in (keys[0], keys[1]):
        run(server.seal.submit(key))
    with pytest.raises(InvalidRequest, match="not the recovery key"):
        run(server.seal.submit(bytes(32) + keys[2][-1:]))
    assert server.barrier.sealed
    assert server.seal.progress == Progress(0, "")
    assert [run(server.seal.submit(key)) for key in keys[2:]] == [False, False, True]


def test_the_recovery_key_alone_opens_nothing(
    server: Server, keys: list[bytes], keeper: Keeper, run: Run
) -> None:
    server.barrier.seal()
    keeper.away = True
    for key in keys[:2]:
        run(server.seal.submit(key))
    with pytest.raises(SealFailed):
        run(server.seal.submit(keys[2]))
    assert server.barrier.sealed


def test_strangers_do_not_make_it_ask_the_keeper(
    server: Server, keys: list[bytes], keeper: Keeper, run: Run
) -> None:
    server.barrier.seal()
    asked = keeper.asked
    run(server.seal.submit(WRONG))
    with pytest.raises(InvalidRequest):
        run(server.seal.submit(bytes(32)))
    server.seal.reset()
    assert keeper.asked == asked
