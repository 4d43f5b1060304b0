"""Whether there are traces."""

import subprocess
import sys

import pytest

from wardgate.server.tracing import Tracing, TracingError, start_tracing


@pytest.mark.parametrize("environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"OTEL_X": "y"}])
def test_nobody_asked_for_them(environ: dict[str, str]) -> None:
    assert start_tracing(None, environ) is None


def test_they_need_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingError, match=r"install wardgate\[otel\]"):
        Tracing("http://127.0.0.1:1")


def test_without_them_their_packages_are_not_even_loaded() -> None:
    program = "import sys, wardgate.server.run; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
