"""The ``token_*`` fields that every role, user and the like of every auth method shares.

A method's body struct takes in `TokenFields`; its record holds a `TokenSettings`. Older names of the
same settings (``policies`` for ``token_policies`` and so on) are named by the method: they are
accepted, and shown again for as long as they were the last to be used.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from wardgate.core.backend import Renewal
from wardgate.core.cidr import parse_cidrs
from wardgate.core.logins import canonical_policies
from wardgate.core.policies import RESPONSE_WRAPPING
from wardgate.core.request import JsonMap, TokenGrant
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, Doc, Duration, StringList

TOKEN_TYPES = ("default", "default-service", "default-batch", "service", "batch")


class TokenFields(Body):
    """What can be set for the tokens that a role gives out."""

    token_bound_cidrs: Annotated[
        StringList | None,
        Doc("Comma-separated or JSON list of CIDR blocks from which the token may be used."),
    ] = None
    token_explicit_max_ttl: Annotated[
        Duration | None,
        Doc("Hard limit of the token's life, whatever the role and mount say later."),
    ] = None
    token_max_ttl: Annotated[Duration | None, Doc("The longest life of the token.")] = None
    token_no_default_policy: Annotated[
        bool | None, Doc("Whether to leave out the default policy.")
    ] = None
    token_num_uses: Annotated[
        int | None, Doc("How often the token may be used; 0 means without limit.")
    ] = None
    token_period: Annotated[
        Duration | None,
        Doc("If set, the token has no maximum life, and each renewal is for this long."),
    ] = None
    token_policies: Annotated[
        StringList | None, Doc("Comma-separated or JSON list of the token's policies.")
    ] = None
    token_strictly_bind_ip: Annotated[
        bool | None, Doc("Whether to bind the token to the address that logged in.")
    ] = None
    token_ttl: Annotated[Duration | None, Doc("The token's life until its first renewal.")] = None
    token_type: Annotated[
        str | None,
        Doc(
            "The kind of token: service, batch, or the mount's default.", default="default-service"
        ),
    ] = None


OLD_NAMES = {
    "bound_cidrs": "token_bound_cidrs",
    "max_ttl": "token_max_ttl",
    "num_uses": "token_num_uses",
    "period": "token_period",
    "policies": "token_policies",
    "ttl": "token_ttl",
}
"""The deprecated names that most methods know, and what they lead to."""


class OldTokenFields(TokenFields):
    """The fields under their deprecated names, too."""

    bound_cidrs: Annotated[
        StringList | None, Doc("Use 'token_bound_cidrs' instead.", deprecated=True)
    ] = None
    max_ttl: Annotated[Duration | None, Doc("Use 'token_max_ttl' instead.", deprecated=True)] = None
    num_uses: Annotated[int | None, Doc("Use 'token_num_uses' instead.", deprecated=True)] = None
    period: Annotated[Duration | None, Doc("Use 'token_period' instead.", deprecated=True)] = None
    policies: Annotated[
        StringList | None, Doc("Use 'token_policies' instead.", deprecated=True)
    ] = None
    ttl: Annotated[Duration | None, Doc("Use 'token_ttl' instead.", deprecated=True)] = None


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings as stored. Durations are seconds."""

    bound_cidrs: tuple[str, ...] = ()
    explicit_max_ttl: int = 0
    max_ttl: int = 0
    no_default_policy: bool = False
    num_uses: int = 0
    period: int = 0
    policies: tuple[str, ...] = ()
    strictly_bind_ip: bool = False
    ttl: int = 0
    type: str = "default"
    old_names: tuple[str, ...] = ()
    """The deprecated names through which settings were made last."""

    def cidrs(self, remote_address: str) -> tuple[str, ...]:
        """The blocks that a token made for somebody at `remote_address` is bound to."""
        if not self.strictly_bind_ip:
            return self.bound_cidrs
        if not remote_address:
            raise InvalidRequest(
                "token_strictly_bind_ip: the request has no address to bind to (a unix socket)"
            )
        return (remote_address,)

    def grant(self, display_name: str, remote_address: str, **details: Any) -> TokenGrant:
        """A login's grant with these settings; `details` are further fields of `TokenGrant`."""
        return TokenGrant(
            display_name=display_name,
            bound_cidrs=self.cidrs(remote_address),
            explicit_max_ttl=self.explicit_max_ttl,
            max_ttl=self.max_ttl,
            no_default_policy=self.no_default_policy,
            num_uses=self.num_uses,
            period=self.period,
            policies=self.policies,
            ttl=self.ttl,
            token_type=self.type,
            **details,
        )

    def renewal(self, group_aliases: tuple[str, ...] | None = None) -> Renewal:
        """What a token may be renewed for that was given out with these settings, by the times that
        they have now."""
        return Renewal(
            ttl=self.ttl, max_ttl=self.max_ttl, period=self.period, group_aliases=group_aliases
        )

    def renewal_of(self, token: Token) -> Renewal:
        """The same, for methods that renew a token only while it would get the policies that it has.
        Raises `InvalidRequest` when it would not."""
        policies = canonical_policies(self.policies, add_default=not self.no_default_policy)
        if policies != token.policies:
            raise policies_changed()
        return self.renewal()

    def show(self) -> JsonMap:
        """The settings under their ``token_`` names."""
        return {
            "token_bound_cidrs": self.bound_cidrs,
            "token_explicit_max_ttl": self.explicit_max_ttl,
            "token_max_ttl": self.max_ttl,
            "token_no_default_policy": self.no_default_policy,
            "token_num_uses": self.num_uses,
            "token_period": self.period,
            "token_policies": self.policies,
            "token_strictly_bind_ip": self.strictly_bind_ip,
            "token_ttl": self.ttl,
            "token_type": self.type,
        }

    def show_old(self, names: Mapping[str, str]) -> JsonMap:
        """The settings that were made under deprecated names, under those names, if they have a
        value.

        `names` leads from a deprecated name to the ``token_`` name.
        """
        shown = self.show()
        return {
            old: shown[names[old]] for old in names if old in self.old_names and shown[names[old]]
        }


