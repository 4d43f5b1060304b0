"""The keys of the Kubernetes cluster in which this server runs: provider_config's "kubernetes".

Its API is asked with the service account that the server's own pod has. The issuer that it names is
not its address within the cluster, so that is not compared.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from wardgate.auth.jwt.asking import document_at, keys_address, well_known
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed, trust

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod has the token and the CA certificate of its service account."""


async def cluster_keys(core: Core) -> Any:
    """The cluster's key set, decoded. Raises `OutgoingFailed`."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if not host or not port:
        raise OutgoingFailed(
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod"
        )
    address = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    token, ca_pem = await asyncio.to_thread(_account)
    headers = {"Authorization": f"Bearer {token}"}
    document = await document_at(core, well_known(address), ca_pem=ca_pem, headers=headers)
    if not isinstance(document, dict):
        raise OutgoingFailed("the cluster's configuration is no JSON object")
    keys = keys_address(document, address)
    return await document_at(core, keys, ca_pem=ca_pem, headers=headers)


def _account() -> tuple[str, str]:
    try:
        token, ca_pem = ((ACCOUNT / name).read_text().strip() for name in ("token", "ca.crt"))
        trust(ca_pem)
    except (OSError, ValueError):
        raise OutgoingFailed(
            f"{ACCOUNT} has no token and ca.crt that can be used: this is no pod"
        ) from None
    return token, ca_pem
