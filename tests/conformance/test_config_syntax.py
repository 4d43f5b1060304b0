"""Configuration files are read and refused as by the real `bao server`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wardgate.server.document import ConfigError
from wardgate.server.files import read_text

BAO = Path(sys.executable).with_name("bao")


@pytest.mark.parametrize(
    "text",
    [
        '"cluster_name" = "x"',
        r'cluster_name = "\u00e9\x41\101"',
        r'cluster_name = "\q"',
        'cluster_name = "a\nb"',
        'cluster_name = "%{"',
        "cluster_name = 0x10",
        "cluster_name = +3",
        'cluster_name = "x", ui = true',
        'cluster_name : "x"',
        'cluster_name = "x";',
        "cluster_name = <<-EOF\n  hi\n  EOF\n",
        'telemetry { "disable_hostname" = true prometheus_retention_time = "1h", }',
        "foo = [1 2]",
        "foo = [1,]",
        "foo = [1,,2]",
        "foo = { a = 1,, b = 2 }",
        "foo = yes",
        "foo = null",
        "foo bar = 1",
        "foo }",
        "foo {",
        "/* x",
        "default_lease_ttl = 900h",
    ],
)
def test_what_bao_reads_is_read_and_what_it_refuses_is_refused(text: str, tmp_path: Path) -> None:
    config = tmp_path / "w.hcl"
    # A storage that bao does not know makes it stop as soon as it has understood the file.
    config.write_text(f'storage "nowhere" {{}}\n{text}\n')
    command = [str(BAO), "server", f"-config={config}"]
    env = {"HOME": str(tmp_path), "PATH": os.defpath}
    said = subprocess.run(
        command, capture_output=True, text=True, env=env, timeout=120, check=False
    )
    output = said.stdout + said.stderr
    assert ("unknown storage type" in output) != ("error loading configuration" in output), output
    try:
        read_text(config.read_text(), "w.hcl")
    except ConfigError:
        understood = False
    else:
        understood = True
    assert understood == ("unknown storage type" in output)
