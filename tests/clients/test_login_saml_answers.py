"""What `wardgate login -method=saml` makes of what servers answer."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.clients.shell import BIN
from tests.login_program import Ended, LoginProgram
from tests.servers import Server
from tests.serving import on_a_thread

PAGE = "https://idp.example.test/sso"
BEGUN = {"data": {"sso_service_url": PAGE, "token_poll_id": "poll"}}
PENDING = {"errors": ["authorization_pending"]}
TOKEN = {"auth": {"client_token": "s.token", "accessor": "a", "policies": ["default"]}}


def answering(*answers: tuple[int, object]) -> type[BaseHTTPRequestHandler]:
    """A server that answers so, one after the other."""
    waiting = list(answers)

    class Answering(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, body = waiting.pop(0)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Answering


def ended(home: Path, *answers: tuple[int, object]) -> Ended:
    """How a login ends at a server that answers so."""
    command = [str(BIN / "wardgate"), "login", "-method=saml", "-format=json", "skip_browser=true"]
    with on_a_thread(answering(*answers)) as address:
        server = Server("127.0.0.1", int(address.rpartition(":")[2]))
        with LoginProgram(command, server, home) as program:
            return program.ended()


@pytest.mark.parametrize("pending", [(400, PENDING), (401, {"errors": ["not yet"]})])
def test_it_asks_until_the_login_has_ended(tmp_path: Path, pending: tuple[int, object]) -> None:
    """Vault answers 401 as long as nobody has logged in."""
    found = ended(tmp_path, (200, BEGUN), pending, pending, (200, TOKEN))
    assert found.code == 0, found.said
    assert PAGE in found.said
    assert json.loads(found.output)["auth"]["client_token"] == "s.token"


def test_it_gives_up_when_the_login_has_failed(tmp_path: Path) -> None:
    refusal = {"errors": ["Login failed. The role is not for this subject (bound_subjects)."]}
    found = ended(tmp_path, (200, BEGUN), (400, PENDING), (400, refusal))
    assert found.code == 2
    assert "bound_subjects" in found.said


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"sso_service_url": "javascript:alert(1)", "token_poll_id": "p"},
        {"sso_service_url": "https://a.example.test/\x1b[2J", "token_poll_id": "p"},
        {"sso_service_url": PAGE},
    ],
)
def test_an_answer_without_a_page_is_refused(tmp_path: Path, data: dict[str, str]) -> None:
    found = ended(tmp_path, (200, {"data": data}))
    assert found.code == 2
    assert "no address of a page" in found.said


def test_it_says_what_to_give_where_no_address_fits(tmp_path: Path) -> None:
    refusal = {"errors": ["acs_url: must be one of the mount's acs_urls"]}
    found = ended(tmp_path, (400, refusal), (400, refusal))
    assert found.code == 2
    assert "Give acs_url=ADDRESS, one of acs_urls in auth/saml/config" in found.said
    assert "/v1/auth/saml/callback" in found.said


def test_another_refusal_on_the_way_is_told(tmp_path: Path) -> None:
    refusal = {"errors": ["acs_url: must be one of the mount's acs_urls"]}
    found = ended(tmp_path, (400, refusal), (400, {"errors": ["missing role"]}))
    assert found.code == 2
    assert "missing role" in found.said
