"""People log in at a real OpenID provider: `wardgate login` and `bao login`, with each server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api import Api, tcp
from tests.clients.shell import BIN, Shell
from tests.login_program import LoginProgram
from tests.providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    DEVICE_CLIENT_ID,
    Provider,
    oidc_provider,
)
from tests.servers import Server, free_port, openbao_dev, wardgate_dev
from tests.visitor import Visitor
from wardgate.cli.login_methods import oidc

SERVERS = {"openbao": openbao_dev, "wardgate": wardgate_dev}
PROGRAMS = ["wardgate", "bao"]


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]() as server:
        yield server


@pytest.fixture(scope="module")
def provider(server: Server) -> Iterator[Provider]:
    callbacks = [
        "http://localhost/oidc/callback",
        f"{server.address}/v1/auth/oidc/oidc/callback",
    ]
    with oidc_provider(callbacks) as provider:
        _configure(server, provider, *callbacks)
        yield provider


def _configure(server: Server, provider: Provider, local: str, direct: str) -> None:
    with Api(tcp(server.port), server.root_token) as api:
        _write(api, provider, local, direct)


def _write(api: Api, provider: Provider, local: str, direct: str) -> None:
    def ok(path: str, body: dict[str, Any]) -> None:
        answer = api.post(path, body)
        assert answer.status < 300, answer

    form_post = {"oidc_response_mode": "form_post", "oidc_response_types": ["id_token"]}
    for mount, client in (
        ("oidc", CLIENT_ID),
        ("devices", DEVICE_CLIENT_ID),
        ("posted", CLIENT_ID),
    ):
        ok(f"sys/auth/{mount}", {"type": "oidc"})
        ok(
            f"auth/{mount}/config",
            {
                "oidc_discovery_url": provider.issuer,
                "oidc_client_id": client,
                "oidc_client_secret": CLIENT_SECRET,
                "default_role": "people",
                **(form_post if mount == "posted" else {}),
            },
        )
    role = {
        "role_type": "oidc",
        "user_claim": "sub",
        "groups_claim": "groups",
        "oidc_scopes": ["groups", "email"],
        "claim_mappings": {"email": "email"},
        "token_policies": ["default"],
        "poll_interval": 1,
    }
    ok("auth/oidc/role/people", {**role, "allowed_redirect_uris": [local]})
    ok("auth/posted/role/people", {**role, "allowed_redirect_uris": [local]})
    ok(
        "auth/oidc/role/direct",
        {**role, "callback_mode": "direct", "allowed_redirect_uris": [direct]},
    )
    ok(
        "auth/devices/role/people",
        {**role, "callback_mode": "device", "allowed_redirect_uris": [local]},
    )


def login(
    program: str, server: Server, home: Path, *settings: str, **variables: str
) -> LoginProgram:
    options = [setting for setting in settings if setting.startswith("-")]
    words = [setting for setting in settings if not setting.startswith("-")]
    command = [str(BIN / program), "login", "-method=oidc", "-format=json", *options]
    skip = [] if variables else ["skip_browser=true"]
    return LoginProgram([*command, *skip, *words], server, home, variables)


def test_a_program_listens_for_the_browser_and_gets_a_token(
    server: Server, provider: Provider, tmp_path: Path, program: str
) -> None:
    with login(program, server, tmp_path, f"port={free_port()}") as waiting:
        visitor = Visitor()
        last = visitor.send(visitor.open(waiting.page()), login="ada")
        assert last.status == 200
        assert "code=" in last.url
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    auth = json.loads(ended.output)["auth"]
    assert auth["metadata"] == {"email": "ada@example.com", "role": "people"}
    assert (tmp_path / ".vault-token").read_text() == auth["client_token"]


def test_a_program_takes_what_the_provider_has_the_browser_post(
    server: Server, provider: Provider, tmp_path: Path, program: str
) -> None:
    with login(program, server, tmp_path, "-path=posted", f"port={free_port()}") as waiting:
        visitor = Visitor()
        last = visitor.fill_in(visitor.open(waiting.page()), {"login": "ada"})
        assert last.status == 200
        assert "id_token" not in last.url
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    assert json.loads(ended.output)["auth"]["metadata"]["email"] == "ada@example.com"


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_the_server_takes_the_browser_back_and_asks_whether_it_was_you(
    server: Server, provider: Provider, tmp_path: Path, program: str
) -> None:
    settings = ("role=direct", "callbackmode=direct")
    with login(program, server, tmp_path, *settings) as waiting:
        visitor = Visitor()
        asked = visitor.send(visitor.open(waiting.page()), login="ada")
        assert "127.0.0.1" in asked.text  # whoever began the login
        assert "direct" in asked.text
        confirmed = visitor.open(f"{asked.url}&confirmation=1")
        assert confirmed.status == 200, confirmed.text
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    assert json.loads(ended.output)["auth"]["metadata"]["role"] == "direct"


def test_somebody_with_another_machine_types_the_code_of_this_one(
    server: Server, provider: Provider, tmp_path: Path, program: str
) -> None:
    settings = ("-path=devices", "callbackmode=device", "show_qr=true")
    with login(program, server, tmp_path, *settings) as waiting:
        visitor = Visitor()
        page = visitor.open(waiting.page())
        while page.forms:
            wants_name = "login" in page.forms[0].fields
            page = visitor.send(page, **({"login": "ada"} if wants_name else {}))
        assert "Your device is logged in" in page.text
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    assert json.loads(ended.output)["auth"]["metadata"]["email"] == "ada@example.com"
    assert "█" in ended.said


def test_a_login_that_the_provider_refuses_ends_with_an_error(
    server: Server, provider: Provider, tmp_path: Path, program: str
) -> None:
    with login(program, server, tmp_path, f"port={free_port()}") as waiting:
        visitor = Visitor()
        last = visitor.send(visitor.open(waiting.page()), deny="yes")
        ended = waiting.ended()
    assert ended.code == 2
    assert "<script>alert" not in last.text
    assert not (tmp_path / ".vault-token").exists()


def test_wardgate_opens_the_browser_that_the_environment_names(
    server: Server, provider: Provider, tmp_path: Path
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" >"{opened}"\n')
    browser.chmod(0o755)
    with login("wardgate", server, tmp_path, "port=0", BROWSER=str(browser)) as waiting:
        url = waiting.page()
        visitor = Visitor()
        visitor.send(visitor.open(url), login="ada")
        assert waiting.ended().code == 0
    assert opened.read_text() == url


def test_wardgate_goes_on_without_a_browser_unless_it_is_to_stop(
    server: Server, provider: Provider, tmp_path: Path
) -> None:
    none = {"BROWSER": "", "PATH": str(tmp_path)}
    with login("wardgate", server, tmp_path, "port=0", **none) as waiting:
        visitor = Visitor()
        visitor.send(visitor.open(waiting.page()), login="ada")
        ended = waiting.ended()
    assert ended.code == 0
    assert "No browser could be opened" in ended.said
    with login("wardgate", server, tmp_path, "port=0", "abort_on_error=true", **none) as waiting:
        ended = waiting.ended()
    assert ended.code == 1
    assert "no browser could be opened" in ended.said


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        (["callbackmode=upside-down"], 1, "callbackmode is client, direct or device"),
        (["colour=secret"], 1, "oidc takes these settings: abort_on_error"),
        (["port=http"], 1, "port is the number of a port"),
        (["show_qr=perhaps", "role=nobody"], 1, "show_qr is true or false"),
        (["listenaddress=192.0.2.1", "port=0"], 1, "cannot listen at listenaddress"),
        (["role=nobody", "port=0"], 2, "role"),
        (["callbackhost=elsewhere.example", "port=0"], 2, "allowed_redirect_uris"),
        (["callbackmode=device"], 2, "missing redirect_uri"),
        (["callbackmode=device"], 2, "its own callback_mode says which"),
        (["role=direct", "callbackmode=direct", "callbackhost=elsewhere.example"], 2, "allowed"),
    ],
)
def test_wardgate_says_what_is_wrong(
    server: Server, provider: Provider, tmp_path: Path, settings: list[str], code: int, said: str
) -> None:
    shell = Shell(tmp_path, server.address)
    ended = shell.run("login", "-method=oidc", "skip_browser=true", *settings)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
    assert "secret" not in ended.stderr


def test_wardgate_does_not_wait_for_ever(
    server: Server, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "PATIENCE", 0.01)
    shell = Shell(tmp_path, server.address)
    for settings in (["port=0"], ["role=direct", "callbackmode=direct"]):
        ended = shell.run("login", "-method=oidc", "skip_browser=true", *settings)
        assert (ended.returncode, "nobody has logged in" in ended.stderr) == (1, True)


def test_wardgate_can_have_the_token_wrapped(
    server: Server, provider: Provider, tmp_path: Path
) -> None:
    options = ("-wrap-ttl=5m", "-token-only", "port=0")
    with login("wardgate", server, tmp_path, *options) as waiting:
        visitor = Visitor()
        visitor.send(visitor.open(waiting.page()), login="ada")
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    with Api(tcp(server.port), json.loads(ended.output)) as api:
        assert api.post("sys/wrapping/unwrap").auth["metadata"]["role"] == "people"
