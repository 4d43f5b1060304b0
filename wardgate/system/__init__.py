"""The endpoints under sys/, one file a topic."""

from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.framework.backend import EndpointBackend
from wardgate.system.capabilities import CapabilitiesEndpoints
from wardgate.system.internal import InternalEndpoints
from wardgate.system.mounts import AuthMountEndpoints, RemountEndpoints, SecretMountEndpoints
from wardgate.system.password_policies import PasswordPolicyEndpoints
from wardgate.system.policies import PolicyEndpoints
from wardgate.system.seal import OpenSealEndpoints, SealEndpoints
from wardgate.system.wrapping import WrappingEndpoints


class System(EndpointBackend):
    """Control of the server: mounts, policies, the seal, and what documents them."""

    def __init__(
        self, core: Core, mount: Mount, seal: SealEndpoints, opening: OpenSealEndpoints
    ) -> None:
        super().__init__(
            opening,
            seal,
            SecretMountEndpoints(core),
            AuthMountEndpoints(core),
            RemountEndpoints(core),
            PolicyEndpoints(core),
            PasswordPolicyEndpoints(),
            CapabilitiesEndpoints(core),
            InternalEndpoints(core),
            WrappingEndpoints(core),
        )


__all__ = ["OpenSealEndpoints", "SealEndpoints", "System"]
