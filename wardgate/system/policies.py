"""``sys/policies/acl`` and the older ``sys/policy``: reading and writing ACL policies."""

from datetime import datetime
from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.policies import IMMUTABLE, RESPONSE_WRAPPING, ROOT, Policy, canonical_name
from wardgate.core.policy import PolicyRules, parse_policy
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.framework.paging import Page
from wardgate.system.policy_text import plain_text
from wardgate.timestamps import rfc3339

_UNSUPPORTED = (
    "allow_slashes_in_identity_templates",
    "allow_wildcards_in_identity_templates",
)
CAS_UNGIVEN = -2
CAS_MUST_BE_NEW = -1


class PolicyBody(Body):
    """A policy to write."""

    cas: Annotated[
        int, Doc("Write only if the policy has this version; -1: only if there is none yet.")
    ] = CAS_UNGIVEN
    allow_slashes_in_identity_templates: Annotated[
        bool, Doc("Not supported: a '/' from a template could reach other paths.")
    ] = False
    allow_wildcards_in_identity_templates: Annotated[
        bool, Doc("Not supported: a '*' or '+' from a template could reach other paths.")
    ] = False
    cas_required: Annotated[bool | None, Doc("Whether later writes must give 'cas'.")] = None
    expiration: Annotated[str, Doc("When the policy ends, as an RFC 3339 time.")] = ""
    policy: Annotated[str, Doc("The rules, as HCL or JSON, plain or base64.")] = ""
    rules: Annotated[str, Doc("Use 'policy' instead.", deprecated=True)] = ""
    ttl: Annotated[Duration, Doc("After how many seconds the policy ends.")] = 0


class PolicyPatch(Body):
    """What to change of a policy; what is not given stays."""

    cas: Annotated[int, Doc("Write only if the policy has this version.")] = CAS_UNGIVEN
    cas_required: Annotated[bool | None, Doc("Whether later writes must give 'cas'.")] = None
    expiration: Annotated[str | None, Doc("When the policy ends, as an RFC 3339 time.")] = None
    policy: Annotated[str | None, Doc("The rules, as HCL or JSON, plain or base64.")] = None
    ttl: Annotated[Duration | None, Doc("After how many seconds the policy ends.")] = None


