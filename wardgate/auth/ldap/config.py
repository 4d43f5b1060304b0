"""The configuration of a mount: where the directory is, how people and groups are found, and their
tokens."""

import hashlib

import msgspec

from wardgate.auth.ldap.config_fields import DEFAULT_GROUP_FILTER, DEFAULT_USER_FILTER
from wardgate.core.records import Codec
from wardgate.core.storage import View
from wardgate.framework.token_fields import TokenSettings

CONFIG_KEY = "config"


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration as stored. Timeouts are seconds."""

    url: str = "ldap://127.0.0.1"
    starttls: bool = False
    insecure_tls: bool = False
    certificate: str = ""
    client_tls_cert: str = ""
    client_tls_key: str = ""
    tls_min_version: str = "tls12"
    tls_max_version: str = "tls12"
    connection_timeout: int = 30
    request_timeout: int = 90
    binddn: str = ""
    bindpass: str = ""
    discoverdn: bool = False
    upndomain: str = ""
    enable_samaccountname_login: bool = False
    userdn: str = ""
    userattr: str = "cn"
    userfilter: str = DEFAULT_USER_FILTER
    dereference_aliases: str = "never"
    groupdn: str = ""
    groupattr: str = "cn"
    groupfilter: str = DEFAULT_GROUP_FILTER
    anonymous_group_search: bool = False
    use_token_groups: bool = False
    use_pre111_group_cn_behavior: bool = False
    max_page_size: int = 0
    case_sensitive_names: bool = False
    username_as_alias: bool = False
    settings: TokenSettings = TokenSettings()

    @property
    def has_service(self) -> bool:
        """Whether there is an account that searches."""
        return bool(self.binddn and self.bindpass)

    @property
    def searches(self) -> bool:
        """Whether people are searched for; else their DN is made from their name."""
        return self.discoverdn or self.has_service

    @property
    def fingerprint(self) -> bytes:
        """Tells one configuration from another, and nothing of what is in it."""
        return hashlib.blake2b(CONFIG.encode(self), digest_size=32).digest()


CONFIG: Codec[Config] = Codec(Config)


async def configuration(storage: View) -> Config:
    """The mount's configuration; the defaults where nobody has written one."""
    return await storage.get(CONFIG_KEY, CONFIG) or Config()
