"""Roles: which tokens log in, as whom, and what they get for it."""

from typing import Any

import msgspec

from wardgate.auth.jwt.names import is_name
from wardgate.core import json
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap
from wardgate.core.storage import View
from wardgate.framework.token_fields import OLD_NAMES, TokenSettings

ROLES = "role/"


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role as stored. Times are seconds; lists and maps are None until somebody sets them.

    A leeway of 0 stands for the default, a negative one for none.
    """

    name: str
    role_type: str = "oidc"
    bound_audiences: tuple[str, ...] | None = None
    bound_claims_json: bytes = b""
    bound_claims_type: str = "string"
    bound_subject: str = ""
    claim_mappings: dict[str, str] | None = None
    clock_skew_leeway: int = 0
    expiration_leeway: int = 0
    not_before_leeway: int = 0
    user_claim: str = ""
    user_claim_json_pointer: bool = False
    groups_claim: str = ""
    max_age: int = 0
    oidc_scopes: tuple[str, ...] | None = None
    allowed_redirect_uris: tuple[str, ...] | None = None
    verbose_oidc_logging: bool = False
    callback_mode: str = "client"
    """``client``, ``direct`` or ``device``."""
    poll_interval: int = 0
    oauth2_metadata: tuple[str, ...] | None = None
    oidc_disable_confirmation: bool = False
    token_policies_template_claims: bool = False
    policy_templates: tuple[str, ...] = ()
    """The policies as they were written: in `settings` they are in lower case, as names of claims
    must not be."""
    settings: TokenSettings = TokenSettings()

    @property
    def bound_claims(self) -> dict[str, Any] | None:
        """What claims must be, numbers as they were written."""
        if not self.bound_claims_json:
            return None
        found: dict[str, Any] = json.decode(self.bound_claims_json)
        return found

    def show(self) -> JsonMap:
        """The role as it is read."""
        hidden = ("name", "bound_claims_json", "settings", "poll_interval", "policy_templates")
        plain = {
            field: getattr(self, field) for field in self.__struct_fields__ if field not in hidden
        }
        shown = {
            **plain,
            "bound_claims": self.bound_claims,
            **({"poll_interval": self.poll_interval} if self.poll_interval > 0 else {}),
            **self.settings.show(),
            **self.settings.show_old(OLD_NAMES),
        }
        if self.token_policies_template_claims:
            shown.update(
                dict.fromkeys({"token_policies", "policies"} & set(shown), self.policy_templates)
            )
        return shown


ROLE: Codec[Role] = Codec(Role)


async def role_of(storage: View, name: str) -> Role | None:
    """The role called `name`, in any case; None for what no role can be called, too."""
    if not is_name(name):
        return None
    return await storage.get(ROLES + name.lower(), ROLE)
