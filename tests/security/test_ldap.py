"""Attacks on the ldap auth method: enumeration, spellings, null binds, injection, what leaks
(security cases 2 to 6, 40, 42 and 47)."""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tests.node import errors
from tests.people_of_directory import CONFIG, People, with_own_people, with_people
from tests.services.active_directory import head, standing_before
from tests.services.directory_entries import (
    BASE,
    ODD_NAME,
    PASSWORDS,
    PEOPLE,
    SERVICE_PASSWORD,
    entry,
    escaped,
    person,
)
from tests.services.slapd import slapd
from tests.services.strange_directory import (
    BIND,
    SEARCH,
)

ADA = PASSWORDS["ada"]
WRONG = ["ldap operation failed: failed to bind as user"]


@contextmanager
def recorded(port: int) -> Iterator[tuple[str, list[str]]]:
    """A directory's URL, and what kinds of requests come there."""
    kinds: list[str] = []

    def seen(request: bytes) -> bytes:
        _, kind = head(request)
        kinds.append({BIND: "bind", SEARCH: "search"}.get(kind, "other"))
        return request

    with standing_before(port, seen) as url:
        yield url, kinds


@with_people
async def test_02_unknown_users_and_wrong_passwords_answer_the_same(people: People) -> None:
    for searching in (False, True):
        if searching:
            await people.with_service(userdn=BASE)
        answers = [
            await people.login(name, password)
            for name, password in (
                ("ada", "wrong"),
                ("nobody", "wrong"),
                ("nobody", ADA),
                ("twin", "two"),  # there are two of that name
                ("a\u200bda", ADA),
                ("x" * 300, ADA),
            )
        ]
        for answer in answers:
            assert (answer.status, errors(answer), answer.headers) == (400, WRONG, [])


@with_people
async def test_02_unknown_users_cost_the_directory_the_same(people: People) -> None:
    await people.with_service()
    with recorded(people.directory.port) as (url, kinds):
        await people.configure(url=url)
        await people.login("ada", "wrong")  # opens a connection
        kinds.clear()
        await people.login("ada", "wrong")
        known = [*kinds]
        kinds.clear()
        await people.login("nobody", "wrong")
        assert kinds == known == ["bind", "search", "bind"]


@with_people
async def test_03_all_spellings_of_a_name_share_one_lockout_counter(people: People) -> None:
    for name in ("ada", "ADA", " ada", "ada ", "\uff41\uff44\uff41"):
        assert errors(await people.login(name, "wrong")) == WRONG
    for name in ("ada", "Ada", "ada ", "\uff41da"):
        assert (await people.login(name, ADA)).status == 403
    people.node.clock.advance(900)
    await people.logged_in("ada", ADA)


@with_people
async def test_03_no_spelling_that_is_let_in_is_counted_for_nobody(people: People) -> None:
    """Names with characters that cannot be seen are ignored by directories, so they are refused."""
    await people.configure(case_sensitive_names=True)
    for name in ("a\u00adda", "a\u200bda", "ada\ufeff", "a\u2060da", "ada\u200e"):
        assert errors(await people.login(name, ADA)) == WRONG
    for name in ("ADA", "\u2003ada", "ada\u3000"):
        assert (await people.login(name, ADA)).status == 200


@with_people
async def test_04_spaces_and_case_make_no_second_person(people: People) -> None:
    await people.configure(username_as_alias=True)
    first = await people.logged_in("ada", ADA)
    assert await people.alias(first) == "ada"
    for name in ("ada ", " ada", "ADA", "Ada ", "\uff21da"):
        assert (await people.logged_in(name, ADA))["entity_id"] == first["entity_id"]
    await people.with_service(username_as_alias=False, userdn=BASE)
    second = await people.logged_in("ADA ", ADA)
    assert await people.alias(second) == "ada"
    assert second["entity_id"] == first["entity_id"]


def test_05_an_empty_password_proves_nothing() -> None:
    with slapd(unauthenticated_binds=True) as lax:

        @with_people
        async def test(people: People) -> None:
            await people.configure(url=lax.url)
            await people.logged_in("ada", ADA)
            for settings in ({}, {"deny_null_bind": False}, {"discoverdn": True}):
                await people.configure(**settings)
                for password in ("", None):
                    body = {"password": password}
                    path = "auth/ldap/login/ada"
                    answer = await people.node.write(path, body, token="")
                    assert (answer.status, answer.auth) == (400, None)
                    assert "zero length" in errors(answer)[0]
                assert (await people.node.write(path, {}, token="")).status == 400
            shown = await people.node.read(CONFIG)
            assert shown.data["deny_null_bind"] is True

        test()


@with_people
async def test_05_an_empty_password_is_never_sent(people: People) -> None:
    with recorded(people.directory.port) as (url, kinds):
        await people.configure(url=url)
        await people.login("ada", "")
        assert kinds == []


@with_people
async def test_06_names_cannot_change_a_dn(people: People) -> None:
    for name in (
        "ada,ou=people",
        f"ada,{PEOPLE}",
        "nobody+cn=Ada",
        "ada+cn=Ada",
        "ada\\",
        "#616461",
        "ada;x",
        '"ada"',
        "\\61da",
        "ada\x00",
    ):
        assert errors(await people.login(name, ADA)) == WRONG, name
    auth = await people.logged_in(ODD_NAME, PASSWORDS["odd"])
    assert auth["metadata"] == {"username": ODD_NAME}