def policies_changed() -> InvalidRequest:
    """Why a token is not renewed that would get other policies now."""
    return InvalidRequest("policies have changed, not renewing")


def changed_settings(
    settings: TokenSettings,
    body: TokenFields,
    old_names: Mapping[str, str],
    warnings: list[str] | None = None,
) -> TokenSettings:
    """`settings` with what `body` sets; fields that are not given stay as they are.

    `old_names` leads from the deprecated names that `body` also has to the ``token_`` names. Where
    both names of a setting are given the new one counts: `warnings` says so, and without `warnings`
    the setting is shown under both. Raises `InvalidRequest` where a value, or the combination of
    them, is impossible.
    """
    given: dict[str, Any] = {}
    old = set(settings.old_names)
    for name in TokenSettings.__struct_fields__:
        if name == "old_names":
            continue
        value = getattr(body, f"token_{name}")
        for old_name, new_name in old_names.items():
            if new_name != f"token_{name}":
                continue
            old_value = getattr(body, old_name)
            if value is not None:
                old.discard(old_name)
                if old_value is not None and warnings is None:
                    old.add(old_name)
                elif old_value is not None and warnings is not None:
                    warnings.append(
                        f"Both '{new_name}' and deprecated '{old_name}' value supplied,"
                        " ignoring the deprecated value"
                    )
            elif old_value is not None:
                old.add(old_name)
                value = old_value
        if value is not None:
            given[name] = value
    changed = msgspec.structs.replace(
        settings, **_cleaned(given), old_names=tuple(name for name in old_names if name in old)
    )
    _check(changed)
    return changed


def _cleaned(given: dict[str, Any]) -> dict[str, Any]:
    if "bound_cidrs" in given:
        given["bound_cidrs"] = parse_cidrs("token_bound_cidrs", given["bound_cidrs"])
    if "policies" in given:
        given["policies"] = canonical_policies(given["policies"], add_default=False)
    if given.get("type") == "":
        given["type"] = "default"
    return given


def _check(settings: TokenSettings) -> None:
    if settings.type not in TOKEN_TYPES:
        raise InvalidRequest(f"invalid 'token_type' value; use one of {', '.join(TOKEN_TYPES)}")
    if settings.num_uses < 0:
        raise InvalidRequest("'token_num_uses' cannot be negative")
    if RESPONSE_WRAPPING in settings.policies:
        raise InvalidRequest(f'cannot assign policy "{RESPONSE_WRAPPING}"')
    if settings.strictly_bind_ip and settings.bound_cidrs:
        raise InvalidRequest(
            "'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one"
        )
    if settings.max_ttl and settings.ttl > settings.max_ttl:
        raise InvalidRequest("'token_ttl' cannot be greater than 'token_max_ttl'")
    if settings.type in ("batch", "default-batch"):
        if settings.num_uses:
            raise InvalidRequest(
                "'token_type' cannot be 'batch' or 'default-batch' when tokens have a limited"
                " number of uses ('token_num_uses')"
            )
        if settings.period:
            raise InvalidRequest(
                "'token_type' cannot be 'batch' or 'default-batch' when tokens are periodic"
                " ('token_period')"
            )
