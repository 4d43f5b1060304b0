"""Rules for whoever asks: templates in paths, and why they never widen a rule."""

import pytest

from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, TemplateAlias, TemplateGroup, TemplateSubject, parse_policy

SUBJECT = TemplateSubject(
    entity_id="e-1",
    entity_name="ann",
    entity_metadata={"team": "blue", "a.b": "dotted", "braces": "{{identity.entity.id}}"},
    aliases={
        "auth_ldap_1": TemplateAlias("al-1", "ann@ldap", {"mail": "m"}, {"desk": "d"}),
    },
    groups=(TemplateGroup("g-1", "admins", {"floor": "3"}), TemplateGroup("g-2", "users")),
)  # fmt: skip


def read_paths(template: str, *paths: str, subject: TemplateSubject | None = SUBJECT) -> list[str]:
    text = f'path "{template}" {{ capabilities = ["read"] }}'
    policy = Acl.compile([parse_policy(text)], subject)
    return [path for path in paths if policy.allows(Operation.READ, path)]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("identity.entity.id", "e-1"),
        ("identity.entity.name", "ann"),
        (" identity.entity.name ", "ann"),
        ("identity.entity.metadata.team", "blue"),
        ("identity.entity.metadata.a.b", "dotted"),
        ("identity.entity.metadata.braces", "{{identity.entity.id}}"),
        ("identity.entity.aliases.auth_ldap_1.id", "al-1"),
        ("identity.entity.aliases.auth_ldap_1.name", "ann@ldap"),
        ("identity.entity.aliases.auth_ldap_1.metadata.mail", "m"),
        ("identity.entity.aliases.auth_ldap_1.custom_metadata.desk", "d"),
        ("identity.groups.ids.g-1.name", "admins"),
        ("identity.groups.ids.g-1.id", "g-1"),
        ("identity.groups.ids.g-1.metadata.floor", "3"),
        ("identity.groups.names.admins.id", "g-1"),
        ("identity.groups.names.admins.name", "admins"),
        ("identity.groups.names.admins.metadata.floor", "3"),
    ],
)
def test_what_a_template_may_refer_to(reference: str, value: str) -> None:
    template = f"kv/{{{{{reference}}}}}/*"
    inside = f"kv/{value}/x"
    assert read_paths(template, inside, "kv/x/x", "kv//x", template) == [inside]


@pytest.mark.parametrize(
    "reference",
    [
        "", "identity", "identity.entity", "identity.entity.age", "identity.entity.metadata",
        "identity.entity.metadata.none", "identity.entity.aliases.auth_ldap_2.name",
        "identity.entity.aliases.auth_ldap_1", "identity.entity.aliases.auth_ldap_1.metadata",
        "identity.entity.aliases.auth_ldap_1.age", "identity.entity.aliases.auth_ldap_1.metadata.x",
        "identity.entity.id.x", "identity.groups.ids.g-9.name", "identity.groups.names.others.id",
        "identity.groups.names.admins", "identity.groups.names.admins.age",
        "identity.groups.names.admins.metadata.none", "{identity.entity.id", "time.now",
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_filled_in_is_left_out(reference: str) -> None:
    template = f"kv/{{{{{reference}}}}}*"
    assert read_paths(template, "kv/", "kv/x", "kv/e-1", template) == []


def test_without_an_identity_templated_rules_are_left_out() -> None:
    assert read_paths("kv/{{identity.entity.id}}*", "kv/", "kv/e-1", subject=None) == []


def test_several_references_in_one_path() -> None:
    template = "{{identity.entity.metadata.team}}/{{identity.entity.name}}-{{identity.entity.id}}"
    assert read_paths(template, "blue/ann-e-1") == ["blue/ann-e-1"]
    assert read_paths("{{identity.entity.id}}/{{identity.entity.none}}", "e-1/") == []


def test_a_filled_in_rule_is_merged_with_its_plain_equal() -> None:
    text = """
        path "kv/{{identity.entity.name}}" { capabilities = ["deny"] }
        path "kv/ann" { capabilities = ["read"] }
    """
    assert Acl.compile([parse_policy(text)], SUBJECT).capabilities("kv/ann") == ["deny"]


class TestUnsafeValues:
    """Security case 34: a value chosen by its owner must not become a pattern or another path."""

    VALUES = ["*", "v*", "+", "v+w", "v/w", "/", "../sys", "v,w", ""]
    TEMPLATE = "kv/{{identity.entity.metadata.own}}"

    def compiled(self, value: str, capability: str) -> Acl:
        subject = TemplateSubject("e", "n", {"own": value})
        text = f"""
            path "{self.TEMPLATE}" {{ capabilities = ["{capability}"] }}
            path "{self.TEMPLATE}*" {{ capabilities = ["{capability}"] }}
            path "other/*" {{ capabilities = ["read"] }}
        """
        return Acl.compile([parse_policy(text)], subject)

    @pytest.mark.parametrize("value", VALUES)
    def test_their_rule_grants_nothing(self, value: str) -> None:
        policy = self.compiled(value, "read")
        for path in (
            "kv/",
            "kv/x",
            "kv/v",
            "kv/v/w",
            "kv/sys",
            "sys",
            f"kv/{value}",
            self.TEMPLATE,
        ):
            assert not policy.allows(Operation.READ, path)
        assert policy.allows(Operation.READ, "other/x")

    @pytest.mark.parametrize("value", VALUES)
    def test_nobody_lifts_a_deny_with_one(self, value: str) -> None:
        assert self.compiled(value, "deny").capabilities("other/x") == ["deny"]
