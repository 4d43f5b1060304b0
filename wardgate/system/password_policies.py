"""``sys/policies/password``: password policies, and passwords made by them."""

from typing import Annotated

from wardgate.core.operation import Operation
from wardgate.core.passwords import (
    PASSWORD_POLICY,
    POLICIES,
    PasswordPolicy,
    generate_password,
    parse_password_policy,
    password_policy,
)
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.paging import Page
from wardgate.system.policy_text import plain_text


class PasswordPolicyBody(Body):
    """A password policy to write."""

    policy: Annotated[str, Doc("The rules, as HCL or JSON, plain or base64.")] = ""


class PasswordPolicyEndpoints:
    """List, read, write and delete password policies; generate passwords."""

    @endpoint("policies/password", Operation.LIST, operation_id="policies-list-password-policies")
    async def list_policies(self, request: Request, page: Page) -> Response:
        """List the names of the password policies."""
        return listing(await request.transaction.list(POLICIES, page.after, page.most))

    @endpoint(
        "policies/password/{name}", Operation.READ, operation_id="policies-read-password-policy"
    )
    async def read(self, request: Request, name: str) -> Response:
        """Read a password policy."""
        return Response({"policy": (await _existing(request, name)).text})

    @endpoint(
        "policies/password/{name}", Operation.UPDATE, operation_id="policies-write-password-policy"
    )
    async def write(self, request: Request, name: str, body: PasswordPolicyBody) -> Response:
        """Write a password policy."""
        if not body.policy:
            raise InvalidRequest("missing policy")
        policy = parse_password_policy(plain_text(body.policy))
        request.transaction.put(POLICIES + name, policy, PASSWORD_POLICY)
        return no_content()

    @endpoint(
        "policies/password/{name}",
        Operation.DELETE,
        operation_id="policies-delete-password-policy",
    )
    async def delete(self, request: Request, name: str) -> Response:
        """Delete a password policy."""
        request.transaction.delete(POLICIES + name)
        return no_content()

    @endpoint(
        "policies/password/{name}/generate",
        Operation.READ,
        operation_id="policies-generate-password-from-password-policy",
    )
    async def generate(self, request: Request, name: str) -> Response:
        """Make a random password that fits a policy."""
        return Response({"password": generate_password(await _existing(request, name))})


async def _existing(request: Request, name: str) -> PasswordPolicy:
    policy = await password_policy(request.transaction, name)
    if policy is None:
        raise NotFound("policy does not exist")
    return policy
