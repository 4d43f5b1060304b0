"""Templates in paths are filled in as by a real OpenBao."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.core.policy import Acl, TemplateAlias, TemplateGroup, TemplateSubject, parse_policy

METADATA = {"team": "blue", "sp": "a b", "braces": "{{identity.entity.id}}",
            "star": "v*", "plus": "v+w", "slash": "v/w", "comma": "v,w", "empty": ""}  # fmt: skip


@dataclass
class Login:
    """A person known to OpenBao, and the same person for templates here."""

    oracle: Oracle
    accessor: str
    subject: TemplateSubject

    def token(self) -> str:
        answer = self.oracle.send("POST", "auth/userpass/login/ann", {"password": "p"})[1]
        token = answer["auth"]["client_token"]
        assert isinstance(token, str)
        return token


@pytest.fixture(scope="module")
def login() -> Iterator[Login]:
    with running_oracle() as oracle:
        oracle.send("POST", "sys/auth/userpass", {"type": "userpass"})
        accessor = oracle.send("GET", "sys/auth")[1]["data"]["userpass/"]["accessor"]
        user = {"password": "p", "token_policies": "tried", "token_no_default_policy": True}
        oracle.send("POST", "auth/userpass/users/ann", user)
        entity = oracle.send("POST", "identity/entity", {"name": "ann-e", "metadata": METADATA})
        entity_id = entity[1]["data"]["id"]
        alias = oracle.send(
            "POST",
            "identity/entity-alias",
            {
                "name": "ann",
                "canonical_id": entity_id,
                "mount_accessor": accessor,
                "custom_metadata": {"desk": "d"},
            },
        )[1]["data"]["id"]
        members = {"name": "admins", "member_entity_ids": [entity_id], "metadata": {"floor": "3"}}
        group = oracle.send("POST", "identity/group", members)[1]["data"]["id"]
        oracle.send("POST", "identity/group", {"name": "others"})
        yield Login(
            oracle,
            accessor,
            TemplateSubject(
                entity_id,
                "ann-e",
                METADATA,
                {accessor: TemplateAlias(alias, "ann", {}, {"desk": "d"})},
                (TemplateGroup(group, "admins", {"floor": "3"}),),
            ),
        )


def group_id(login: Login) -> str:
    return login.subject.groups[0].id


References = list[tuple[str, Callable[[Login], str]]]

REFERENCES: References = [
    ("identity.entity.id", lambda login: login.subject.entity_id),
    ("identity.entity.name", lambda _: "ann-e"),
    (" identity.entity.name ", lambda _: "ann-e"),
    ("identity.entity.metadata.team", lambda _: "blue"),
    ("identity.entity.metadata.sp", lambda _: "a b"),
    ("identity.entity.metadata.braces", lambda _: "{{identity.entity.id}}"),
    ("identity.entity.metadata.none", lambda _: "none"),
    ("identity.entity.metadata", lambda _: ""),
    ("identity.entity.age", lambda _: ""),
    ("identity.entity.aliases.ACCESSOR.name", lambda _: "ann"),
    ("identity.entity.aliases.ACCESSOR.id", lambda login: login.subject.aliases[login.accessor].id),
    ("identity.entity.aliases.ACCESSOR.custom_metadata.desk", lambda _: "d"),
    ("identity.entity.aliases.ACCESSOR.metadata.none", lambda _: ""),
    ("identity.entity.aliases.other.name", lambda _: "ann"),
    ("identity.groups.ids.GROUP.name", lambda _: "admins"),
    ("identity.groups.ids.GROUP.id", group_id),
    ("identity.groups.ids.GROUP.metadata.floor", lambda _: "3"),
    ("identity.groups.names.admins.id", group_id),
    ("identity.groups.names.admins.name", lambda _: "admins"),
    ("identity.groups.names.admins.metadata.floor", lambda _: "3"),
    ("identity.groups.names.others.id", lambda _: ""),
    ("identity.groups.names.others.name", lambda _: "others"),
    ("identity", lambda _: ""),
    ("", lambda _: ""),
]


@pytest.mark.parametrize(("reference", "value"), REFERENCES)
def test_a_reference(login: Login, reference: str, value: Callable[[Login], str]) -> None:
    named = reference.replace("ACCESSOR", login.accessor).replace("GROUP", group_id(login))
    template = f"kv/{{{{{named}}}}}/x"
    text = f'path "{template}" {{ capabilities = ["read"] }}'
    assert login.oracle.write_policy("tried", text) == 204
    acl = Acl.compile([parse_policy(text)], login.subject)
    paths = [f"kv/{value(login)}/x", "kv//x", "kv/y/x", template]
    theirs = login.oracle.capabilities(login.token(), paths)
    assert {path: acl.capabilities(path) for path in paths} == theirs


@pytest.mark.parametrize("key", ["star", "plus", "slash"])
def test_an_unsafe_value_grants_nothing_here_and_ends_everything_there(
    login: Login, key: str
) -> None:
    text = f"""
        path "kv/{{{{identity.entity.metadata.{key}}}}}" {{ capabilities = ["read"] }}
        path "other" {{ capabilities = ["read"] }}
    """
    assert login.oracle.write_policy("tried", text) == 204
    acl = Acl.compile([parse_policy(text)], login.subject)
    asked = {"token": login.token(), "paths": ["other"]}
    assert login.oracle.send("POST", "sys/capabilities", asked)[0] == 403
    assert acl.capabilities(f"kv/{METADATA[key]}") == ["deny"]
    assert acl.capabilities("other") == ["read"]


@pytest.mark.parametrize("key", ["comma", "empty"])
def test_values_that_are_safe_only_there(login: Login, key: str) -> None:
    text = f'path "kv/{{{{identity.entity.metadata.{key}}}}}" {{ capabilities = ["read"] }}'
    assert login.oracle.write_policy("tried", text) == 204
    acl = Acl.compile([parse_policy(text)], login.subject)
    path = f"kv/{METADATA[key]}"
    assert login.oracle.capabilities(login.token(), [path]) == {path: ["read"]}
    assert acl.capabilities(path) == ["deny"]
