"""Who somebody is: entities, their aliases at auth mounts, and the groups that they are in.

`records` says what is stored and where, `standing` what it means for a token's rights.
"""

from wardgate.core.identity.entities import entity_by_id
from wardgate.core.identity.logins import entity_for_login, set_external_groups
from wardgate.core.identity.records import ENTITIES, ENTITY, Alias, Entity, Group
from wardgate.core.identity.standing import Standing, Standings

__all__ = [
    "ENTITIES",
    "ENTITY",
    "Alias",
    "Entity",
    "Group",
    "Standing",
    "Standings",
    "entity_by_id",
    "entity_for_login",
    "set_external_groups",
]
