"""Finds out who somebody is: asks a directory whether a password is right and in which groups its
owner is. Blocking: for a thread of its own."""

import secrets
import time

import msgspec

from wardgate.auth.ldap import filters, messages
from wardgate.auth.ldap.config import Config
from wardgate.auth.ldap.config_fields import DEFAULT_USER_FILTER
from wardgate.auth.ldap.connection import Connection
from wardgate.auth.ldap.effort import ConnectionLost, DirectoryFailed, Effort
from wardgate.auth.ldap.messages import SUCCESS, Entry
from wardgate.auth.ldap.names import common_name, escaped_value, is_text, sid_text
from wardgate.auth.ldap.pool import Pool

MOST_GROUPS = 10_000
LONGEST_GROUP = 1024
"""Characters; longer names are nobody's."""
_ANYTHING = "(objectClass=*)"
_NOTHING = "1.1"  # no attributes
# What a bind may fail with that is not about whom it is for: operationsError, protocolError,
# timeLimitExceeded, authMethodNotSupported, strongerAuthRequired, referral, adminLimitExceeded,
# confidentialityRequired, busy, unavailable, loopDetect, other.
_NOT_ABOUT_ANYBODY = {
    **dict.fromkeys((1, 2, 3, 7, 11, 51, 52, 54, 80), "the directory cannot check passwords now"),
    **dict.fromkeys((8, 13), "the directory wants TLS first: use ldaps:// or starttls"),
    10: "the directory refers to another server, which is not followed",
}
_SIZE_LIMIT = 4


class Person(msgspec.Struct, frozen=True):
    """Somebody whose password was right. `alias` is empty where the directory has no single value
    for it that is text; `groups` are sorted."""

    alias: str
    groups: tuple[str, ...]


class Directory:
    """A directory as one configuration describes it. For any number of threads."""

    def __init__(self, config: Config, pool: Pool) -> None:
        self._config = config
        self._pool = pool

    def person(self, name: str, password: str, effort: Effort) -> Person | None:
        """Who has this name and password; None where nobody has. Raises `DirectoryFailed`.

        A connection that was kept may be dead, which shows only now: then all is asked once more on
        a new one.
        """
        kept = self._pool.take(effort)
        if kept is not None:
            try:
                return self._asked(kept, name, password)
            except ConnectionLost:
                pass
        return self._asked(self._pool.dial(effort), name, password)

    def _asked(self, connection: Connection, name: str, password: str) -> Person | None:
        """What is said on this connection, which is given back or closed."""
        try:
            person = _Login(self._config, self._pool, connection).person(name, password)
        except BaseException:
            connection.close()
            raise
        self._pool.give_back(connection)
        return person


