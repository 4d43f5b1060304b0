"""What a token of this mount says of the login that it was given for, and when it may be renewed."""

from wardgate.auth.webauthn.encoding import decoded, encoded
from wardgate.auth.webauthn.users import Key, User, get_user
from wardgate.core.backend import Renewal
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest


def login_facts(user: User, key: Key) -> dict[str, str]:
    """What is kept with a token. The handle tells a user from a later one of the same name."""
    return {
        "username": user.name,
        "user_handle": encoded(user.handle),
        "credential_id": encoded(key.id),
    }


def key_of_login(user: User, token: Token) -> Key | None:
    """The key that this user logged in with for `token`; None when it is gone, or the token is
    somebody else's. Batch tokens do not say."""
    facts = token.renewal or {}
    if facts.get("username") != user.name:  # before anything that takes longer
        return None
    if facts.get("user_handle") != encoded(user.handle):
        return None
    return user.key(decoded(facts.get("credential_id", "")) or b"")


async def renewed(storage: View, token: Token) -> Renewal:
    """The user must still be there with the same policies, and have the key."""
    user = await get_user(storage, (token.renewal or {}).get("username", ""))
    if user is None:
        raise InvalidRequest("the user no longer exists: the token is not renewed")
    if key_of_login(user, token) is None:
        raise InvalidRequest("the key of this login is no longer there: the token is not renewed")
    return user.settings.renewal_of(token)
