"""What can be set for a role."""

from typing import Annotated

from wardgate.framework.fields import (
    Doc,
    Duration,
    JsonObject,
    SignedDuration,
    StringList,
    StringMap,
)
from wardgate.framework.token_fields import OldTokenFields

LEEWAY = 150
"""Seconds that stand for a leeway of 0 around the beginning and the end of a token."""
SKEW = 60
"""Seconds that stand for a leeway of 0 for clocks that differ."""
_SKEW_SHOWN = SKEW * 10**9  # nanoseconds: Vault's document has it so


# what roles of both kinds have
Audiences = Annotated[
    StringList | None,
    Doc("Comma-separated or JSON list of audiences (aud); a token needs one of them."),
]
ClockSkewLeeway = Annotated[
    SignedDuration | None,
    Doc("Seconds that clocks may differ by; 0 means 60, -1 none.", default=_SKEW_SHOWN),
]
ExpirationLeeway = Annotated[
    SignedDuration | None,
    Doc("Seconds that a token without exp lives for; 0 means 150, -1 none.", default=LEEWAY),
]
NotBeforeLeeway = Annotated[
    SignedDuration | None,
    Doc(
        "Seconds before exp that a token without nbf and iat begins; 0 means 150, -1 none.",
        default=LEEWAY,
    ),
]


class RoleBody(OldTokenFields):
    """A role's fields."""

    role_type: Annotated[str, Doc("Type of the role, either 'jwt' or 'oidc'.")] = ""
    bound_audiences: Audiences = None
    bound_claims: Annotated[
        JsonObject | None, Doc("What claims must be: a value, or a list of which one is enough.")
    ] = None
    bound_claims_type: Annotated[
        str, Doc("How bound_claims are compared: 'string' or 'glob'.", default="string")
    ] = "string"
    bound_subject: Annotated[str | None, Doc("The subject (sub) that tokens must have.")] = None
    claim_mappings: Annotated[
        StringMap | None, Doc("Claims (keys) to be copied to metadata fields (values).")
    ] = None
    clock_skew_leeway: ClockSkewLeeway = None
    expiration_leeway: ExpirationLeeway = None
    not_before_leeway: NotBeforeLeeway = None
    user_claim: Annotated[str | None, Doc("The claim that names whoever logs in.")] = None
    user_claim_json_pointer: Annotated[
        bool | None, Doc("Whether user_claim is a JSON pointer into the claims.")
    ] = None
    groups_claim: Annotated[
        str | None, Doc("The claim that lists the names of external groups.")
    ] = None
    max_age: Annotated[
        Duration | None, Doc("Seconds since the person proved who they are at the provider.")
    ] = None
    oidc_scopes: Annotated[StringList | None, Doc("Scopes to ask the provider for.")] = None
    allowed_redirect_uris: Annotated[
        StringList | None, Doc("The values that a login's redirect_uri may have.")
    ] = None
    verbose_oidc_logging: Annotated[
        bool | None, Doc("Log the names of the claims that the provider gives, for debugging.")
    ] = None
    callback_mode: Annotated[
        str,
        Doc("Who gets the provider's answer: 'client', 'direct' (the server) or 'device'.",
            default="client"),
    ] = "client"  # fmt: skip
    poll_interval: Annotated[
        int | None, Doc("Seconds between polls in the device and direct flows.")
    ] = None
    oauth2_metadata: Annotated[
        StringList | None,
        Doc("Which of access_token, id_token and refresh_token go into the metadata."),
    ] = None
    oidc_disable_confirmation: Annotated[
        bool, Doc("Whether to leave out the page on which people confirm a direct login.")
    ] = False
    token_policies_template_claims: Annotated[
        bool | None, Doc("Whether token_policies are templates that are filled in with claims.")
    ] = None
