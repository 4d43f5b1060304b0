"""What may be wrong with a configuration is said when it is written and when it is read."""

from typing import Any

from tests.people_of_directory import CONFIG, People, with_people


async def warned(people: People, **fields: Any) -> str:
    """What is warned of when these fields are written, which is what is warned of on reading."""
    written = await people.node.ok(CONFIG, fields)
    read = await people.node.read(CONFIG)
    assert (written.warnings or []) == (read.warnings or [])
    return " ".join(written.warnings or [])


@with_people
async def test_people_of_a_domain_who_would_be_taken_for_each_other(people: People) -> None:
    await people.with_service(userattr="cn")
    assert not await warned(people)
    assert "userPrincipalName" in await warned(people, upndomain="example.org")
    assert not await warned(people, username_as_alias=True)
    assert "userattr" in await warned(people, username_as_alias=False)
    assert not await warned(people, userattr="userPrincipalName")
    assert not await warned(people, userattr="sAMAccountName")
    assert "userattr" in await warned(people, userattr="cn", binddn="", discoverdn=True)
    assert not await warned(people, discoverdn=False)  # then the alias is NAME@DOMAIN


@with_people
async def test_passwords_that_others_could_read(people: People) -> None:
    for url in ("ldap://10.0.0.1", "ldaps://10.0.0.1,ldap://10.0.0.2", "ldap://ldap.example.org"):
        assert "in clear" in await warned(people, url=url)
        assert not await warned(people, starttls=True)
        assert "in clear" in await warned(people, starttls=False)
    assert not await warned(people, url="ldaps://10.0.0.1")
    for url in ("ldap://localhost", "ldap://127.0.0.1:1,ldap://[::1]", "ldap://127.1.2.3"):
        assert not await warned(people, url=url)


@with_people
async def test_certificates_that_nobody_looks_at(people: People) -> None:
    for url, starttls in (("ldaps://10.0.0.1", False), ("ldap://ldap.example.org", True)):
        assert "insecure_tls" in await warned(people, url=url, starttls=starttls, insecure_tls=True)
        assert not await warned(people, insecure_tls=False)
    assert not await warned(people, url="ldaps://127.0.0.1", insecure_tls=True)
