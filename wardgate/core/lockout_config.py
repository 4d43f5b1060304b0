"""After how many wrong passwords somebody is locked out, and for how long."""

import msgspec

LOCKOUT_KINDS = ("approle", "ldap", "userpass", "webauthn")
"""The kinds of auth methods whose users can be locked out."""
ALL = "all"


class LockoutRules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one mount. Seconds; failures further apart than `counter_reset` are not
    counted together."""

    threshold: int = 5
    duration: int = 900
    counter_reset: int = 900
    disabled: bool = False


class LockoutTuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was set, for a mount or in the configuration. 0 leaves what holds otherwise."""

    threshold: int = 0
    duration: int = 0
    counter_reset: int = 0
    disabled: bool = False

    def over(self, rules: LockoutRules) -> LockoutRules:
        """`rules`, changed by what was set."""
        return LockoutRules(
            threshold=self.threshold or rules.threshold,
            duration=self.duration or rules.duration,
            counter_reset=self.counter_reset or rules.counter_reset,
            disabled=self.disabled,
        )


class UserLockout(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator set for the server: by kind of auth method, or for ``all``. `off` turns
    everything off, whatever mounts say."""

    kinds: dict[str, LockoutTuning] = {}
    off: bool = False

    def rules(self, kind: str, tuning: LockoutTuning | None) -> LockoutRules | None:
        """What holds for a mount of this kind that is tuned so; None when nobody is locked out."""
        if self.off or kind not in LOCKOUT_KINDS:
            return None
        rules = LockoutRules()
        for set_here in (self.kinds.get(ALL), self.kinds.get(kind), tuning):
            if set_here is not None:
                rules = set_here.over(rules)
        return None if rules.disabled else rules
