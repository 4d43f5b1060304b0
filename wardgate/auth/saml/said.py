"""What a trusted identity provider says of somebody who has logged in there."""

import msgspec

Attributes = dict[str, tuple[str, ...]]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One assertion, as far as logins need it."""

    issuer: str
    assertion_id: str
    subject: str
    attributes: Attributes
    """Values by the names of attributes in lower case."""
