"""Challenges that were given to browsers and not answered yet.

A challenge is good for one login or one new key within `LIFE` seconds, for what and whom it was begun
for, and while the mount asks for the same (``rp_id``, ``rp_origins``, ``user_verification``). An answer
that is refused leaves it open: no wrong answer helps to find a right one. It is the bytes of the
state by which the table knows it, so the answer itself says which one it answers.
"""

from wardgate.auth.webauthn.config import Config
from wardgate.core.records import Codec
from wardgate.framework.pending import Pending, PendingTable

LIFE = 300.0
REGISTER = "register"
LOGIN = "login"


class Challenge(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """A registration or login that has begun."""

    purpose: str
    """`REGISTER` or `LOGIN`."""
    username: str = ""
    """Whom it is for; empty for a login in which the key tells that."""
    rp_id: str
    rp_origins: tuple[str, ...]
    user_verification: str
    way: str = ""
    """Why the registration was allowed; see `registration`."""
    handle: bytes = b""
    """The user handle that the new key gets."""
    code: bytes = b""
    """The digest of the enrolment code that it began with."""

    @property
    def data(self) -> bytes:
        """The challenge as the browser gets it."""
        return self.state.encode()

    def holds(self, purpose: str, username: str, config: Config) -> bool:
        """Whether it was given for this, and the configuration is the same."""
        begun = (self.purpose, self.username, self.rp_id, self.rp_origins, self.user_verification)
        wanted = (config.rp_id, config.rp_origins, config.user_verification)
        return begun == (purpose, username, *wanted)


CHALLENGE: Codec[Challenge] = Codec(Challenge)
CHALLENGES = PendingTable(CHALLENGE, "challenge/", LIFE)
