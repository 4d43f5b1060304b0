"""What a new server starts with: its mounts, its policies and its root token."""

import secrets
import textwrap
from collections.abc import Sequence

import msgspec

from wardgate import __version__
from wardgate.core.audit.table import AuditTable, save_table
from wardgate.core.core import Core
from wardgate.core.identity.indexing import INDEXED
from wardgate.core.ids import new_uuid
from wardgate.core.mounts import (
    IDENTITY_CONFIG,
    IDENTITY_PATH,
    Mount,
    MountConfig,
    MountTable,
    new_mount,
)
from wardgate.core.policies import DEFAULT, RESPONSE_WRAPPING, ROOT, Policy
from wardgate.core.policy import parse_policy
from wardgate.core.records import BytesCodec, Codec
from wardgate.core.storage import Storage, Transaction
from wardgate.core.tokens.indexing import ALL, REACHED, REACHED_KEY
from wardgate.core.tokens.record import ROOT_PATH, Token
from wardgate.core.tokens.store import SALT_KEY, new_salt
from wardgate.core.versions import note_version
from wardgate.store.interface import Put
from wardgate.store.memory import MemoryStore

CLUSTER_KEY = "core/cluster"

DEFAULT_POLICY = textwrap.dedent("""\
    # What every token may do unless it was made without this policy.

    # Its own affairs: look itself up, renew, revoke, ask what it may do.
    path "auth/token/lookup-self" { capabilities = ["read"] }
    path "auth/token/renew-self" { capabilities = ["update"] }
    path "auth/token/revoke-self" { capabilities = ["update"] }
    path "sys/capabilities-self" { capabilities = ["update"] }
    path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

    # Its own entity.
    path "identity/entity/id/{{identity.entity.id}}" { capabilities = ["read"] }
    path "identity/entity/name/{{identity.entity.name}}" { capabilities = ["read"] }
    path "identity/oidc/provider/+/authorize" { capabilities = ["read", "update"] }

    # Leases whose id it knows.
    path "sys/renew" { capabilities = ["update"] }
    path "sys/leases/renew" { capabilities = ["update"] }
    path "sys/leases/lookup" { capabilities = ["update"] }

    # Its own private storage.
    path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

    # Wrapping and unwrapping.
    path "sys/wrapping/wrap" { capabilities = ["update"] }
    path "sys/wrapping/lookup" { capabilities = ["update"] }
    path "sys/wrapping/unwrap" { capabilities = ["update"] }

    # Tools that touch nothing.
    path "sys/tools/hash" { capabilities = ["update"] }
    path "sys/tools/hash/*" { capabilities = ["update"] }
    """)

WRAPPING_POLICY = textwrap.dedent("""\
    # What a wrapping token may do: hand out, once, what it wraps.
    path "cubbyhole/response" { capabilities = ["create", "read"] }
    path "sys/wrapping/unwrap" { capabilities = ["update"] }
    """)


class Cluster(msgspec.Struct, frozen=True):
    """What all nodes over one storage have in common."""

    name: str
    id: str


CLUSTER: Codec[Cluster] = Codec(Cluster)


def default_mounts() -> list[Mount]:
    """What is mounted on every server and cannot be taken away."""
    return [
        new_mount(
            "cubbyhole/", "cubbyhole", description="per-token private secret storage", local=True
        ),
        new_mount(IDENTITY_PATH, "identity", description="identity store", config=IDENTITY_CONFIG),
        new_mount(
            "sys/",
            "system",
            description="system endpoints used for control, policy and debugging",
            seal_wrap=True,
            config=MountConfig(passthrough_request_headers=("Accept",)),
        ),
        new_mount(
            "auth/token/",
            "token",
            description="token based credentials",
            config=MountConfig(token_type="default-service"),
        ),
    ]


async def first_writes(
    core: Core, root_token_id: str = "", mounts: Sequence[Mount] = ()
) -> tuple[str, list[Put]]:
    """The root token of a new server, and everything to be stored with its initialisation.

    `mounts` are mounted beside the `default_mounts`. The writes are worked out on a scratch store,
    since the barrier takes its first values together with its keys, in one commit.
    """
    transaction = await Storage(MemoryStore()).begin()
    now = core.clock.now()
    table = MountTable((*default_mounts(), *mounts), lambda mount: core.catalog.build(core, mount))
    core.mounts.save(transaction, table)
    for name, text in ((DEFAULT, DEFAULT_POLICY), (RESPONSE_WRAPPING, WRAPPING_POLICY)):
        policy = Policy(name=name, text=text, rules=parse_policy(text), modified=now)
        core.policies.put(transaction, policy)
    name = core.settings.cluster_name or f"wardgate-cluster-{secrets.token_hex(4)}"
    transaction.put(CLUSTER_KEY, Cluster(name, new_uuid()), CLUSTER)
    transaction.put(SALT_KEY, new_salt(), BytesCodec())
    await note_version(transaction, __version__, now)
    transaction.put(INDEXED, b"", BytesCodec())
    transaction.put(REACHED_KEY, ALL, REACHED)
    save_table(transaction, AuditTable())
    token_id = await new_root_token(core, transaction, table, root_token_id)
    return token_id, [write for write in transaction.encoded() if isinstance(write, Put)]


async def new_root_token(
    core: Core, transaction: Transaction, table: MountTable, token_id: str = ""
) -> str:
    """Make a root token when the transaction commits; gives its id, by default a random one."""
    token = Token(
        policies=(ROOT,),
        path=ROOT_PATH,
        issuer=table.by_path["auth/token/"].uuid,
        issued=core.clock.now(),
        expires=0,
        display_name="root",
    )
    token_id, _ = await core.tokens.create(transaction, token, token_id)
    return token_id
