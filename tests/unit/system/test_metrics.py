"""``sys/metrics``."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.metrics import Metrics, Reading
from wardgate.core.settings import Settings
from wardgate.http.rules import Rules
from wardgate.system.exposition import as_json, prometheus

ROUTE = "vault_route_read_cubbyhole_"


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of Prometheus's format, read by its own parser, which adds an ending to the names
    of counters that OpenBao's do not have."""

    def read() -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield (
                    (sample.name.removesuffix("_total"), tuple(sorted(sample.labels.items()))),
                    sample.value,
                )

    return dict(read())


async def scraped(
    node: NodeUnderTest,
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await node.http("GET", "/v1/sys/metrics", query="format=prometheus")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(answer.body.decode())


@with_node
async def test_requests_are_counted_by_what_they_were_for(node: NodeUnderTest) -> None:
    await node.user("ada", "correct horse")
    before = await scraped(node)
    for _ in range(3):
        await node.http("GET", "/v1/cubbyhole/a")
    await node.http("POST", "/v1/auth/userpass/login/ada", {"password": "correct horse"})
    await node.http("POST", "/v1/auth/userpass/login/ada", {"password": "wrong"})
    await node.http("GET", "/v1/cubbyhole/a", token="s.unknown")
    await node.http("GET", "/v1/nowhere/a")
    await node.http("GET", "/v1/sys/health")
    after = await scraped(node)

    def grown(name: str) -> float:
        return after[name, ()] - before.get((name, ()), 0)

    assert grown(f"{ROUTE}_count") == 4
    assert grown("vault_core_handle_request_count") == 3 + 1 + 1  # and the first scrape
    assert grown("vault_core_handle_login_request_count") == 2
    assert grown("vault_route_update_auth_userpass__count") == 2
    assert grown("vault_token_create_count") == 1
    assert after[ROUTE, (("quantile", "0.99"),)] >= 0
    assert after["vault_core_unsealed", ()] == 1
    assert after["process_resident_memory_bytes", ()] > 0


@with_node
async def test_the_same_is_told_in_vaults_json(node: NodeUnderTest) -> None:
    await node.http("GET", "/v1/cubbyhole/a")
    answer = (await node.http("GET", "/v1/sys/metrics")).json()
    assert set(answer) == {"Timestamp", "Gauges", "Points", "Counters", "Samples"}
    gauges = {each["Name"]: each["Value"] for each in answer["Gauges"]}
    (sample,) = [
        each for each in answer["Samples"] if each["Name"].startswith("vault.route.read.c")
    ]
    assert gauges["vault.core.unsealed"] == 1
    assert sample["Name"] == "vault.route.read.cubbyhole-"
    assert sample["Count"] == 1
    assert set(sample) == {"Name", "Labels", "Count", "Rate", "Sum", "Min", "Max", "Mean", "Stddev"}


@with_node
async def test_an_unknown_format_is_refused(node: NodeUnderTest) -> None:
    refused = await node.read("sys/metrics", query={"format": "hunter2"})
    assert errors(refused) == ["format: must be prometheus, or left out for JSON"]


@with_node
async def test_metrics_need_a_token_unless_the_listener_gives_them_to_anybody(
    node: NodeUnderTest,
) -> None:
    default = (await node.token(policies=["default"]))["client_token"]
    for token in (None, "s.unknown", default):
        assert (await node.http("GET", "/v1/sys/metrics", token=token)).status == 403
    node.application.use(Rules(open_metrics=True))
    for token in (None, "s.unknown", default):
        assert (await node.http("GET", "/v1/sys/metrics", token=token)).status == 200
    assert (await node.http("GET", "/v1/sys/metrics", token=None, query="help=1")).status == 403
    assert (await node.http("POST", "/v1/sys/metrics", token=None)).status == 403
    assert (await node.http("GET", "/v1/sys/loggers", token=None)).status == 403
    await node.ok("sys/seal")
    assert (await node.http("GET", "/v1/sys/metrics", token=None)).status == 200
    gauges = (await node.http("GET", "/v1/sys/metrics", token=None)).json()["Gauges"]
    assert {each["Name"]: each["Value"] for each in gauges}["vault.core.unsealed"] == 0


def test_names_begin_as_configured_and_prometheus_may_be_off() -> None:
    async def run() -> None:
        settings = Settings(metrics_prefix="bao", prometheus=False)
        node = await NodeUnderTest.start(settings=settings)
        names = [each["Name"] for each in (await node.read("sys/metrics")).data["Gauges"]]
        assert "bao.core.unsealed" in names
        refused = await node.read("sys/metrics", query={"format": "prometheus"})
        assert errors(refused) == ["prometheus is not enabled"]
        await node.node.stop()

    asyncio.run(run())


@pytest.mark.parametrize("odd", ['a"b', "a\\b", "a\nb", "ä}", "", "a,b=c"])
def test_labels_may_hold_any_character(odd: str) -> None:
    metrics = Metrics()
    metrics.counter("a.b-c", "Help.", name=odd).add(2)
    metrics.summary("d", "Help.", name=odd).observe(1.5)
    found = samples(prometheus(metrics.families(), "vault"))
    assert found["vault_a_b_c", (("name", odd),)] == 2
    assert found["vault_d_sum", (("name", odd),)] == 1.5
    assert found["vault_d", (("name", odd), ("quantile", "0.9"))] == 1.5


def test_json_has_rates_and_deviations() -> None:
    metrics = Metrics()
    metrics.collected(
        "a", "summary", "Help.", lambda: [Reading((("b", "c"),), 30.0, 3, [5.0, 10.0, 15.0])]
    )
    (sample,) = as_json(metrics.families(), "v", now=110.0, since=50.0)["Samples"]
    assert sample == {
        "Name": "v.a",
        "Labels": {"b": "c"},
        "Count": 3,
        "Rate": 0.5,
        "Sum": 30.0,
        "Min": 5.0,
        "Max": 15.0,
        "Mean": 10.0,
        "Stddev": 5.0,
    }
