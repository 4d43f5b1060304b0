"""In which groups somebody is; what OpenBao does too is compared in the scenarios `ldap_…`."""

from collections.abc import Iterable

from tests.node import errors
from tests.people import external_group, groups_of
from tests.people_of_directory import People, with_own_people, with_people
from tests.services.active_directory import active_directory
from tests.services.directory_entries import (
    AD,
    AD_DOMAIN,
    BASE,
    DEEP,
    GROUPS,
    PASSWORDS,
    PEOPLE,
    SIDS,
    entry,
    group,
    sid,
)
from tests.services.strange_directory import BIND_ANSWER, DONE, SEARCH, result, strange_directory
from tests.services.strange_directory import entry as found

ADA = PASSWORDS["ada"]


async def mapped(people: People, *groups: str) -> None:
    """Give each group the policy that is called like it, in lower case without spaces."""
    for name in groups:
        policy = name.lower().replace(" ", "-")
        await people.node.ok(f"auth/ldap/groups/{name}", {"policies": policy})


async def policies(people: People, name: str = "ada", password: str = ADA) -> list[str]:
    found: list[str] = (await people.logged_in(name, password))["policies"]
    return [each for each in found if each != "default"]


@with_own_people
async def test_many_groups_come_in_pages(people: People) -> None:
    names = [f"many-{number}" for number in range(60)]
    people.directory.add("".join(group(name, f"uid=ada,{PEOPLE}") for name in names))
    await mapped(people, *names, "Engineers")
    await people.with_service()
    response = await people.login("ada", ADA)
    assert response.status == 502
    assert "max_page_size" in errors(response)[0]
    for size in (1, 2, 3):
        await people.configure(max_page_size=size)
        assert await policies(people) == sorted(["engineers", *names])
    await people.configure(max_page_size=0)
    assert (await people.login("ada", ADA)).status == 502


@with_own_people
async def test_aliases_are_followed_when_that_is_set(people: People) -> None:
    people.directory.add(
        entry(f"ou=links,{BASE}", "organizationalUnit", ou="links")
        + entry(
            f"cn=link,ou=links,{BASE}",
            "alias",
            "extensibleObject",
            cn="link",
            aliasedObjectName=f"cn=Engineers,{GROUPS}",
        )
    )
    await mapped(people, "Engineers")
    await people.configure(groupdn=f"ou=links,{BASE}")
    for setting, expected in (
        ("never", []),
        ("finding", []),
        ("searching", ["engineers"]),
        ("always", ["engineers"]),
    ):
        await people.configure(dereference_aliases=setting)
        assert await policies(people) == expected, setting
    await people.configure(groupdn=f"cn=link,ou=links,{BASE}", dereference_aliases="finding")
    assert await policies(people) == ["engineers"]


@with_people
async def test_nested_groups_are_those_of_the_directory(people: People) -> None:
    await mapped(people, "squad", "tribe", "company")
    await people.configure(
        userdn=f"ou=people,{DEEP}",
        groupdn=f"ou=people,{DEEP}",
        groupfilter="(uid={{.Username}})",
        groupattr="memberOf",
    )
    assert await policies(people) == ["company", "squad", "tribe"]


@with_people
async def test_groups_become_groups_of_the_entity(people: People) -> None:
    staff = await external_group(people.node, "Staff", at="auth/ldap/", policies="staff")
    engineers = await external_group(people.node, "Engineers", at="auth/ldap/", policies="eng")
    auth = await people.logged_in("ada", ADA)
    assert auth["identity_policies"] == ["eng"]
    assert await groups_of(people.node, auth["entity_id"]) == [engineers]
    auth = await people.logged_in("grace", PASSWORDS["grace"])
    assert await groups_of(people.node, auth["entity_id"]) == [staff]


@with_own_people
async def test_a_renewal_moves_people_to_the_groups_that_they_are_in_now(people: People) -> None:
    staff = await external_group(people.node, "Staff", at="auth/ldap/", policies="staff")
    auth = await people.logged_in("kim", PASSWORDS["kim"])
    assert await groups_of(people.node, auth["entity_id"]) == []
    people.directory.change(
        f"dn: cn=Staff,{GROUPS}\nchangetype: modify\nadd: member\nmember: uid=kim,{PEOPLE}\n"
    )
    await people.node.ok("auth/token/renew-self", token=auth["client_token"])
    assert await groups_of(people.node, auth["entity_id"]) == [staff]


@with_people
async def test_active_directory_knows_people_by_their_principal_names(people: People) -> None:
    with active_directory(people.directory.port) as url:
        await mapped(people, "Auditors", "Domain Ops")
        await people.configure(url=url, userdn=AD, groupdn=AD, upndomain=AD_DOMAIN)
        assert await policies(people, "dan", PASSWORDS["dan"]) == ["auditors", "domain-ops"]
        auth = await people.logged_in("DAN", PASSWORDS["dan"])
        assert await people.alias(auth) == f"dan@{AD_DOMAIN}"
        assert await policies(people, "eve", PASSWORDS["eve"]) == []
        await people.configure(use_token_groups=True)
        assert await policies(people, "eve", PASSWORDS["eve"]) == ["auditors", "domain-ops"]


@with_own_people
async def test_active_directory_knows_people_by_their_account_names_where_that_is_set(
    people: People,
) -> None:
    people.directory.add(
        entry(
            f"cn=Mallory,{AD}",
            *("inetOrgPerson", "adEntry"),
            cn="Mallory",
            sn="m",
            sAMAccountName="short",
            userPrincipalName=f"long.name@{AD_DOMAIN}",
            userPassword="pass",
            tokenGroups=(sid(*SIDS["Auditors"]), b"\x01\x01", sid(21, 9, 9, 9)),
        )
    )
    await mapped(people, "Auditors", "mallory")
    with active_directory(people.directory.port) as url:
        await people.with_service(
            url=url,
            userdn=AD,
            groupdn=AD,
            upndomain=AD_DOMAIN,
            userattr="sAMAccountName",
            use_token_groups=True,
        )
        assert await policies(people, "long.name", "pass") == ["auditors"]
        assert (await people.login("short", "pass")).status == 400
        await people.configure(enable_samaccountname_login=True)
        assert await policies(people, "short", "pass") == ["auditors"]
        auth = await people.logged_in("long.name", "pass")
        assert await people.alias(auth) == "short"
        assert (await people.login("*", "pass")).status == 400


@with_people
async def test_who_has_no_such_attribute_is_in_no_group(people: People) -> None:
    await mapped(people, "Kim", "uid=kim")
    await people.configure(groupdn=PEOPLE, groupfilter="(uid={{.Username}})", groupattr="memberOf")
    assert await policies(people, "kim", PASSWORDS["kim"]) == []


@with_people
async def test_groups_that_come_in_parts_are_an_error_and_not_fewer_groups(people: People) -> None:
    """Active Directory gives the first 1500 values of an attribute so."""

    def answering(number: int, kind: int) -> Iterable[bytes]:
        if kind == SEARCH:
            yield found(number, f"uid=ada,{PEOPLE}", **{"memberOf;range=0-1": [b"cn=a", b"cn=b"]})
            yield result(number, DONE)
        else:
            yield result(number, BIND_ANSWER)

    with strange_directory(answering) as url:
        await people.configure(url=url, groupattr="memberOf")
        response = await people.login("ada", ADA)
        assert response.status == 502
        assert "in parts" in errors(response)[0]
