"""The configuration as ``sys/config/state/sanitized`` shows it: what is in effect, without secrets."""

from wardgate.core.request import JsonMap
from wardgate.server.config import LmdbStorage, ServerConfig
from wardgate.server.listeners import ListenerConfig, TcpListener
from wardgate.server.sockets import address


def sanitized(config: ServerConfig) -> JsonMap:
    """The configuration in Vault's words."""
    state: JsonMap = {
        "api_addr": config.api_addr or "",
        "cluster_addr": config.cluster_addr or "",
        "cluster_name": config.cluster_name or "",
        "default_lease_ttl": config.default_lease_ttl,
        "enable_response_header_hostname": config.enable_response_header_hostname,
        "enable_ui": config.ui,
        "introspection_endpoint": config.introspection_endpoint,
        "listeners": [_listener(listener) for listener in config.listeners],
        "log_format": config.log_format.value,
        "log_level": config.log_level.value,
        "log_requests_level": config.log_requests_level.value if config.log_requests_level else "",
        "max_lease_ttl": config.max_lease_ttl,
        "pid_file": str(config.pid_file or ""),
        "plugin_directory": str(config.plugin_directory or ""),
        "raw_storage_endpoint": config.raw_storage_endpoint,
        "seals": [{"type": config.seal.type, "disabled": False}],
        "storage": {"type": "lmdb" if isinstance(config.storage, LmdbStorage) else "inmem"},
        "telemetry": {
            "metrics_prefix": config.telemetry.metrics_prefix,
            "usage_gauge_period": config.telemetry.gauge_period,
            "otlp": config.telemetry.otlp_endpoint is not None,
        },
    }
    if config.log_file is not None:
        state |= {
            "log_file": str(config.log_file),
            "log_rotate_bytes": config.log_rotate_bytes,
            "log_rotate_duration": config.log_rotate_duration,
            "log_rotate_max_files": config.log_rotate_max_files,
        }
    return state


def _listener(listener: ListenerConfig) -> JsonMap:
    if not isinstance(listener, TcpListener):
        return {"type": "unix", "config": {"address": str(listener.path)}}
    shown: JsonMap = {"address": address(listener), "tls_disable": listener.tls is None}
    if listener.tls is not None:
        shown["tls_min_version"] = listener.tls.min_version.value
        shown["tls_require_and_verify_client_cert"] = listener.tls.require_client_certificate
    forwarded = listener.rules.forwarded_for
    if forwarded is not None:
        shown["x_forwarded_for_authorized_addrs"] = list(forwarded.trusted)
        shown["x_forwarded_for_hop_skips"] = forwarded.hop_skips
    if listener.rules.response_headers:
        shown["custom_response_headers"] = {
            status: sorted(name for name, _ in headers)
            for status, headers in listener.rules.response_headers.given
        }
    if listener.rules.open_metrics:
        shown["telemetry"] = {"unauthenticated_metrics_access": True}
    return {"type": "tcp", "config": shown}
