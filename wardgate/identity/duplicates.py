"""``identity/duplicates``: what may be there twice by mistake."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import TypeVar

from wardgate.core.core import Core
from wardgate.core.identity.likeness import Repeats, alike
from wardgate.core.identity.records import ALIAS_IDS, ENTITIES, ENTITY, GROUP, GROUPS, Entity
from wardgate.core.identity.scan import names_below
from wardgate.core.mounts import MountTable
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.identity.shown import mount_of

R = TypeVar("R")

MOST = 1_000
"""So many cases of a kind are shown, each with so many of its members."""
MOST_KEPT = 20_000
"""So many of a kind are looked at closely: there is no need to know millions to show a thousand."""

Cases = dict[tuple[str, ...], list[JsonMap]]


class DuplicateEndpoints:
    """Report what may be there twice."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("duplicates", Operation.READ, operation_id="identity-read-duplicates", sudo=True)
    async def duplicates(self, request: Request) -> Response:
        """Report names that are nearly the same, and people who may have two entities.

        Walks over all entities and groups twice, a little at a time.
        """
        table = await self._core.mounts.table(request.transaction)
        entities, entities_cut = await _entity_cases(request, table)
        groups, groups_cut = await _group_cases(request)
        shown = {
            "entities": _shown(entities, "name", "entities"),
            "aliases": _shown(entities, "alias", "aliases"),
            "people": _shown(entities, "person", "aliases"),
            "groups": _shown(groups, "name", "groups"),
            "complete": not (entities_cut or groups_cut),
        }
        return Response(shown)


async def _entity_cases(request: Request, table: MountTable) -> tuple[Cases, bool]:
    names = sum([len(page) async for page in names_below(request.transaction, ENTITIES)])
    aliases = sum([len(page) async for page in names_below(request.transaction, ALIAS_IDS)])
    repeats = Repeats(names + 2 * aliases)
    async for entity in _records(request, ENTITIES, ENTITY):
        for kind, _ in _traits(entity, table):
            repeats.note(*kind)
    cases: Cases = {}
    kept: Counter[str] = Counter()
    cut = False
    async for entity in _records(request, ENTITIES, ENTITY):
        for kind, case in _traits(entity, table):
            if repeats.repeated(*kind) and not _keep(cases, kept, kind, case):
                cut = True
    found, more = _true_cases(cases)
    return found, cut or more


def _keep(cases: Cases, kept: Counter[str], kind: tuple[str, ...], case: JsonMap) -> bool:
    """Keep what may be a case; False when there is no room for another one."""
    if kind not in cases:
        if kept[kind[0]] >= MOST_KEPT:
            return False
        kept[kind[0]] += 1
        cases[kind] = []
    if len(cases[kind]) < MOST:
        cases[kind].append(case)
    return True


def _traits(entity: Entity, table: MountTable) -> list[tuple[tuple[str, ...], JsonMap]]:
    """What an entity could share with another one, each with what to show of it."""
    traits: list[tuple[tuple[str, ...], JsonMap]] = [
        (("name", alike(entity.name)), {"id": entity.id, "name": entity.name})
    ]
    for alias in entity.aliases:
        name = alike(alias.name)
        shown = {"canonical_id": entity.id, "id": alias.id, **mount_of(table, alias)}
        traits.append((("alias", name, alias.mount_accessor), shown))
        traits.append((("person", name), shown))
    return traits


async def _group_cases(request: Request) -> tuple[Cases, bool]:
    cases: Cases = {}
    async for group in _records(request, GROUPS, GROUP):
        shown = {"id": group.id, "name": group.name}
        cases.setdefault(("name", alike(group.name)), []).append(shown)
    return _true_cases(cases)


def _true_cases(cases: Cases) -> tuple[Cases, bool]:
    """Those with more than one entity, or alias, or group; and whether some had to be left out."""
    found: Cases = {}
    counts: dict[str, int] = {}
    for kind, shown in sorted(cases.items()):
        if len(shown) > 1 and (kind[0] != "person" or _of_several(shown)):
            counts[kind[0]] = counts.get(kind[0], 0) + 1
            if counts[kind[0]] <= MOST:
                found[kind] = shown
    return found, any(count > MOST for count in counts.values())


def _of_several(aliases: list[JsonMap]) -> bool:
    """Whether aliases of one name belong to several entities, and not at one mount, which would be
    another case."""
    owners = {alias["canonical_id"] for alias in aliases}
    mounts = {alias["mount_accessor"] for alias in aliases}
    return len(owners) > 1 and len(mounts) > 1


def _shown(cases: Cases, kind: str, what: str) -> list[JsonMap]:
    return [
        {"name": case[1], what: shown[:MOST]} for case, shown in cases.items() if case[0] == kind
    ]


async def _records(request: Request, prefix: str, codec: Codec[R]) -> AsyncIterator[R]:
    async for page in names_below(request.transaction, prefix):
        for name in page:
            record = await request.transaction.peek(prefix + name, codec)
            if record is not None:
                yield record
