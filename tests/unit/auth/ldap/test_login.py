"""Logins and renewals; what OpenBao does too is compared in the scenarios `ldap_…`."""

import base64
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.node import errors
from tests.people_of_directory import CONFIG, People, with_own_people, with_people
from tests.servers import free_port
from tests.services.directory_entries import BASE, PASSWORDS, PEOPLE, SERVICE_PASSWORD
from tests.services.slapd import slapd
from tests.services.strange_directory import (
    BIND_ANSWER,
    DONE,
    SEARCH,
    result,
    strange_directory,
)
from tests.services.strange_directory import entry as found

ADA = PASSWORDS["ada"]


def new_password(people: People, name: str, password: str) -> None:
    people.directory.change(
        f"dn: uid={name},{PEOPLE}\nchangetype: modify\nreplace: userPassword\n"
        f"userPassword:: {base64.b64encode(password.encode()).decode()}\n"
    )


@with_people
async def test_a_mount_that_nobody_has_configured_asks_nobody(people: People) -> None:
    await people.node.ok("sys/auth/new", {"type": "ldap"})
    response = await people.node.write("auth/new/login/ada", {"password": "x"}, token="")
    assert response.status == 400
    assert "not configured" in errors(response)[0]


@with_people
async def test_the_line_end_of_a_file_is_no_part_of_the_service_accounts_password(
    people: People,
) -> None:
    for end in ("\n", "\r\n"):
        await people.with_service(bindpass=SERVICE_PASSWORD + end)
        await people.logged_in("ada", ADA)


@with_people
async def test_tls_in_all_ways(people: People) -> None:
    directory = people.directory
    for settings in (
        {"url": directory.tls_url, "certificate": directory.ca_pem},
        {"url": directory.tls_url, "certificate": "", "insecure_tls": True},
        {"url": directory.url, "starttls": True, "insecure_tls": True},
        {"certificate": directory.ca_pem, "insecure_tls": False},
        {"tls_max_version": "tls13", "tls_min_version": "tls13"},
    ):
        await people.configure(**settings)
        await people.logged_in("ada", ADA)
        await people.with_service()
        await people.logged_in("ada", ADA)
        await people.logged_in("ada", ADA)
        await people.configure(binddn="")


def test_a_directory_may_want_to_see_a_certificate() -> None:
    with slapd(client_certificates=True) as demanding:

        @with_people
        async def test(people: People) -> None:
            certificate, key = demanding.client_pem
            await people.configure(url=demanding.tls_url, certificate=demanding.ca_pem)
            assert (await people.login("ada", ADA)).status == 502
            await people.configure(client_tls_cert=certificate, client_tls_key=key)
            await people.logged_in("ada", ADA)
            await people.configure(url=demanding.url, starttls=True)
            await people.logged_in("ada", ADA)
            shown = str((await people.node.read(CONFIG)).data)
            assert "PRIVATE KEY" not in shown

        test()


@with_people
async def test_the_first_address_that_answers_is_asked(people: People) -> None:
    dead = f"ldap://127.0.0.1:{free_port()}"
    for url in (f"{dead},{people.directory.url}", f"{dead},{dead},{people.directory.url}"):
        await people.configure(url=url)
        await people.logged_in("ada", ADA)
    await people.configure(url=f"{dead},{dead}")
    response = await people.login("ada", ADA)
    assert response.status == 502
    assert "connection refused" in errors(response)[0]


@pytest.mark.parametrize("code", [1, 2, 3, 7, 8, 11, 13, 51, 52, 54, 80])
def test_what_keeps_a_directory_from_answering_is_nobodys_fault(code: int) -> None:
    def answering(number: int, kind: int) -> Iterable[bytes]:
        yield result(number, BIND_ANSWER, code)

    @with_people
    async def test(people: People) -> None:
        with strange_directory(answering) as url:
            await people.configure(url=url)
            for _ in range(6):
                response = await people.login("ada", ADA)
                assert response.status == 502
            assert ("starttls" in errors(response)[0]) is (code in (8, 13))
        await people.configure(url=people.directory.url)
        await people.logged_in("ada", ADA)  # nothing was counted

    test()


