"""``role``: who of those that the provider lets in gets which tokens."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from wardgate.core.core import Core
from wardgate.core.globs import glob_matches
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc, Kind, StringList, StringMap
from wardgate.framework.names import checked_name, is_name
from wardgate.framework.paging import Page
from wardgate.framework.token_fields import TokenFields, TokenSettings, changed_settings

ROLES = "role/"
STRING, GLOB = "string", "glob"
LONGEST_NAME = 512  # characters
_LONGEST_TEXT = 2048  # characters
_MOST_TEXTS = 1000


def _read_attributes(value: Any) -> dict[str, tuple[str, ...]]:
    """Values by names, from an object, from ``name=value`` or a list of that, or from JSON text. Each
    value is a text, a text with commas, or a list. Raises `ValueError`."""
    if isinstance(value, str) and "=" in value and not value.lstrip().startswith("{"):
        value = [value]
    if isinstance(value, str):
        value = msgspec.json.decode(value) if value.strip() else {}
    if isinstance(value, list):
        if not all(isinstance(each, str) for each in value):
            raise ValueError
        pairs = [text.partition("=") for text in value]
        value = {name: rest for name, equals, rest in pairs if equals}
        if len(value) < len(pairs):
            raise ValueError
    if not isinstance(value, dict):
        raise ValueError
    return {name: _texts(given) for name, given in value.items()}


def _texts(value: Any) -> tuple[str, ...]:
    values = value.split(",") if isinstance(value, str) else value
    values = values if isinstance(values, list | tuple) else [values]
    # true is none: providers write it in several ways
    if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in values):
        raise ValueError
    return tuple(text for each in values if (text := str(each).strip()))


Attributes = Annotated[
    dict[str, tuple[str, ...]],
    Kind(
        "keypair",
        "an object whose values are texts or lists of texts",
        _read_attributes,
        {"type": "object", "format": "kvpairs"},
    ),
]


def _read_matching(value: Any) -> str:
    if value not in (STRING, GLOB):
        raise ValueError
    return str(value)


Matching = Annotated[
    str,
    Kind(
        "string",
        f"'{STRING}' or '{GLOB}'",
        _read_matching,
        {"type": "string", "enum": [STRING, GLOB]},
    ),
]


class RoleBody(TokenFields):
    """The fields of a role."""

    bound_subjects: Annotated[
        StringList | None, Doc("Subjects (NameID) that may log in; without it all may.")
    ] = None
    bound_subjects_type: Annotated[
        Matching | None,
        Doc(
            "How bound_subjects are compared: string (equal) or glob, where * stands for any text.",
            default=STRING,
        ),
    ] = None
    bound_attributes: Annotated[
        Attributes | None,
        Doc(
            "Attributes that an assertion must have: for each name (in any case) one of the given"
            " values. A value is a text, a text with commas, or a list."
        ),
    ] = None
    bound_attributes_type: Annotated[
        Matching | None,
        Doc("How their values are compared: string or glob, as with subjects.", default=STRING),
    ] = None
    groups_attribute: Annotated[
        str | None, Doc("The attribute whose values are the names of the person's groups.")
    ] = None
    alias_metadata: Annotated[
        StringMap | None, Doc("Names and values that become metadata of the entity's alias.")
    ] = None


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role as stored."""

    name: str
    settings: TokenSettings = TokenSettings()
    bound_subjects: tuple[str, ...] = ()
    bound_subjects_type: str = STRING
    bound_attributes: dict[str, tuple[str, ...]] = {}
    bound_attributes_type: str = STRING
    groups_attribute: str = ""
    alias_metadata: dict[str, str] = {}

    def show(self) -> JsonMap:
        """The role as it is read."""
        return {
            "alias_metadata": self.alias_metadata,
            "bound_attributes": self.bound_attributes,
            "bound_attributes_type": self.bound_attributes_type,
            "bound_subjects": self.bound_subjects,
            "bound_subjects_type": self.bound_subjects_type,
            "groups_attribute": self.groups_attribute,
            **self.settings.show(),
        }

    def refused(self, subject: str, attributes: Mapping[str, tuple[str, ...]]) -> str:
        """Why somebody may not log in by this role; empty when they may. `attributes` have their
        names in lower case."""
        if self.bound_subjects and not _matches(
            self.bound_subjects, self.bound_subjects_type, (subject,)
        ):
            return "The role is not for this subject (bound_subjects)."
        for name, values in self.bound_attributes.items():
            given = attributes.get(name.lower(), ())
            if not _matches(values, self.bound_attributes_type, given):
                return "The role is not for people with these attributes (bound_attributes)."
        return ""

    def groups(self, attributes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The person's groups."""
        return attributes.get(self.groups_attribute.lower(), ()) if self.groups_attribute else ()

    def digest(self) -> bytes:
        """Another one when the role changes."""
        return hashlib.blake2b(ROLE.encode(self), digest_size=32).digest()


ROLE: Codec[Role] = Codec(Role)


async def role_of(storage: View, name: str) -> Role | None:
    """The role, however its name is spelt."""
    if not is_name(name, LONGEST_NAME):
        return None
    return await storage.get(ROLES + name.lower(), ROLE)


class RoleEndpoints:
    """``role``: list, read, write and delete."""

    def __init__(self, core: Core) -> None:
        self._settings = core.settings

    @endpoint("role", Operation.LIST, operation_id="saml-list-role")
    async def list_roles(self, request: Request, page: Page) -> Response:
        """List the names of the roles."""
        return listing(await request.storage.list(ROLES, page.after, page.most))

    @endpoint("role/{name}", Operation.READ, operation_id="saml-read-role-name", folded=True)
    async def read_role(self, request: Request, name: str) -> Response:
        """Read a role."""
        role = await role_of(request.storage, checked_name(name, LONGEST_NAME))
        if role is None:
            raise NotFound
        return Response(role.show())

    async def role_exists(self, request: Request, name: str) -> bool:
        return await role_of(request.storage, name) is not None

    @endpoint(
        "role/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="saml-write-role-name",
        folded=True,
        exists="role_exists",
    )
    async def write_role(self, request: Request, name: str, body: RoleBody) -> Response:
        """Make a role, or change the given fields of one."""
        key = checked_name(name, LONGEST_NAME)
        before = await role_of(request.storage, key) or Role(name=key)
        settings = changed_settings(before.settings, body, {})
        most = self._settings.max_ttl(request.mount)
        if settings.period > most:
            raise InvalidRequest(
                f"token_period: cannot be greater than the mount's maximum TTL of {most} seconds"
            )
        role = _changed(msgspec.structs.replace(before, settings=settings), body)
        request.storage.put(ROLES + key, role, ROLE)
        warnings = []
        if not (role.bound_subjects or role.bound_attributes):
            warnings.append(
                "neither bound_subjects nor bound_attributes is set: everybody may log in by this"
                " role whom the identity provider lets in"
            )
        if settings.max_ttl > most:
            warnings.append(
                "token_max_ttl is greater than the system or backend mount's maximum TTL value;"
                " issued tokens' max TTL value will be truncated"
            )
        return no_content(warnings)

    @endpoint("role/{name}", Operation.DELETE, operation_id="saml-delete-role-name", folded=True)
    async def delete_role(self, request: Request, name: str) -> Response:
        """Delete a role. Its tokens live on to their end but are not renewed."""
        request.storage.delete(ROLES + checked_name(name, LONGEST_NAME))
        return no_content()


def _changed(role: Role, body: RoleBody) -> Role:
    given: dict[str, Any] = {
        name: value
        for name in RoleBody.__struct_fields__
        if name not in TokenFields.__struct_fields__ and (value := getattr(body, name)) is not None
    }
    if "bound_attributes" in given:
        given["bound_attributes"] = _attributes(given["bound_attributes"])
    if "groups_attribute" in given:
        given["groups_attribute"] = given["groups_attribute"].strip()
    role = msgspec.structs.replace(role, **given)
    _check_size("bound_subjects", role.bound_subjects)
    _check_size("groups_attribute", (role.groups_attribute,))
    _check_size("alias_metadata", (*role.alias_metadata, *role.alias_metadata.values()))
    return role


def _attributes(given: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A name without values would let nobody in: whoever writes that means something else."""
    found = {name.strip(): texts for name, texts in given.items()}
    if not all(name and texts for name, texts in found.items()):
        raise InvalidRequest("bound_attributes: each attribute needs a name and a value")
    if len({name.lower() for name in found}) < len(given):
        raise InvalidRequest(
            "bound_attributes: a name is there twice; they mean the same in any case"
        )
    _check_size("bound_attributes", (*found, *(text for each in found.values() for text in each)))
    return found


def _check_size(field: str, texts: tuple[str, ...]) -> None:
    if len(texts) > _MOST_TEXTS or any(len(text) > _LONGEST_TEXT for text in texts):
        raise InvalidRequest(
            f"{field}: at most {_MOST_TEXTS} texts of {_LONGEST_TEXT} characters each"
        )


def _matches(allowed: Iterable[str], kind: str, given: Iterable[str]) -> bool:
    """Whether one of the given texts is one of those that are allowed."""
    if kind == STRING:
        return not set(allowed).isdisjoint(given)
    texts = tuple(given)
    return any(glob_matches(glob, text) for glob in allowed for text in texts)
