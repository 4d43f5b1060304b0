"""Metrics as text: Prometheus's format, and the JSON of Vault's ``sys/metrics``.

Both show what has added up since the server began; quantiles, and the least and greatest in the
JSON, are those of the last values (`wardgate.core.metrics.RECENT`).
"""

import statistics
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from wardgate.core.metrics import Family, Labels, Reading, quantiles
from wardgate.core.request import JsonMap

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN_NAME = str.maketrans(".-", "__")
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def prometheus(families: Iterable[Family], prefix: str) -> str:
    """The metrics in Prometheus's text format, names beginning with `prefix`."""
    return "".join(f"{line}\n" for line in _lines(families, prefix))


def _lines(families: Iterable[Family], prefix: str) -> Iterator[str]:
    for family in families:
        name = f"{prefix}_{family.name}".translate(_PLAIN_NAME)
        readings = list(family.read())
        if not readings:
            continue
        yield f"# HELP {name} {family.help}"
        yield f"# TYPE {name} {family.kind}"
        for reading in readings:
            if family.kind != "summary":
                yield f"{name}{_braced(reading.labels)} {reading.value}"
                continue
            for quantile, value in quantiles(reading.recent):
                labels = (*reading.labels, ("quantile", str(quantile)))
                yield f"{name}{_braced(labels)} {value}"
            yield f"{name}_sum{_braced(reading.labels)} {reading.value}"
            yield f"{name}_count{_braced(reading.labels)} {reading.count}"


def _braced(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""


def as_json(families: Iterable[Family], prefix: str, now: float, since: float) -> JsonMap:
    """The metrics as Vault's JSON has them. `now` and `since`, when the server began, are in
    seconds since the epoch."""
    seconds = max(now - since, 1.0)
    gauges: list[JsonMap] = []
    counters: list[JsonMap] = []
    samples: list[JsonMap] = []
    for family in families:
        for reading in family.read():
            named = {"Name": f"{prefix}.{family.name}", "Labels": dict(reading.labels)}
            if family.kind == "gauge":
                gauges.append({**named, "Value": reading.value})
            elif family.kind == "counter":
                counters.append({**named, **_counted(reading, seconds)})
            else:
                samples.append({**named, **_sampled(reading, seconds)})
    time = datetime.fromtimestamp(now, UTC)
    return {
        "Timestamp": f"{time:%Y-%m-%d %H:%M:%S} +0000 UTC",
        "Gauges": gauges,
        "Points": [],
        "Counters": counters,
        "Samples": samples,
    }


def _counted(reading: Reading, seconds: float) -> JsonMap:
    one = 1 if reading.value else 0
    return {
        "Count": reading.value,
        "Rate": reading.value / seconds,
        "Sum": reading.value,
        "Min": one,
        "Max": one,
        "Mean": one,
        "Stddev": 0,
    }


def _sampled(reading: Reading, seconds: float) -> JsonMap:
    recent = reading.recent
    return {
        "Count": reading.count,
        "Rate": reading.value / seconds,
        "Sum": reading.value,
        "Min": min(recent, default=0),
        "Max": max(recent, default=0),
        "Mean": reading.value / reading.count if reading.count else 0,
        "Stddev": statistics.stdev(recent) if len(recent) > 1 else 0,
    }