class _Login:
    """One login on one connection."""

    def __init__(self, config: Config, pool: Pool, connection: Connection) -> None:
        self._config = config
        self._pool = pool
        self._connection = connection

    def person(self, name: str, password: str) -> Person | None:
        config, entry = self._config, None
        if config.searches:
            self._bind_to_search()
            entry = self._found(name)
            # the same steps for who is not there: the bind of somebody who cannot be there either
            bind_name = f"cn={secrets.token_hex(8)},{config.userdn}" if entry is None else entry.dn
        elif config.upndomain:
            bind_name = f"{escaped_value(name)}@{config.upndomain}"
        else:
            bind_name = f"{config.userattr}={escaped_value(name)},{config.userdn}"
        exists = (entry is not None) if config.searches else None
        if not self._bind_person(bind_name, password, exists) or exists is False:
            return None
        if config.has_service:
            self._bind_to_search()
        user_dn = self._dn_of_upn(name) if config.upndomain else bind_name
        if config.username_as_alias:
            alias = name
        else:
            alias = bind_name if entry is None else _only_value(entry, config.userattr)
        return Person(alias, self._groups(user_dn, name))

    def _bind_to_search(self) -> None:
        """As the service account, or as nobody: with a name alone nobody would be proven either."""
        config, connection = self._config, self._connection
        if connection.service:
            return
        name, password = (config.binddn, config.bindpass) if config.has_service else ("", "")
        if connection.bind(name, password.encode()) != SUCCESS:
            raise DirectoryFailed(
                "the directory refuses the service account: check binddn and bindpass"
                if config.has_service
                else "the directory lets nobody search without a service account: set binddn and"
                " bindpass"
            )
        connection.service = config.has_service

    def _bind_person(self, bind_name: str, password: str, exists: bool | None) -> bool:
        """Whether the password is right. A refusal takes as long for who does not exist as for who
        does; `exists` is None where that is not known."""
        times, began = self._pool.times, time.perf_counter()
        code = self._connection.bind(bind_name, password.encode())
        took = time.perf_counter() - began
        if code in _NOT_ABOUT_ANYBODY:
            raise DirectoryFailed(_NOT_ABOUT_ANYBODY[code])
        right = code == SUCCESS
        if exists or (right and exists is None):
            times.remember(took, refused=not right)
        elif exists is False or times.is_too_fast(took):
            self._connection.effort.pause(times.of_a_refusal() - took)
        return right

    def _found(self, name: str) -> Entry | None:
        """The entry of whoever has this name; None where nobody has, or more than one."""
        config = self._config
        values = {"UserAttr": config.userattr, "Username": filters.escaped(name)}
        if config.upndomain:
            values["UserAttr"] = "userPrincipalName"
            values["Username"] = filters.escaped(f"{name}@{config.upndomain}")
        wanted = filters.filled_in(config.userfilter or DEFAULT_USER_FILTER, values)
        entries, code = self._search(
            config.userdn, self._with_account_name(wanted, name), (config.userattr,), most=2
        )
        if code not in (SUCCESS, _SIZE_LIMIT):
            raise DirectoryFailed(
                "the directory refuses to search for people: check userdn, userfilter and what the"
                " service account may read"
            )
        single = code == SUCCESS and len(entries) == 1 and entries[0].dn
        return entries[0] if single else None

    def _dn_of_upn(self, name: str) -> str:
        """The DN of somebody whose principal name is known; empty where it cannot be seen."""
        principal = filters.escaped(f"{name}@{self._config.upndomain}")
        wanted = self._with_account_name(f"(userPrincipalName={principal})", name)
        entries, code = self._search(self._config.userdn, wanted, (_NOTHING,), most=2)
        if code not in (SUCCESS, _SIZE_LIMIT):
            raise DirectoryFailed("the directory refuses to search for people: check userdn")
        return entries[0].dn if code == SUCCESS and len(entries) == 1 else ""

    def _with_account_name(self, wanted: str, name: str) -> str:
        if not (self._config.upndomain and self._config.enable_samaccountname_login):
            return wanted
        return f"(|{wanted}(sAMAccountName={filters.escaped(name)}))"

    def _groups(self, user_dn: str, name: str) -> tuple[str, ...]:
        config = self._config
        searcher = self
        if config.anonymous_group_search:
            searcher = _Login(config, self._pool, self._pool.dial(self._connection.effort))
        try:
            if config.use_token_groups:
                found = searcher._token_groups(user_dn)
            elif config.groupdn and config.groupfilter:
                found = searcher._group_entries(user_dn, name)
            else:
                found = []
        finally:
            if searcher is not self:
                searcher._connection.close()
        names = {group for entry in found for group in self._names(entry)}
        if len(names) > MOST_GROUPS:
            raise DirectoryFailed(
                "the directory knows more groups of somebody than can be taken in"
            )
        return tuple(sorted(each for each in names if 0 < len(each) <= LONGEST_GROUP))

    def _group_entries(self, user_dn: str, name: str) -> list[Entry]:
        config = self._config
        values = {"UserDN": filters.escaped(user_dn), "Username": filters.escaped(name)}
        wanted = filters.filled_in(config.groupfilter, values)
        found, code = self._search(
            config.groupdn, wanted, (config.groupattr,), page_size=config.max_page_size
        )
        if code == _SIZE_LIMIT:
            raise DirectoryFailed(
                "the directory gives no more groups at once: set max_page_size to ask for pages"
            )
        if code != SUCCESS:
            raise DirectoryFailed(
                "the directory refuses to search for groups: check groupdn and groupfilter"
            )
        return found

    def _token_groups(self, user_dn: str) -> list[Entry]:
        """The groups that Active Directory has worked out, nested ones among them."""
        if not user_dn:  # at that place it tells the groups of the account that asks
            raise DirectoryFailed("the directory does not show the entry of whoever logs in")
        users, code = self._search(
            user_dn, _ANYTHING, ("tokenGroups",), most=1, scope=messages.BASE
        )
        if code != SUCCESS:
            raise DirectoryFailed("the directory refuses to tell tokenGroups")
        raw = [value for user in users for value in user.attributes.get("tokengroups", [])]
        if len(raw) > MOST_GROUPS:
            raise DirectoryFailed(
                "the directory knows more groups of somebody than can be taken in"
            )
        found = []
        for sid in filter(None, map(sid_text, raw)):
            entries, code = self._search(
                f"<SID={sid}>", _ANYTHING, (_NOTHING,), most=1, scope=messages.BASE
            )
            if code == SUCCESS:  # others are of other domains, or may not be seen
                found += entries
        return found

    def _names(self, entry: Entry) -> list[str]:
        """What the groups are called of which an entry tells."""
        config = self._config
        attribute = config.groupattr.lower()
        values = [raw.decode(errors="replace") for raw in entry.attributes.get(attribute, [])]
        if any(each.startswith(f"{attribute};range=") for each in entry.attributes):
            raise DirectoryFailed(
                "the directory tells groupattr in parts: have groupfilter find the groups themselves"
            )
        if not values and attribute != "memberof":  # whoever has no such value is in no group
            values = [entry.dn]
        upper = config.use_pre111_group_cn_behavior
        return [common_name(value, upper_case_alone=upper) for value in values]

    def _search(
        self,
        base: str,
        wanted: str,
        attributes: tuple[str, ...],
        *,
        most: int = 0,
        page_size: int = 0,
        scope: int = messages.SUBTREE,
    ) -> tuple[list[Entry], int]:
        return self._connection.search(
            base,
            scope,
            wanted,
            attributes,
            dereference=self._config.dereference_aliases,
            most=most,
            page_size=page_size,
        )


def _only_value(entry: Entry, attribute: str) -> str:
    """The value, if it is one and is text: else two people's could look the same."""
    values = entry.attributes.get(attribute.lower(), [])
    try:
        (text,) = (value.decode() for value in values)
    except ValueError:
        return ""
    return text if is_text(text) else ""