class PolicyEndpoints:
    """Both forms of the policy API; they differ in how they show a policy."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("policies/acl", Operation.LIST, operation_id="policies-list-acl-policies")
    async def list_acl(self, request: Request, page: Page) -> Response:
        """List the names of the ACL policies."""
        return Response({"keys": await self._names(request, page)})

    @endpoint(
        "policies/acl/{name...}", Operation.LIST, operation_id="policies-list-acl-policies-below"
    )
    async def list_below(self, request: Request, name: str) -> Response:
        """List the names of the ACL policies that begin with this one and a slash."""
        return listing(await self._below(request, name))

    @endpoint(
        "policies/detailed/acl", Operation.LIST, operation_id="system-list-policies-detailed-acl"
    )
    async def list_detailed(self, request: Request, page: Page) -> Response:
        """List the ACL policies with what is known of each."""
        return await self._detailed(request, await self._names(request, page))

    @endpoint(
        "policies/detailed/acl/{name...}",
        Operation.LIST,
        operation_id="system-list-policies-detailed-acl-name",
    )
    async def list_detailed_below(self, request: Request, name: str) -> Response:
        """List the ACL policies below a name with what is known of each."""
        return await self._detailed(request, await self._below(request, name))

    async def _detailed(self, request: Request, names: list[str]) -> Response:
        info = {}
        for name in names:
            policy = await self._core.policies.get(request.transaction, name)
            info[name] = _shown(policy, "policy") if policy else {"name": name}
        return Response({"keys": names, "key_info": info})

    @endpoint(
        "policies/acl/{name...}",
        Operation.READ,
        operation_id="policies-read-acl-policy",
        folded=True,
    )
    async def read_acl(self, request: Request, name: str) -> Response:
        """Read an ACL policy."""
        return Response(await self._read(request, name, "policy"))

    @endpoint(
        "policies/acl/{name...}",
        Operation.UPDATE,
        operation_id="policies-write-acl-policy",
        folded=True,
    )
    async def write_acl(self, request: Request, name: str, body: PolicyBody) -> Response:
        """Write an ACL policy; it counts from the next request on."""
        return await self._write(request, name, body)

    @endpoint(
        "policies/acl/{name...}",
        Operation.PATCH,
        operation_id="policies-patch-acl-policy",
        folded=True,
    )
    async def patch_acl(self, request: Request, name: str, body: PolicyPatch) -> Response:
        """Change what is given of an ACL policy; the rest stays."""
        name = canonical_name(name)
        if name in IMMUTABLE:
            raise InvalidRequest(f'cannot update "{name}" policy')
        old = await self._core.policies.get(request.transaction, name)
        if old is None or 0 < old.expires <= request.time:
            raise InvalidRequest("policy not found")
        if body.cas != CAS_UNGIVEN:
            _check_cas(old, body.cas)
        text = old.text if body.policy is None else plain_text(body.policy)
        if not text:
            raise InvalidRequest("'policy' parameter not supplied or empty")
        ends = body.expiration is not None or body.ttl is not None
        if body.ttl == 0:
            raise InvalidRequest("ttl: must be greater than zero")
        if body.expiration == "":
            raise InvalidRequest("expiration: expected a time such as 2030-01-31T12:00:00Z")
        policy = msgspec.structs.replace(
            old,
            text=text,
            rules=parse_policy(text),
            version=old.version + 1,
            modified=request.time,
            cas_required=old.cas_required if body.cas_required is None else body.cas_required,
            expires=_expiry(body.ttl or 0, body.expiration or "", request.time)
            if ends
            else old.expires,
        )
        self._core.policies.put(request.transaction, policy)
        return Response()

    @endpoint(
        "policies/acl/{name...}",
        Operation.DELETE,
        operation_id="policies-delete-acl-policy",
        folded=True,
    )
    async def delete_acl(self, request: Request, name: str) -> Response:
        """Delete an ACL policy."""
        self._core.policies.delete(request.transaction, canonical_name(name))
        return no_content()

    @endpoint("policy", Operation.READ, Operation.LIST, operation_id="policies-list")
    async def list_old(self, request: Request) -> Response:
        """List the names of the ACL policies."""
        names = await self._names(request, Page())
        return Response({"keys": names, "policies": names}, spread=True)

    @endpoint(
        "policy/{name...}", Operation.READ, operation_id="policies-read-acl-policy2", folded=True
    )
    async def read_old(self, request: Request, name: str) -> Response:
        """Read an ACL policy; its text is called 'rules' here."""
        return Response(await self._read(request, name, "rules"), spread=True)

    @endpoint(
        "policy/{name...}", Operation.UPDATE, operation_id="policies-write-acl-policy2", folded=True
    )
    async def write_old(self, request: Request, name: str, body: PolicyBody) -> Response:
        """Write an ACL policy; it counts from the next request on."""
        return await self._write(request, name, body)

    @endpoint(
        "policy/{name...}",
        Operation.DELETE,
        operation_id="policies-delete-acl-policy2",
        folded=True,
    )
    async def delete_old(self, request: Request, name: str) -> Response:
        """Delete an ACL policy."""
        return await self.delete_acl(request, name)

    async def _names(self, request: Request, page: Page) -> list[str]:
        names = {ROOT, *await self._core.policies.names(request.transaction)}
        # Nobody may write it or give it to a token, so OpenBao does not list it either.
        names.discard(RESPONSE_WRAPPING)
        return sorted(name for name in names if name > page.after)[: page.most]

    async def _below(self, request: Request, name: str) -> list[str]:
        names = await self._core.policies.names(request.transaction)
        folder = canonical_name(name).rstrip("/") + "/"
        return [each for each in names if each.startswith(folder)]

    async def _read(self, request: Request, name: str, text_field: str) -> JsonMap:
        name = canonical_name(name)
        if name == ROOT:
            root = Policy(name=ROOT, text="", rules=PolicyRules(), version=0)
            shown = _shown(root, text_field)
            del shown["modified"]  # nobody ever wrote it
            return shown
        policy = await self._core.policies.get(request.transaction, name)
        if policy is None or 0 < policy.expires <= request.time:
            raise NotFound
        return _shown(policy, text_field)

    async def _write(self, request: Request, name: str, body: PolicyBody) -> Response:
        name = canonical_name(name)
        if name in IMMUTABLE:
            raise InvalidRequest(f'cannot update "{name}" policy')
        text = plain_text(body.policy or body.rules)
        if not text:
            raise InvalidRequest("'policy' parameter not supplied or empty")
        for option in _UNSUPPORTED:
            if getattr(body, option):
                raise InvalidRequest(f"{option}: not supported; it would let names widen rights")
        old = await self._core.policies.get(request.transaction, name)
        if body.cas == CAS_UNGIVEN and old is not None and old.cas_required:
            raise InvalidRequest("check-and-set parameter required for this call")
        if body.cas != CAS_UNGIVEN:
            _check_cas(old, body.cas)
        policy = Policy(
            name=name,
            text=text,
            rules=parse_policy(text),
            version=old.version + 1 if old else 1,
            modified=request.time,
            cas_required=(old.cas_required if old else False)
            if body.cas_required is None
            else body.cas_required,
            expires=_expiry(body.ttl, body.expiration, request.time),
        )
        self._core.policies.put(request.transaction, policy)
        if body.rules and not body.policy:
            return no_content(["'rules' is deprecated, please use 'policy' instead"])
        return no_content()


def _check_cas(old: Policy | None, cas: int) -> None:
    if cas == CAS_MUST_BE_NEW:
        if old is not None:
            raise InvalidRequest("check-and-set parameter set to -1 on existing entry")
        return
    current = old.version if old else 0
    if cas != current:
        raise InvalidRequest("check-and-set parameter did not match the current version")


def _expiry(ttl: int, expiration: str, now: float) -> float:
    if ttl and expiration:
        raise InvalidRequest("ttl, expiration: give one of the two")
    if ttl:
        return now + ttl
    if not expiration:
        return 0
    try:
        expires = datetime.fromisoformat(expiration).timestamp()
        rfc3339(expires)
    except (ValueError, OverflowError):
        raise InvalidRequest("expiration: expected a time such as 2030-01-31T12:00:00Z") from None
    if expires <= now:
        raise InvalidRequest("expiration: must lie in the future")
    return expires


def _shown(policy: Policy, text_field: str) -> JsonMap:
    shown: JsonMap = {
        "name": policy.name,
        text_field: policy.text,
        "version": policy.version,
        "modified": rfc3339(policy.modified),
        "cas_required": policy.cas_required,
        "allow_slashes_in_identity_templates": False,
        "allow_wildcards_in_identity_templates": False,
    }
    if policy.expires:
        shown["expiration"] = rfc3339(policy.expires)
    return shown
