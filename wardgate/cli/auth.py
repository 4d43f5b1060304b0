"""`wardgate auth …`: which ways to log in there are, and where."""

from typing import Annotated, Any, TypedDict, Unpack

from wardgate.cli.command import Commands, Duration, Flag, Group
from wardgate.cli.mounts import At, Creation, Mounts, Settings
from wardgate.cli.session import Session

_METHODS = Mounts("auth method", "sys/auth", prefix="auth/")


class _OfTokens(TypedDict, total=False):
    token_type: Annotated[str, Flag("Which tokens it gives out: service, batch or a default-….")]


class MethodCreation(Creation, _OfTokens, total=False):
    """What can be set for an auth method when it is enabled."""


class MethodSettings(Settings, _OfTokens, total=False):
    """What can be set for an auth method later."""

    user_lockout_threshold: Annotated[int, Flag("After how many failed logins a user waits.")]
    user_lockout_duration: Annotated[Duration, Flag("How long such a user waits.")]
    user_lockout_counter_reset_duration: Annotated[Duration, Flag("When failures are forgotten.")]
    user_lockout_disable: Annotated[bool, Flag("Never make users wait.")]


_LOCKOUT = "user_"


def enable(session: Session, type_: str, *, path: At = "", **given: Unpack[MethodCreation]) -> None:
    """Enable an auth method of a type."""
    enabled = _METHODS.enable(session, type_, path, given)
    session.output.success(f"Enabled {type_} auth method at: {enabled}")


def tune(session: Session, path: str, **given: Unpack[MethodSettings]) -> None:
    """Change the settings of an auth method."""
    body: dict[str, Any] = {}
    lockout: dict[str, Any] = {}
    for name, value in given.items():
        if name.startswith(_LOCKOUT):
            lockout[name.removeprefix(_LOCKOUT)] = value
        else:
            body[name] = value
    if lockout:
        body["user_lockout_config"] = lockout
    _METHODS.tune(session, path, body)


COMMANDS: Commands = {
    "auth": Group(
        "Enable and change auth methods.",
        {**_METHODS.commands, "enable": enable, "tune": tune},
    )
}
