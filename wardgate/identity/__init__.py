"""The identity mount: who somebody is, whichever way they logged in."""

from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.framework.backend import EndpointBackend
from wardgate.identity.aliases import AliasEndpoints
from wardgate.identity.duplicates import DuplicateEndpoints
from wardgate.identity.entities import EntityEndpoints
from wardgate.identity.group_aliases import GroupAliasEndpoints
from wardgate.identity.groups import GroupEndpoints
from wardgate.identity.lookup import LookupEndpoints
from wardgate.identity.merging import MergeEndpoints
from wardgate.identity.oidc import KeyRotation, oidc_endpoints
from wardgate.identity.personas import PersonaEndpoints
from wardgate.identity.pruning import PruneEndpoints


class Identity(EndpointBackend):
    """Entities, their aliases at auth mounts, groups of them, and tokens that prove them to others."""

    def __init__(self, core: Core, mount: Mount) -> None:
        super().__init__(
            EntityEndpoints(core),
            AliasEndpoints(core),
            PersonaEndpoints(),
            MergeEndpoints(core),
            GroupEndpoints(core),
            GroupAliasEndpoints(core),
            LookupEndpoints(core),
            *oidc_endpoints(core),
            DuplicateEndpoints(core),
            PruneEndpoints(),
        )


__all__ = ["Identity", "KeyRotation"]
