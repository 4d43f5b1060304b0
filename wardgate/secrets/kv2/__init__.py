"""KV version 2: secrets with versions, check-and-set, metadata, and deletion that can be undone."""

from wardgate.core.backend import Route
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.operation import LISTINGS, Operation
from wardgate.framework.backend import EndpointBackend
from wardgate.secrets.kv2.config import ConfigEndpoints
from wardgate.secrets.kv2.data import DataEndpoints
from wardgate.secrets.kv2.listing import ListEndpoints
from wardgate.secrets.kv2.metadata import MetadataEndpoints
from wardgate.secrets.kv2.store import SecretStore
from wardgate.secrets.kv2.subkeys import SubkeysEndpoints
from wardgate.secrets.kv2.versions import VersionEndpoints
from wardgate.secrets.kv2.wrong_path import WrongPath


class KvV2(EndpointBackend):
    """Stores secrets with their earlier versions, which can be read, deleted and brought back."""

    def __init__(self, core: Core, mount: Mount) -> None:
        secrets = SecretStore(mount)
        data = DataEndpoints(secrets)
        super().__init__(
            ConfigEndpoints(),
            data,
            VersionEndpoints(secrets),
            MetadataEndpoints(secrets),
            ListEndpoints(secrets),
            SubkeysEndpoints(secrets, data),
        )
        self._wrong_path = Route(WrongPath(), path_known=True)

    def route(self, operation: Operation, path: str) -> Route:
        if operation in LISTINGS and not path.endswith("/"):
            path += "/"  # a list is of a folder: there is one of "metadata", and none of "config"
        route = super().route(operation, path)
        return self._wrong_path if route.endpoint is None and not route.path_known else route