@pytest.mark.parametrize("code", [19, 32, 34, 48, 49, 50, 53])
def test_what_a_directory_says_of_somebody_is_a_wrong_password(code: int) -> None:
    """Locked and expired accounts among them: strangers learn nothing of those."""

    def answering(number: int, kind: int) -> Iterable[bytes]:
        yield result(number, BIND_ANSWER, code)

    @with_people
    async def test(people: People) -> None:
        with strange_directory(answering) as url:
            await people.configure(url=url)
            response = await people.login("ada", ADA)
            assert response.status == 400
            assert "failed to bind as user" in errors(response)[0]

    test()


@with_people
async def test_who_may_not_be_the_only_one_is_nobody(people: People) -> None:
    """A part of what was found proves nothing."""

    def answering(number: int, kind: int) -> Iterable[bytes]:
        if kind == SEARCH:
            yield found(number, f"uid=ada,{PEOPLE}", uid=[b"ada"])
            yield result(number, DONE, 4)
        else:
            yield result(number, BIND_ANSWER)

    with strange_directory(answering) as url:
        await people.configure(url=url, discoverdn=True)
        response = await people.login("ada", ADA)
        assert (response.status, "failed to bind" in errors(response)[0]) == (400, True)


@with_own_people
async def test_a_renewal_needs_the_password_and_the_user(people: People) -> None:
    auth = await people.logged_in("ada", ADA)
    token = auth["client_token"]
    await people.node.ok("auth/token/renew-self", token=token)
    new_password(people, "ada", "another")
    refused = await people.node.write("auth/token/renew-self", token=token)
    assert "another password" in errors(refused)[0]
    new_password(people, "ada", ADA)
    await people.node.ok("auth/token/renew-self", token=token)
    people.directory.remove(f"uid=ada,{PEOPLE}")
    refused = await people.node.write("auth/token/renew-self", token=token)
    assert refused.status == 400
    assert await people.node.lives(token)


@with_people
async def test_a_renewal_while_the_directory_is_away_is_refused_and_the_token_lives(
    people: People,
) -> None:
    auth = await people.logged_in("ada", ADA)
    await people.configure(url=f"ldap://127.0.0.1:{free_port()}")
    refused = await people.node.write("auth/token/renew-self", token=auth["client_token"])
    assert refused.status == 502
    assert await people.node.lives(auth["client_token"])


@with_own_people
async def test_passwords_may_have_any_characters(people: People) -> None:
    for password in (" spaces ", "päß wörd", "ﬁ ²", "a\\2ab*()", "💚", "x" * 4096):
        new_password(people, "ada", password)
        await people.logged_in("ada", password)
    assert (await people.login("ada", "x" * 4097)).status == 400
    await people.with_service(userdn=BASE)
    await people.logged_in('zoë, (x)*+"<>;#=', PASSWORDS["odd"])


@with_people
async def test_an_alias_must_be_one_value(people: People) -> None:
    await people.with_service(userattr="description", userfilter="(uid={{.Username}})")
    response = await people.login("ada", ADA)
    assert response.status == 400
    assert "single value" in errors(response)[0]
    await people.configure(username_as_alias=True)
    assert await people.alias(await people.logged_in("ada", ADA)) == "ada"


@with_people
async def test_names_that_users_have_here_have_any_signs(people: People) -> None:
    for name in ("corp/ada", "100%", "a%2fb", "Zoë X", "..x", "a:b", "ada@example.org"):
        await people.node.ok(f"auth/ldap/users/{name}", {"policies": "own"})
        read = await people.node.read(f"auth/ldap/users/{name.upper()}")
        assert (read.status, read.data["policies"]) == (200, ("own",)), name
    listed = (await people.node.listing("auth/ldap/users")).data["keys"]
    assert sorted(listed) == sorted(
        ["corp/ada", "100%", "a%2fb", "zoë x", "..x", "a:b", "ada@example.org"]
    )
    part = await people.node.listing("auth/ldap/users", query={"limit": "2"})
    rest = await people.node.listing("auth/ldap/users", query={"after": part.data["keys"][-1]})
    assert sorted([*part.data["keys"], *rest.data["keys"]]) == sorted(listed)


def test_a_server_starts_without_the_library() -> None:
    """It takes 0.1 s to import, which those need not spend who have no such mount."""
    code = (
        "import sys, wardgate.server.catalog, wardgate.auth.ldap;"
        "sys.exit(any(name.startswith(('ldap3', 'pyasn1')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
