"""The endpoints under sys/, one file a topic."""

from wardgate.barrier.auto_seal import AutoSeal
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.seal import Seal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.framework.backend import EndpointBackend
from wardgate.system.audit import AuditEndpoints
from wardgate.system.audit_headers import AuditHeaderEndpoints
from wardgate.system.capabilities import CapabilitiesEndpoints
from wardgate.system.config_cors import CorsEndpoints
from wardgate.system.config_state import ConfigStateEndpoints
from wardgate.system.config_ui import UiHeaderEndpoints
from wardgate.system.counters import CounterEndpoints
from wardgate.system.decode_token import DecodeTokenEndpoints
from wardgate.system.generate_root import GenerateRootEndpoints, GenerateRootTokenEndpoints
from wardgate.system.host import Host
from wardgate.system.host_info import HostInfoEndpoints
from wardgate.system.in_flight import InFlightEndpoints
from wardgate.system.inspect import InspectEndpoints
from wardgate.system.internal import InternalEndpoints
from wardgate.system.irrevocable_leases import IrrevocableEndpoints
from wardgate.system.leases import LeaseEndpoints
from wardgate.system.locked_users import LockedUserEndpoints
from wardgate.system.loggers import LoggerEndpoints
from wardgate.system.metrics import MetricsEndpoints
from wardgate.system.mounts import AuthMountEndpoints, RemountEndpoints, SecretMountEndpoints
from wardgate.system.no_recovery import NoRecoveryEndpoints
from wardgate.system.nodes import NodeEndpoints
from wardgate.system.password_policies import PasswordPolicyEndpoints
from wardgate.system.plugins import PluginEndpoints
from wardgate.system.policies import PolicyEndpoints
from wardgate.system.quotas import QuotaEndpoints
from wardgate.system.raw import RawEndpoints
from wardgate.system.rekey import RekeyEndpoints
from wardgate.system.rekey_recovery import RekeyRecoveryEndpoints
from wardgate.system.root_generation import RootGeneration
from wardgate.system.rotate_recovery import RotateRecoveryEndpoints
from wardgate.system.rotate_root import RotateRootEndpoints
from wardgate.system.rotation import RotationEndpoints
from wardgate.system.seal import OpenSealEndpoints, SealEndpoints
from wardgate.system.share_sets import RecoveryShares, StoredKey, UnsealShares
from wardgate.system.tools import ToolsEndpoints
from wardgate.system.ui import UiEndpoints
from wardgate.system.version_history import VersionHistoryEndpoints, VersionNotes
from wardgate.system.wrapping import WrappingEndpoints


class System(EndpointBackend):
    """Control of the server: mounts, policies, the seal, and what documents them."""

    def __init__(
        self,
        core: Core,
        mount: Mount,
        barrier: Barrier,
        seal: Seal,
        sealing: SealEndpoints,
        opening: OpenSealEndpoints,
        metrics: MetricsEndpoints,
        host: Host,
    ) -> None:
        if isinstance(seal, AutoSeal):
            recovery = RecoveryShares(seal)
            generation = RootGeneration(core, recovery)
            by_share_holders = [
                RekeyEndpoints(StoredKey(seal, 0)),
                RotateRootEndpoints(seal, StoredKey(seal, 1)),
                RekeyRecoveryEndpoints(recovery),
                RotateRecoveryEndpoints(seal, recovery),
            ]
        else:
            shares = UnsealShares(barrier)
            generation = RootGeneration(core, shares)
            by_share_holders = [
                RekeyEndpoints(shares),
                RotateRootEndpoints(seal, shares),
                NoRecoveryEndpoints(),
            ]
        super().__init__(
            *by_share_holders,
            opening,
            metrics,
            ConfigStateEndpoints(core, host),
            CorsEndpoints(),
            InspectEndpoints(core),
            LoggerEndpoints(core),
            UiHeaderEndpoints(),
            sealing,
            RotationEndpoints(barrier),
            GenerateRootEndpoints(generation),
            GenerateRootTokenEndpoints(generation),
            DecodeTokenEndpoints(),
            *([RawEndpoints(core)] if core.settings.raw_storage_endpoint else []),
            SecretMountEndpoints(core),
            AuthMountEndpoints(core),
            RemountEndpoints(core),
            PolicyEndpoints(core),
            PasswordPolicyEndpoints(),
            CapabilitiesEndpoints(core),
            AuditEndpoints(core),
            AuditHeaderEndpoints(),
            InternalEndpoints(core),
            WrappingEndpoints(core),
            LeaseEndpoints(core),
            IrrevocableEndpoints(core),
            QuotaEndpoints(core),
            LockedUserEndpoints(core),
            InFlightEndpoints(core),
            ToolsEndpoints(),
            UiEndpoints(core),
            CounterEndpoints(),
            HostInfoEndpoints(core),
            NodeEndpoints(core),
            PluginEndpoints(core),
            VersionHistoryEndpoints(),
        )


__all__ = ["OpenSealEndpoints", "SealEndpoints", "System", "VersionNotes"]
