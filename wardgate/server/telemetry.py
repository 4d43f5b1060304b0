"""The ``telemetry`` block: metrics and traces."""

from dataclasses import dataclass

from wardgate.server.addresses import is_http_url
from wardgate.server.section import Section

DEFAULT_GAUGE_PERIOD = 600
"""Seconds between two counts of what is stored."""

NOTHING_LIKE_IT = (
    "add_lease_metrics_namespace_labels", "add_mount_point_rollback_metrics",
    "circonus_api_app", "circonus_api_token", "circonus_api_url", "circonus_broker_id",
    "circonus_broker_select_tag", "circonus_check_display_name",
    "circonus_check_force_metric_activation", "circonus_check_id", "circonus_check_instance_id",
    "circonus_check_search_tag", "circonus_check_tags", "circonus_submission_interval",
    "circonus_submission_url", "dogstatsd_addr", "dogstatsd_tags", "enable_hostname_label",
    "filter_default", "lease_metrics_epsilon", "maximum_gauge_cardinality",
    "num_lease_metrics_buckets", "prefix_filter", "rollback_metrics_include_mount_point",
    "stackdriver_debug_logs", "stackdriver_location", "stackdriver_namespace",
    "stackdriver_project_id", "statsd_address", "statsite_address",
)  # fmt: skip
"""Keys that are accepted with a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryConfig:
    """`prometheus` says whether metrics are shown in Prometheus's format; `gauge_period` is how many
    seconds lie between two counts of what is stored, 0 for never; `otlp_endpoint` is the base URL to
    which traces are sent, by OTLP over HTTP."""

    prometheus: bool = True
    metrics_prefix: str = "vault"
    gauge_period: int = DEFAULT_GAUGE_PERIOD
    otlp_endpoint: str | None = None


DEFAULT_TELEMETRY = TelemetryConfig()


def read_telemetry(section: Section) -> TelemetryConfig:
    """What the ``telemetry`` blocks say. Raises `ConfigError`."""
    block = section.block("telemetry")
    if block is None:
        return DEFAULT_TELEMETRY
    retention = block.seconds("prometheus_retention_time")
    period = block.seconds("usage_gauge_period")
    prefix = block.text("metrics_prefix") or "vault"
    if not prefix.replace("_", "a").isascii() or not prefix.replace("_", "a").isalnum():
        raise block.error("metrics_prefix", "must be made of letters, digits and underscores")
    endpoint = block.text("otlp_endpoint")
    if endpoint is not None and not is_http_url(endpoint):
        raise block.error("otlp_endpoint", 'must be a URL such as "http://127.0.0.1:4318"')
    block.harmless("disable_hostname")
    block.without_effect(NOTHING_LIKE_IT, "Wardgate has nothing like it")
    block.finish()
    return TelemetryConfig(
        prometheus=retention != 0,
        metrics_prefix=prefix,
        gauge_period=DEFAULT_GAUGE_PERIOD if period is None else period,
        otlp_endpoint=endpoint,
    )
