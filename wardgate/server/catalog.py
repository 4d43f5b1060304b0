"""All kinds of backends: the one place that knows them all."""

from collections.abc import Callable, Mapping

from wardgate.auth.approle import AppRole
from wardgate.auth.jwt import JwtAuth
from wardgate.auth.kubernetes import Kubernetes
from wardgate.auth.ldap import Ldap
from wardgate.auth.saml import Saml
from wardgate.auth.token import TokenAuth
from wardgate.auth.userpass import Userpass
from wardgate.auth.webauthn import Webauthn
from wardgate.core.backend import Backend
from wardgate.core.catalog import Options
from wardgate.core.core import Core
from wardgate.core.mounts import AUTH_PREFIX, Mount
from wardgate.errors import InvalidRequest
from wardgate.identity import Identity
from wardgate.secrets import kv
from wardgate.secrets.cubbyhole import Cubbyhole

Build = Callable[[Core, Mount], Backend]

AUTH_METHODS: Mapping[str, Build] = {
    "approle": AppRole,
    "jwt": JwtAuth,
    "kubernetes": Kubernetes,
    "ldap": Ldap,
    "oidc": JwtAuth,
    "saml": Saml,
    "token": TokenAuth,
    "userpass": Userpass,
    "webauthn": Webauthn,
}
SECRET_ENGINES: Mapping[str, Build] = {
    "cubbyhole": Cubbyhole,
    "identity": Identity,
    "kv": kv.build,
}
SINGLETONS = ("token", "cubbyhole", "system", "identity")
"""Kinds that are mounted once, at initialisation, and by nobody else."""

_ALIASES: Mapping[str, tuple[str, dict[str, str]]] = {
    "generic": ("kv", {"version": "1"}),
    "kv-v1": ("kv", {"version": "1"}),
    "kv-v2": ("kv", {"version": "2"}),
}


class BuiltinCatalog:
    """The kinds of backends that come with Wardgate; see `wardgate.core.catalog.Catalog`."""

    def __init__(self, system: Build, more_engines: Mapping[str, Build] | None = None) -> None:
        self._system = system
        self._engines = {**SECRET_ENGINES, **(more_engines or {})}

    def canonical(self, path: str, kind: str, options: Options) -> tuple[str, Options]:
        kinds = AUTH_METHODS if path.startswith(AUTH_PREFIX) else self._engines
        if kind in SINGLETONS:
            raise InvalidRequest(f'mount type of "{kind}" is not mountable')
        if kinds is self._engines and kind in _ALIASES:
            kind, implied = _ALIASES[kind]
            options = {**(options or {}), **implied}
        if kind not in kinds:
            known = sorted(set(kinds) - set(SINGLETONS))
            raise InvalidRequest(
                "plugin not found in the catalog: 'type' must be one of " + ", ".join(known)
            )
        options = options or {}
        if kind == "kv":
            kv.check_options(options)
        return kind, options

    def check_tuning(self, mount: Mount, options: dict[str, str]) -> None:
        if mount.type != "kv":
            raise InvalidRequest(f"options: a mount of type {mount.type} has none to tune")
        kv.check_tuning(mount.options or {}, options)

    def names(self, kind: str) -> list[str]:
        kinds = {"auth": AUTH_METHODS, "secret": self._engines}.get(kind, {})
        return sorted(set(kinds) - set(SINGLETONS))

    def build(self, core: Core, mount: Mount) -> Backend:
        if mount.type == "system":
            return self._system(core, mount)
        kinds = AUTH_METHODS if mount.is_auth else self._engines
        return kinds[mount.type](core, mount)
