"""Templates of identity tokens: they are filled in, and nobody slips a claim in."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jose import claims_of
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.identity.oidc import change_entity, entity_of, make_role, person, signed
from wardgate.core.identity import entity_by_id
from wardgate.core.json import encode
from wardgate.core.policy import TemplateAlias, TemplateGroup, TemplateSubject
from wardgate.errors import InvalidRequest
from wardgate.identity.oidc.templates import RESERVED, Moment, Template, template_text

EVIL = '","sub":"root","x":"'
ADA = Moment(
    TemplateSubject(
        entity_id="id-1",
        entity_name="ada",
        entity_metadata={"team": "engines", "a.b": "dotted", "evil": EVIL},
        aliases={
            "userpass_1": TemplateAlias(
                id="alias-1", name="ada-l", metadata={"m": "1"}, custom_metadata={"c": "2"}
            )
        },
        groups=(TemplateGroup("g-2", "writers"), TemplateGroup("g-1", "admins")),
    ),
    1_700_000_000,
)
NOBODY = Moment(TemplateSubject(entity_id="id-2", entity_name="bob"), 1_700_000_000)


@pytest.mark.parametrize(
    ("directive", "for_ada", "for_nobody"),
    [
        ("identity.entity.id", "id-1", "id-2"),
        ("identity.entity.name", "ada", "bob"),
        ("identity.entity.metadata", dict(ADA.subject.entity_metadata), {}),
        ("identity.entity.metadata.team", "engines", ""),
        ("identity.entity.metadata.a.b", "dotted", ""),
        ("identity.entity.metadata.evil", EVIL, ""),
        ("identity.entity.aliases.userpass_1.id", "alias-1", ""),
        ("identity.entity.aliases.userpass_1.name", "ada-l", ""),
        ("identity.entity.aliases.userpass_1.metadata", {"m": "1"}, {}),
        ("identity.entity.aliases.userpass_1.metadata.m", "1", ""),
        ("identity.entity.aliases.userpass_1.custom_metadata", {"c": "2"}, {}),
        ("identity.entity.aliases.userpass_1.custom_metadata.c", "2", ""),
        ("identity.entity.aliases.other.name", "", ""),
        ("identity.entity.groups.names", ["admins", "writers"], None),
        ("identity.entity.groups.ids", ["g-1", "g-2"], None),
        ("time.now", 1_700_000_000, 1_700_000_000),
        ("time.now.plus.1h30m", 1_700_005_400, 1_700_005_400),
        ("time.now.minus.90", 1_699_999_910, 1_699_999_910),
        ("time.now.plus.1.5h", 1_700_005_400, 1_700_005_400),
    ],
)
def test_a_directive_stands_for_a_value(
    directive: str, for_ada: object, for_nobody: object
) -> None:
    template = Template('{"a": {{ %s }}, "l": [{{%s}}], "o": {"p": {{%s}} } }' % ((directive,) * 3))
    for moment, value in ((ADA, for_ada), (NOBODY, for_nobody)):
        assert template.fill_in(moment) == {"a": value, "l": [value], "o": {"p": value}}


def test_a_template_may_be_base64() -> None:
    assert template_text("eyJhIjogMX0=") == '{"a": 1}'
    assert template_text('{"a": 1}') == '{"a": 1}'
    assert template_text("neither") == "neither"


def test_numbers_stay_as_they_were_written() -> None:
    filled = Template('{"a": 1.50, "b": 12345678901234567890, "c": 1e3}').fill_in(ADA)
    assert encode(filled) == b'{"a":1.50,"b":12345678901234567890,"c":1E+3}'


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "{{identity.entity.metadata}}"}',
        '{"a": "x{{identity.entity.name}}y"}',
        '{"a": "{{identity.entity.groups.names}}"}',
        '{"a": "{{time.now}}"}',
        "{ {{identity.entity.name}}: 1}",
        '{"o": { {{identity.entity.name}}: 1} }',
        "{{identity.entity.name}}",
        "[{{identity.entity.metadata}}]",
        "{{identity.entity.metadata}}{{identity.entity.metadata}}",
        '{"a": 1, {{identity.entity.metadata}} }',
        "[" * 5000,
        '{"a":' * 5000,
        '{"a":' * 100 + "1" + " }" * 100,
        '{"a": NaN}',
        '{"a": "\\ud800"}',
    ],
)
def test_a_directive_stands_nowhere_else(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Template(text)


@pytest.mark.parametrize("name", RESERVED)
def test_the_servers_own_claims_are_refused(name: str) -> None:
    for spelling in (f'"{name}"', '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"'):
        with pytest.raises(InvalidRequest):
            Template("{" + spelling + ": 1}")
        Template('{"inside": {' + spelling + ": 1} }")


@given(
    st.dictionaries(st.text(max_size=20) | st.sampled_from(RESERVED), st.text(max_size=30)),
    st.text(max_size=30),
)
def test_no_value_adds_a_claim_or_changes_another(metadata: dict[str, str], name: str) -> None:
    subject = TemplateSubject(
        entity_id="id",
        entity_name=name,
        entity_metadata=metadata,
        groups=(TemplateGroup("g", name),),
    )
    moment = Moment(subject, 1)
    template = Template(
        '{"n": {{identity.entity.name}}, "m": {{identity.entity.metadata}}, "role": "user",'
        ' "g": {{identity.entity.groups.names}} }'
    )
    filled = json.loads(encode(template.fill_in(moment)))
    assert filled == {"n": name, "m": metadata, "role": "user", "g": [name]}


@given(st.dictionaries(st.sampled_from([*RESERVED, "team"]), st.text(max_size=5)))
def test_metadata_as_the_whole_template_gives_no_claim_of_the_server(
    metadata: dict[str, str],
) -> None:
    subject = TemplateSubject(entity_id="id", entity_name="n", entity_metadata=metadata)
    filled = Template("{{identity.entity.metadata}}").fill_in(Moment(subject, 1))
    assert filled == {name: value for name, value in metadata.items() if name == "team"}


@with_node
async def test_metadata_cannot_forge_a_claim_of_a_token(node: NodeUnderTest) -> None:
    """From the entity's metadata to the signed token."""
    ada = await person(node)
    entity = await entity_by_id(await node.core.storage.begin(), await entity_of(node, ada))
    assert entity is not None
    metadata = {
        "quote": EVIL,
        "backslash": '\\","sub":"root',
        "sub": "root",
        "aud": "another",
        "exp": "9999999999",
        "braces": "{{identity.entity.id}}",
    }
    await change_entity(node, entity.id, msgspec.structs.replace(entity, metadata=metadata))
    template = '{"q": {{identity.entity.metadata.quote}}, "m": {{identity.entity.metadata}} }'
    for text, added in (
        (template, {"q": EVIL, "m": metadata}),
        (
            "{{identity.entity.metadata}}",
            {name: metadata[name] for name in ("quote", "backslash", "braces")},
        ),
    ):
        await make_role(node, template=text)
        claims = claims_of(await signed(node, ada))
        assert (claims["sub"], claims["aud"]) == (entity.id, "client")
        assert claims["exp"] == claims["iat"] + 86_400
        own = {"iss", "sub", "aud", "iat", "exp", "namespace"}
        assert {name: value for name, value in claims.items() if name not in own} == added


@with_node
async def test_what_is_no_template_is_refused_when_it_is_written(node: NodeUnderTest) -> None:
    refused = await node.write(
        "identity/oidc/role/app", {"key": "default", "template": '{"secret-word": {{nothing}} }'}
    )
    assert refused.status == 400
    assert "secret-word" not in errors(refused)[0]
    assert (await node.read("identity/oidc/role/app")).status == 404
