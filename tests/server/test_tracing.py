"""Traces arrive at a collector, by OTLP over HTTP, and hold no secret."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.api import Api, tcp
from tests.server_process import (
    MEMORY_STORAGE,
    initialise,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

SECRET = "hunter2-Zq9"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(http.server.ThreadingHTTPServer):
    """Takes traces, and keeps them as they came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Span]:
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                assert names["service.name"] == "wardgate"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


class _Taking(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Encoding"] is None
        self.server.paths.add(self.path)
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span: Span) -> dict[str, str | int]:
    return {
        each.key.removeprefix("wardgate."): each.value.string_value or each.value.int_value
        for each in span.attributes
    }


def work(port: int) -> str:
    """Log in, write and read; the id of the read's answer."""
    with Api(tcp(port)) as api:
        unseal(api, initialise(api))
        assert api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
        assert api.post("auth/userpass/users/adalovelace", {"password": SECRET}).status == 204
        login = api.post("auth/userpass/login/adalovelace", {"password": SECRET}, token="")
        assert login.status == 200
        connection = tcp(port)()
        headers = {"X-Vault-Token": login.auth["client_token"], "traceparent": PARENT}
        connection.request("GET", f"/v1/cubbyhole/{SECRET}", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (404, b'{"errors":[]}')
        connection.close()
        token: str = login.auth["client_token"]
        return token


@pytest.mark.parametrize("by", ["the file", "the environment"])
def test_spans_of_requests_commits_and_outside_work_arrive(
    by: str, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    block = f'telemetry {{ otlp_endpoint = "{collector.endpoint}/" }}'
    if by == "the environment":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        block = ""
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port), block)
    with serving(config, folder=tmp_path) as process:
        token = work(port)
        assert process.stop() == 0
    assert collector.paths == {"/v1/traces"}

    spans = collector.spans()
    by_id = {span.span_id: span for span in spans}
    requests = [span for span in spans if span.name == "request"]
    (login,) = [
        span for span in requests
        if attributes(span).get("mount") == "auth/userpass/"
        and any(each.parent_span_id == span.span_id for each in spans if each.name == "outside work")
        and any(each.parent_span_id == span.span_id for each in spans if each.name.startswith("sto"))
        and attributes(span)["status"] == 200
    ]  # fmt: skip
    found = attributes(login)
    assert (found["operation"], found["mount_type"]) == ("update", "userpass")
    assert len(str(found["request_id"])) == 36
    (read,) = [span for span in requests if attributes(span).get("mount") == "cubbyhole/"]
    assert read.trace_id.hex() == PARENT.split("-")[1]
    assert read.parent_span_id.hex() == PARENT.split("-")[2]
    for span in spans:
        assert span.name in {"request", "storage commit", "outside work"}
        parent = by_id.get(span.parent_span_id)
        if span.name != "request":
            assert parent is not None
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
    written = b"".join(collector.bodies)
    for secret in (SECRET, token, "adalovelace"):
        assert secret.encode() not in written


def test_a_collector_that_is_not_there_delays_nothing(tmp_path: Path) -> None:
    port = free_port()
    config = write_config(
        tmp_path,
        MEMORY_STORAGE,
        plain_listener(port),
        f'telemetry {{ otlp_endpoint = "http://127.0.0.1:{free_port()}" }}',
    )
    with serving(config, folder=tmp_path) as process:
        work(port)
        process.kill()