@with_people
async def test_06_names_cannot_change_a_filter(people: People) -> None:
    await people.with_service(userdn=BASE)
    for name in (
        "*",
        "ad*",
        "a*a",
        "ada)(uid=*",
        "*)(uid=ada))(|(uid=*",
        "nobody)(|(uid=ada",
        "ada\\00",
        "\\61da",
        "\\2a",
        "&",
        "(ada)",
    ):
        assert errors(await people.login(name, ADA)) == WRONG, name
        people.node.clock.advance(1000)
    auth = await people.logged_in(ODD_NAME, PASSWORDS["odd"])
    assert await people.alias(auth) == ODD_NAME


@with_own_people
async def test_06_names_with_a_backslash_are_themselves(people: People) -> None:
    """They cannot be in a path, but in an entry that is found by mail address."""
    name = "a\\b*(c)"
    people.directory.add(
        entry(
            f"uid={escaped(name)},{PEOPLE}",
            "inetOrgPerson",
            uid=name,
            cn="x",
            sn="x",
            mail="back@example.org",
            userPassword="slash",
        )
    )
    await people.with_service(userfilter="(mail={{.Username}})")
    auth = await people.logged_in("back@example.org", "slash")
    assert await people.alias(auth) == name


@with_own_people
async def test_06_dns_of_people_cannot_change_the_filter_for_groups(people: People) -> None:
    people.directory.add(person(escaped("x)(cn=*"), "pass"))
    await people.node.ok("auth/ldap/groups/engineers", {"policies": "eng"})
    auth = await people.logged_in("x)(cn=*", "pass")
    assert auth["policies"] == ["default"]


@with_people
async def test_40_nothing_that_was_sent_or_configured_is_in_an_answer(people: People) -> None:
    secret = "hunter2"
    await people.with_service(bindpass=secret)
    answers = [
        await people.login("ada", secret),
        await people.node.read(CONFIG),
        await people.node.write(CONFIG, {"url": f"https://{secret}"}),
        await people.node.write(CONFIG, {"userfilter": f"{{{{.{secret}}}}}"}),
        await people.node.write(CONFIG, {"client_tls_cert": secret, "client_tls_key": secret}),
        await people.node.write(CONFIG, {"certificate": secret}),
    ]
    assert [answer.status for answer in answers] == [502, 200, 400, 400, 400, 400]
    for answer in answers:
        assert secret not in str(answer.data)
        assert "127.0.0.1" not in str(answer.data) or answer.status == 200


@with_people
async def test_a_wrong_password_of_the_service_account_locks_nobody_out(people: People) -> None:
    await people.with_service(bindpass="wrong")
    for _ in range(8):
        assert (await people.login("ada", ADA)).status == 502
    await people.with_service()
    await people.logged_in("ada", ADA)


@with_people
async def test_what_a_mapping_names_root_lets_nobody_in(people: People) -> None:
    for name in ("root", " ROOT ", "x,root"):
        await people.node.ok("auth/ldap/groups/Engineers", {"policies": name})
        assert (await people.login("ada", ADA)).status == 400


@with_people
async def test_42_secrets_are_in_no_log(people: People) -> None:
    """Nor in what a fault inside tells."""
    told: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    handler = Keeping()
    logging.getLogger().addHandler(handler)
    try:
        await people.with_service()
        await people.logged_in("ada", ADA)
        await people.login("ada", "wrong horse")

        def broken(*_: object) -> None:
            raise RuntimeError

        (await people.backend())._login._connections = broken  # type: ignore[assignment, method-assign]
        assert (await people.login("ada", ADA)).status == 500
    finally:
        logging.getLogger().removeHandler(handler)
    assert any("RuntimeError" in each for each in told)
    for secret in (SERVICE_PASSWORD, ADA, "wrong horse"):
        assert secret not in "".join(told)


@with_people
async def test_47_names_of_strangers_are_not_stored(people: People) -> None:
    before = await people.node.keys_below("")
    for number in range(20):
        await people.login(f"stranger-{number}", "x")
    written = set(await people.node.keys_below("")) - set(before)
    assert {key for key in written if "/lockout/" not in key} == set()


@with_people
async def test_a_key_among_the_certificates_is_refused_and_never_shown(people: People) -> None:
    _, key = people.directory.client_pem
    ca = people.directory.ca_pem
    block, end = ca.strip().rsplit("-----END", 1)
    hidden = base64.b64encode(base64.b64decode("".join(block.splitlines()[1:])) + b"key").decode()
    for text in (
        key + ca,
        ca + key,
        f"{ca}\nkey={key[40:90]}",
        f"{ca}\n{ca.replace(' CERTIFICATE', ' TRUSTED CERTIFICATE')}",
        f"-----BEGIN CERTIFICATE-----\n{hidden}\n-----END{end}",
        f"-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\n{block[28:]}-----END{end}",
    ):
        response = await people.node.write(CONFIG, {"certificate": text})
        assert response.status == 400
        assert errors(response)[0].startswith("certificate: expected")
    await people.configure(certificate=ca + "\n" + ca)
    assert "PRIVATE" not in str((await people.node.read(CONFIG)).data)
