"""Signed tokens for scenarios, and somebody who publishes the keys that they are signed with.

Scenarios about JWT (topics that begin with "jwt") have these variables: `$pem_rsa`, `$pem_ec` and
`$pem_other`, public keys in PEM as they stand in JSON; `$issuer`, the address of an OpenID provider
on this machine with the first two of them in its key set, at `$issuer/jwks`; `$slow`, an expression
in CEL that takes too many steps.
"""

import atexit
import functools
import json
import re
import time
from contextlib import ExitStack
from typing import Any

from tests.issuer import Issuer, hmac_signed, pem, serving, signed, unsigned

_TIME = re.compile(r"now(?:(?P<difference>[+-]\d+))?")
_LOOP = "[0,1,2,3,4,5,6,7,8,9].all({name}, {body})"


def variables(scenario_id: str) -> dict[str, str]:
    """The variables of a scenario, none unless it is about JWT."""
    if not scenario_id.startswith("jwt"):
        return {}
    keys = {f"pem_{name}": json.dumps(pem(name))[1:-1] for name in ("rsa", "ec", "other")}
    slow = "true"
    for name in "abcdef":
        slow = _LOOP.format(name=name, body=slow)
    return {**keys, "issuer": _issuer().address, "slow": slow}


def token(key: str, claims: str, header: str) -> str:
    """A token as the option `sign` asks for, with JSON as text. In the claims, "now" is the time,
    and "now-10" ten seconds before; the keys "hmac" and "none" stand for what is no key."""
    content = _timed(json.loads(claims))
    more = json.loads(header or "{}")
    match key:
        case "hmac":
            return hmac_signed(content, pem("rsa"), **more)
        case "none":
            return unsigned(content)
        case _:
            return signed(content, key, **more)


def _timed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timed(each) for name, each in value.items()}
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    return int(time.time()) + int(match["difference"] or 0) if match else value


_running = ExitStack()


@functools.cache
def _issuer() -> Issuer:
    """One for the whole run. It ends before the process does, while its thread still answers."""
    atexit.register(_running.close)
    return _running.enter_context(serving())
