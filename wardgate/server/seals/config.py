"""What ``seal`` blocks and the environment say. Nothing is opened or read here.

The environment goes before the file, as in OpenBao, by the variables that are the seal's own
(``BAO_STATIC_SEAL_…``, ``BAO_TRANSIT_SEAL_…``); the general ones of a client (``BAO_ADDR``,
``BAO_TOKEN`` …) only fill in what the file leaves out. Each is looked up as ``WARDGATE_…``, then
``BAO_…``, then ``VAULT_…``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from wardgate.hcl import Place
from wardgate.server.document import ConfigError
from wardgate.server.section import Section

_PREFIXES = ("WARDGATE_", "BAO_", "VAULT_")
_TRUE = frozenset(("1", "t", "true"))
_FALSE = frozenset(("0", "f", "false"))
_CLOUD = (
    "alicloudkms", "awskms", "azurekeyvault", "gcpckms", "kmip", "ocikms", "pkcs11",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShamirSeal:
    """``seal "shamir"``, the default: people unseal the server with key shares."""

    type: ClassVar[str] = "shamir"


@dataclass(frozen=True, slots=True, repr=False)
class StaticSeal:
    """``seal "static"``. A key is given as ``file://PATH``, ``env://NAME``, or itself, encoded."""

    type: ClassVar[str] = "static"
    current_key_id: str
    current_key: str
    previous_key_id: str
    previous_key: str
    place: Place
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class TransitSeal:
    """``seal "transit"``: a key in the transit engine of another server."""

    type: ClassVar[str] = "transit"
    address: str
    token: str
    key_name: str
    mount_path: str
    namespace: str = ""
    key_id_prefix: str = ""
    disable_renewal: bool = False
    tls_ca_cert: str | None = None
    tls_client_cert: str | None = None
    tls_client_key: str | None = None
    tls_server_name: str | None = None
    tls_skip_verify: bool = False
    place: Place


SealConfig: TypeAlias = ShamirSeal | StaticSeal | TransitSeal


def read_seal(section: Section, environ: Mapping[str, str]) -> SealConfig:
    """The seal that the file and the environment ask for together. Raises `ConfigError`."""
    blocks = list(section.labelled("seal"))
    wanted = _variable(environ, "SEAL_TYPE")
    if len(blocks) > 1:
        raise blocks[1][1].refused(
            "is one seal too many; keep one. Moving from one seal to another is not supported yet"
        )
    if not blocks:
        return _read(wanted or "shamir", _Settings(None, section.place, environ, wanted))
    kind, block = blocks[0]
    if wanted not in ("", kind):
        raise block.refused("and the variable BAO_SEAL_TYPE name two kinds of seal; remove one")
    if block.flag("disabled"):
        problem = "means to move to another seal, which is not supported yet; remove it"
        raise block.error("disabled", problem)
    block.harmless("priority", "name")
    seal = _read(kind, _Settings(block, block.place, environ, kind))
    block.finish()
    return seal


class _Settings:
    """One seal's settings, from the block (if there is one) and the environment."""

    def __init__(
        self, block: Section | None, place: Place, environ: Mapping[str, str], kind: str
    ) -> None:
        self._block = block
        self._kind = kind
        self.place = place
        self.environ = environ

    def text(self, key: str, own: str, general: str = "", otherwise: str = "") -> str:
        """The variable `own`, the key, the variable `general`, or `otherwise`."""
        in_file = self._block.text(key) if self._block else None
        return (
            (_variable(self.environ, own) if own else "")
            or in_file
            or (_variable(self.environ, general) if general else "")
            or otherwise
        )

    def flag(self, key: str, own: str, general: str = "") -> bool:
        if self._block is not None:
            self._block.flag(key)  # for its errors, which name the line
        text = self.text(key, own, general, "false").lower()
        if text not in _TRUE | _FALSE:
            raise self.error(key, "must be true or false")
        return text in _TRUE

    def error(self, key: str, problem: str) -> ConfigError:
        if self._block is not None:
            return self._block.error(key, problem)
        return ConfigError(problem, self.place, f'seal "{self._kind}": {key}')

    def required(self, key: str, own: str, general: str = "") -> str:
        text = self.text(key, own, general)
        if not text:
            raise self.error(key, f"is missing; set it, or the variable BAO_{own}")
        return text


def _read(kind: str, settings: _Settings) -> SealConfig:
    match kind:
        case "shamir":
            return ShamirSeal()
        case "static":
            return _static(settings)
        case "transit":
            return _transit(settings)
    known = 'the kinds are "shamir", "static" and "transit"'
    if kind in _CLOUD:
        known += "; keys of a cloud or a hardware module are not supported"
    raise ConfigError(f"is not supported; {known}", settings.place, "seal")


def _static(settings: _Settings) -> StaticSeal:
    seal = StaticSeal(
        current_key_id=settings.required("current_key_id", "STATIC_SEAL_CURRENT_KEY_ID"),
        current_key=settings.required("current_key", "STATIC_SEAL_CURRENT_KEY"),
        previous_key_id=settings.text("previous_key_id", "STATIC_SEAL_PREVIOUS_KEY_ID"),
        previous_key=settings.text("previous_key", "STATIC_SEAL_PREVIOUS_KEY"),
        place=settings.place,
        environ=settings.environ,
    )
    if bool(seal.previous_key) != bool(seal.previous_key_id):
        given = "previous_key" if seal.previous_key else "previous_key_id"
        problem = "previous_key and previous_key_id go together; set both or none"
        raise settings.error(given, problem)
    return seal


def _transit(settings: _Settings) -> TransitSeal:
    optional = {
        "tls_ca_cert": "CACERT",
        "tls_client_cert": "CLIENT_CERT",
        "tls_client_key": "CLIENT_KEY",
        "tls_server_name": "TLS_SERVER_NAME",
    }
    return TransitSeal(
        address=settings.required("address", "TRANSIT_SEAL_ADDR", "ADDR"),
        token=settings.required("token", "TRANSIT_SEAL_TOKEN", "TOKEN"),
        key_name=settings.required("key_name", "TRANSIT_SEAL_KEY_NAME"),
        mount_path=settings.required("mount_path", "TRANSIT_SEAL_MOUNT_PATH"),
        namespace=settings.text("namespace", "", "NAMESPACE"),
        key_id_prefix=settings.text("key_id_prefix", ""),
        disable_renewal=settings.flag("disable_renewal", "TRANSIT_SEAL_DISABLE_RENEWAL"),
        tls_skip_verify=settings.flag("tls_skip_verify", "", "SKIP_VERIFY"),
        place=settings.place,
        **{key: settings.text(key, "", name) or None for key, name in optional.items()},
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    names = (prefix + name for prefix in _PREFIXES)
    return next((environ[each] for each in names if environ.get(each)), "")
