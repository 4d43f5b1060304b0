"""What seal blocks and the environment say together."""

from pathlib import Path

import pytest

from wardgate.server.config import ServerConfig, load_config
from wardgate.server.document import ConfigError
from wardgate.server.effective import effective_config
from wardgate.server.options import parse_server_arguments
from wardgate.server.seals.config import ShamirSeal, StaticSeal, TransitSeal

MINIMAL = 'storage "inmem" {}\nlistener "tcp" { tls_disable = 1 }\n'
STATIC = 'seal "static" { current_key_id = "k1" current_key = "hunter2" }'
TRANSIT = (
    'seal "transit" { address = "https://file:8200" token = "of-file" key_name = "file"'
    ' mount_path = "file/" }'
)


def read(folder: Path, text: str, **environ: str) -> tuple[ServerConfig, list[str]]:
    file = folder / "w.hcl"
    file.write_text(MINIMAL + text)
    return load_config([file], environ=environ)


def static(folder: Path, text: str, **environ: str) -> StaticSeal:
    seal = read(folder, text, **environ)[0].seal
    assert isinstance(seal, StaticSeal)
    return seal


def transit(folder: Path, text: str, **environ: str) -> TransitSeal:
    seal = read(folder, text, **environ)[0].seal
    assert isinstance(seal, TransitSeal)
    return seal


def test_a_static_seal(tmp_path: Path) -> None:
    seal = static(tmp_path, STATIC)
    assert (seal.current_key_id, seal.current_key, seal.previous_key) == ("k1", "hunter2", "")
    assert "hunter2" not in repr(seal)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    for prefix in ("WARDGATE_", "BAO_", "VAULT_"):
        name = f"{prefix}STATIC_SEAL_CURRENT_KEY"
        seal = static(tmp_path, STATIC, **{name: "a", f"{name}_ID": "b"})
        assert (seal.current_key, seal.current_key_id) == ("a", "b")
        key_name = transit(tmp_path, TRANSIT, **{f"{prefix}TRANSIT_SEAL_KEY_NAME": "k"}).key_name
        assert key_name == "k"


def test_the_environment_alone_is_enough(tmp_path: Path) -> None:
    seal = static(
        tmp_path,
        "",
        BAO_SEAL_TYPE="static",
        BAO_STATIC_SEAL_CURRENT_KEY="k",
        BAO_STATIC_SEAL_CURRENT_KEY_ID="id",
    )
    assert seal.current_key == "k"
    seal_type = {"BAO_SEAL_TYPE": "shamir"}
    assert read(tmp_path, "", **seal_type)[0].seal == ShamirSeal()
    with pytest.raises(ConfigError, match="two kinds of seal"):
        read(tmp_path, STATIC, BAO_SEAL_TYPE="transit")


def test_a_client_s_variables_fill_in_what_the_file_leaves_out(tmp_path: Path) -> None:
    general = {"BAO_ADDR": "http://env:1", "BAO_TOKEN": "of-env", "BAO_NAMESPACE": "ns"}
    seal = transit(tmp_path, TRANSIT, **general)
    assert (seal.address, seal.token, seal.namespace) == ("https://file:8200", "of-file", "ns")
    bare = 'seal "transit" { key_name = "k" mount_path = "m" }'
    seal = transit(tmp_path, bare, **general, BAO_CACERT="ca.pem", BAO_SKIP_VERIFY="true")
    assert (seal.address, seal.token, seal.tls_ca_cert) == ("http://env:1", "of-env", "ca.pem")
    assert seal.tls_skip_verify
    own = {"BAO_TRANSIT_SEAL_ADDR": "http://own:1", "BAO_TRANSIT_SEAL_TOKEN": "own"}
    seal = transit(tmp_path, TRANSIT, **general, **own)
    assert (seal.address, seal.token) == ("http://own:1", "own")
    assert "own" not in repr(seal)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('seal "static" { current_key_id = "a" }', 'seal "static": current_key: is missing'),
        ('seal "static" { current_key = "hunter2" }', "current_key_id: is missing"),
        (STATIC.replace("}", 'previous_key = "x" }'), "previous_key: previous_key and"),
        (STATIC.replace("}", 'previous_key_id = "x" }'), "previous_key_id: previous_key and"),
        (STATIC.replace("}", 'disabled = "true" }'), "disabled: means to move to another seal"),
        (STATIC + "\n" + TRANSIT, 'seal "transit": is one seal too many'),
        (STATIC.replace("}", "current_key = [] }"), "current_key: must be a text"),
        ('seal "transit" { }', "address: is missing; set it, or the variable BAO_TRANSIT_SEAL"),
        (TRANSIT.replace('token = "of-file"', ""), "token: is missing"),
        (TRANSIT.replace('key_name = "file"', ""), "key_name: is missing"),
        (TRANSIT.replace('mount_path = "file/"', ""), "mount_path: is missing"),
        (TRANSIT.replace("}", 'disable_renewal = "often" }'), "disable_renewal: must be true or"),
        ('seal "gcpckms" { }', 'seal: is not supported; the kinds are "shamir", "static" and'),
        ('seal "frob" { }', "seal: is not supported"),
        ('initialize "a" { request "b" { operation = "read" path = "c" } }', "initialize: needs"),
    ],
)
def test_an_error_names_the_key_and_no_value(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert problem in str(error.value)
    assert "hunter2" not in str(error.value)
    assert error.value.line is not None


def test_a_wrong_variable_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="disable_renewal: must be true or false"):
        read(tmp_path, TRANSIT, BAO_TRANSIT_SEAL_DISABLE_RENEWAL="often")


def test_unknown_keys_are_warned_about(tmp_path: Path) -> None:
    _, warnings = read(tmp_path, STATIC.replace("}", 'frob = 1 disabled = "false" }'))
    assert warnings == [f'{tmp_path}/w.hcl:3: seal "static": frob is not known and has no effect']


def test_a_dev_server_has_a_seal_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "w.hcl"
    file.write_text(STATIC)
    with pytest.raises(ConfigError, match="a dev server has one of its own"):
        effective_config(parse_server_arguments(["-dev", f"-config={file}"], {}))
