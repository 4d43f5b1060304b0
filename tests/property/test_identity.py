"""Identity against a model: two nodes over one storage, and any order of writes, logins, sweeps.

After every step each token may do just what the model says, at both nodes; and every entity and
group is shown with just the members, groups and aliases that the model has.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.node import NodeUnderTest
from tests.odd import Odd, answer_with, mount_odd
from tests.people import accessor
from tests.property.identity_model import Alias, Crowd, Person, World
from wardgate.core.request import Response, TokenGrant

T = TypeVar("T")

MOUNTS = ("auth/one/", "auth/two/")
POLICIES = ("p0", "p1", "p2", "p3", "p4")
PATHS = [f"open/{name}" for name in POLICIES]

names = st.sampled_from(["ann", "Ann", "bea", "cid"])
mounts = st.sampled_from(MOUNTS)
policies = st.frozensets(st.sampled_from(POLICIES), max_size=2)
nodes = st.integers(0, 1)
which = st.integers(0, 7)
"""Somebody, or some group: of those that there are and the last one that is gone."""
some = st.sets(which, max_size=3)


class Identities(RuleBasedStateMachine):
    """Entities, aliases, groups, logins and merges, at two nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.tokens: list[tuple[str, Person]] = []
        self.odds: dict[str, Odd] = {}
        self.accessors: dict[str, str] = {}
        self.nodes = self._run(self._start())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _start(self) -> tuple[NodeUnderTest, NodeUnderTest]:
        node = await NodeUnderTest.start()
        for name in POLICIES:
            await node.policy(name, {f"open/{name}": "read"})
        for path in MOUNTS:
            self.odds[path] = await mount_odd(node, TokenGrant(display_name="x"), path)
            self.accessors[path] = await accessor(node, path)
        other = await node.another()
        for path, odd in self.odds.items():
            answer_with(other, odd, path)
        return node, other

    def _write(self, at: int, path: str, body: dict[str, Any]) -> Response:
        response = self._run(self.nodes[at].write(f"identity/{path}", body))
        assert response.status in (200, 204, 400), response.data
        return response

    def _person(self, number: int) -> Person:
        found = [*self.world.living(), *[each for each in self.world.people if each.gone][-1:]]
        return found[number % len(found)]

    def _crowd(self, number: int) -> Crowd:
        found = [*self.world.groups(), *[each for each in self.world.crowds if each.gone][-1:]]
        return found[number % len(found)]

    @initialize()
    def begin(self) -> None:
        """People who logged in and groups, so that few steps lead to something worth seeing."""
        self._new_group("inner", external=False, given=frozenset({"p0"}))
        self._new_group("outer", external=False, given=frozenset({"p1"}))
        self._new_group("outside", external=True, given=frozenset({"p2"}))
        self.set_groups(0, 1, {0})
        self.set_group_alias(0, 2, MOUNTS[0], "ann")
        self.log_in(0, MOUNTS[0], "ann", {"ann"})
        self.log_in(0, MOUNTS[1], "cid", set())
        self.log_in(0, MOUNTS[0], "bea", set())
        self.set_members(0, 0, {1})

    def _new_group(self, name: str, *, external: bool, given: frozenset[str]) -> None:
        kind = "external" if external else "internal"
        body = {"name": name, "type": kind, "policies": sorted(given)}
        made = Crowd(self._write(0, "group", body).data["id"], name, external, given)
        self.world.crowds.append(made)

    @rule(at=nodes, name=names, given=policies)
    def write_entity(self, at: int, name: str, given: frozenset[str]) -> None:
        known = self.world.person_called(name)
        made = self._write(at, "entity", {"name": name, "policies": sorted(given)})
        if known is None:
            known = Person(made.data["id"], name)
            self.world.people.append(known)
        else:
            assert made.status == 204
        known.name, known.policies = name, given

    @rule(at=nodes, name=names, given=policies, external=st.booleans())
    def write_group(self, at: int, name: str, given: frozenset[str], external: bool) -> None:
        known = self.world.group_called(name)
        if known is None:
            self._new_group(name, external=external, given=given)
            return
        kind = "external" if external else "internal"
        body = {"name": name, "policies": sorted(given), "type": kind}
        if self._write(at, "group", body).status == 400:
            assert known.external != external
        else:
            known.name, known.policies = name, given

    @rule(at=nodes, number=which, name=names)
    def rename(self, at: int, number: int, name: str) -> None:
        person = self._person(number)
        other = self.world.person_called(name)
        refused = self._write(at, f"entity/id/{person.id}", {"name": name}).status == 400
        assert refused == (person.gone or other not in (None, person))
        if not refused:
            person.name = name

    @rule(at=nodes, number=which, disabled=st.booleans())
    def disable(self, at: int, number: int, disabled: bool) -> None:
        person = self._person(number)
        self._write(at, f"entity/id/{person.id}", {"disabled": disabled})
        person.disabled = disabled

    @rule(at=nodes, number=which)
    def delete_entity(self, at: int, number: int) -> None:
        person = self._person(number)
        self._run(self.nodes[at].delete(f"identity/entity/id/{person.id}"))
        self._end(person)

    def _end(self, person: Person) -> None:
        person.gone = True
        for crowd in self.world.crowds:
            crowd.people.discard(person)

    @rule(at=nodes, number=which)
    def delete_group(self, at: int, number: int) -> None:
        crowd = self._crowd(number)
        self._run(self.nodes[at].delete(f"identity/group/id/{crowd.id}"))
        crowd.gone = True
        for other in self.world.crowds:
            other.inside.discard(crowd)

    @rule(at=nodes, number=which, chosen=some)
    def set_members(self, at: int, number: int, chosen: set[int]) -> None:
        crowd = self._crowd(number)
        members = {self._person(each) for each in chosen}
        body = {"member_entity_ids": [person.id for person in members]}
        refused = self._write(at, f"group/id/{crowd.id}", body).status == 400
        wrong = any(person.gone for person in members) or (crowd.external and bool(members))
        assert refused == (crowd.gone or wrong)
        if not refused:
            crowd.people = set(members)

    @rule(at=nodes, number=which, chosen=some)
    def set_groups(self, at: int, number: int, chosen: set[int]) -> None:
        crowd = self._crowd(number)
        inside = {self._crowd(each) for each in chosen}
        body = {"member_group_ids": [each.id for each in inside]}
        refused = self._write(at, f"group/id/{crowd.id}", body).status == 400
        circle = bool(inside & self.world.around({crowd}))
        wrong = any(each.gone for each in inside) or (crowd.external and bool(inside))
        assert refused == (crowd.gone or wrong or circle)
        if not refused:
            crowd.inside = set(inside)

    @rule(at=nodes, number=which, mount=mounts, name=names)
    def set_group_alias(self, at: int, number: int, mount: str, name: str) -> None:
        crowd = self._crowd(number)
        body = {"name": name, "mount_accessor": self.accessors[mount], "canonical_id": crowd.id}
        made = self._write(at, "group-alias", body)
        taken = self.world.group_at(mount, name) is not None
        assert (made.status == 400) == (crowd.gone or not crowd.external or taken)
        if made.status == 200:
            crowd.alias, crowd.way = Alias(mount, name, made.data["id"]), object()

    @rule(at=nodes, number=which, mount=mounts, name=names)
    def change_group_alias(self, at: int, number: int, mount: str, name: str) -> None:
        crowd = self._crowd(number)
        if crowd.gone or crowd.alias is None:
            return
        body = {"name": name, "mount_accessor": self.accessors[mount]}
        refused = self._write(at, f"group-alias/id/{crowd.alias.id}", body).status == 400
        assert refused == (self.world.group_at(mount, name) not in (None, crowd))
        if not refused:
            if (crowd.alias.mount, crowd.alias.name.lower()) != (mount, name.lower()):
                crowd.way = object()
            crowd.alias = Alias(mount, name, crowd.alias.id)

    @rule(at=nodes, number=which)
    def delete_group_alias(self, at: int, number: int) -> None:
        crowd = self._crowd(number)
        if crowd.alias is not None:
            self._run(self.nodes[at].delete(f"identity/group-alias/id/{crowd.alias.id}"))
            crowd.alias, crowd.way = None, object()

    @rule(at=nodes, mount=mounts, name=names, groups=st.sets(names, max_size=2))
    def log_in(self, at: int, mount: str, name: str, groups: set[str]) -> None:
        odd, person = self.odds[mount], self.world.owner(mount, name)
        odd.grant = TokenGrant(display_name="x", alias=name, group_aliases=tuple(groups))
        response = self._run(self.nodes[at].write(f"{mount}login", token=""))
        if person is not None and person.disabled:
            assert response.status == 403
            return
        assert response.auth is not None, response.data
        if person is None:
            person = Person(response.auth["entity_id"], "")
            shown = self._run(self.nodes[at].read(f"identity/entity/id/{person.id}")).data
            person.name = shown["name"]
            person.aliases.append(Alias(mount, name, shown["aliases"][0]["id"]))
            self.world.people.append(person)
        assert response.auth["entity_id"] == person.id
        person.forget_groups_of(mount)
        for each in groups:
            crowd = self.world.group_at(mount, each)
            if crowd is not None:
                person.brought[crowd] = (mount, crowd.way)
        given = self.world.rights(person)
        assert set(response.auth.get("identity_policies", ())) == given
        self.tokens.append((response.auth["client_token"], person))

    @rule(at=nodes, number=which, mount=mounts, name=names)
    def make_alias(self, at: int, number: int, mount: str, name: str) -> None:
        person = self._person(number)
        """Makes one, or moves the one that there is."""
        owner, at_mount = self.world.owner(mount, name), person.alias_at(mount)
        body = {"name": name, "mount_accessor": self.accessors[mount], "canonical_id": person.id}
        made = self._write(at, "entity-alias", body)
        wrong = person.gone or (owner is not person and at_mount is not None)
        assert (made.status == 400) == wrong
        if made.status == 400:
            return
        if owner is None:
            person.aliases.append(Alias(mount, name, made.data["id"]))
            return
        alias = owner.alias_at(mount)
        assert alias is not None
        if owner is not person or alias.name != name:
            owner.forget_groups_of(mount)
        owner.aliases.remove(alias)
        person.aliases.append(Alias(mount, name, alias.id))

    @rule(at=nodes, number=which, place=st.integers(0, 1), mount=mounts, name=names)
    def change_alias(self, at: int, number: int, place: int, mount: str, name: str) -> None:
        person = self._person(number)
        if person.gone or len(person.aliases) <= place:
            return
        alias = person.aliases[place]
        body = {"name": name, "mount_accessor": self.accessors[mount]}
        refused = self._write(at, f"entity-alias/id/{alias.id}", body).status == 400
        moved = mount != alias.mount
        wrong = self.world.owner(mount, name) not in (None, person)
        assert refused == (wrong or (moved and person.alias_at(mount) is not None))
        if not refused:
            if (alias.mount, alias.name) != (mount, name):
                person.forget_groups_of(alias.mount)
            person.aliases[place] = Alias(mount, name, alias.id)

    @rule(at=nodes, number=which, place=st.integers(0, 1))
    def delete_alias(self, at: int, number: int, place: int) -> None:
        person = self._person(number)
        if not person.gone and len(person.aliases) > place:
            alias = person.aliases.pop(place)
            self._run(self.nodes[at].delete(f"identity/entity-alias/id/{alias.id}"))
            person.forget_groups_of(alias.mount)

    @rule(at=nodes, into=which, chosen=st.sets(which, min_size=1, max_size=2))
    def merge(self, at: int, into: int, chosen: set[int]) -> None:
        target_, sources = self._person(into), {self._person(each) for each in chosen}
        everybody = [target_, *sources]
        wrong = not sources or target_ in sources or any(person.gone for person in everybody)
        kept, dropped = self._choose(everybody)
        body = {
            "to_entity_id": target_.id,
            "from_entity_ids": [person.id for person in sources],
            "conflicting_alias_ids_to_keep": [alias.id for alias in kept],
        }
        refused = self._write(at, "entity/merge", body).status == 400
        assert refused == wrong
        if refused:
            return
        for person in everybody:
            for alias in [each for each in person.aliases if each in dropped]:
                person.aliases.remove(alias)
                person.forget_groups_of(alias.mount)
        for person in sources:
            target_.aliases += person.aliases
            target_.brought = {**person.brought, **target_.brought}
            for crowd in self.world.crowds:
                if person in crowd.people:
                    crowd.people.add(target_)
            self._end(person)
            person.into = target_

    def _choose(self, everybody: list[Person]) -> tuple[list[Alias], list[Alias]]:
        """Of the aliases at each mount, the one to keep and the others."""
        kept, dropped = [], []
        for mount in MOUNTS:
            found = [alias for person in everybody if (alias := person.alias_at(mount))]
            kept += found[-1:]
            dropped += found[:-1]
        return kept, dropped

    @rule(at=nodes)
    def sweep_a_little(self, at: int) -> None:
        self._run(self.nodes[at].core.sweeper.round())

    @invariant()
    def tokens_may_do_what_the_model_says(self) -> None:
        for place, (token, person) in enumerate(self.tokens[-6:]):
            node, now = self.nodes[place % 2], person.now()
            body = {"token": token, "paths": PATHS}
            response = self._run(node.write("sys/capabilities", body))
            if now is None or now.disabled:
                assert response.status == 403
                continue
            assert response.status == 200, response.data
            open_ = {path for path in PATHS if response.data[path] == ["read"]}
            assert open_ == {f"open/{name}" for name in self.world.rights(now)}

    @invariant()
    def everybody_is_shown_as_the_model_has_them(self) -> None:
        for place, person in enumerate(self.world.people):
            response = self._run(self.nodes[place % 2].read(f"identity/entity/id/{person.id}"))
            assert (response.status == 404) == person.gone
            if person.gone:
                continue
            shown, direct = response.data, self.world.direct(person)
            assert shown["name"] == person.name
            assert set(shown["direct_group_ids"]) == {crowd.id for crowd in direct}
            assert set(shown["group_ids"]) == {c.id for c in self.world.around(direct)}
            assert {
                (each["mount_path"], each["name"], each["id"]) for each in shown["aliases"]
            } == {(alias.mount, alias.name, alias.id) for alias in person.aliases}
        for place, crowd in enumerate(self.world.crowds):
            response = self._run(self.nodes[place % 2].read(f"identity/group/id/{crowd.id}"))
            assert (response.status == 404) == crowd.gone
            if not crowd.gone:
                shown = response.data
                members = {person.id for person in self.world.members(crowd)}
                assert set(shown["member_entity_ids"] or ()) == members
                inside = {each.id for each in crowd.inside}
                assert set(shown["member_group_ids"] or ()) == inside

    def teardown(self) -> None:
        try:
            self._run(self.nodes[0].sweep())
            self.tokens_may_do_what_the_model_says()
            self.everybody_is_shown_as_the_model_has_them()
            self._run(self._nothing_is_left_over())
        finally:
            self.loop.close()

    async def _nothing_is_left_over(self) -> None:
        """No index leads nowhere, and no job is left."""
        node, world = self.nodes[0], self.world
        living, groups = world.living(), world.groups()
        counts = {
            "entity": len(living),
            "entity-name": len(living),
            "alias": sum(len(person.aliases) for person in living),
            "alias-id": sum(len(person.aliases) for person in living),
            "group": len(groups),
            "group-name": len(groups),
            "group-alias": sum(crowd.alias is not None for crowd in groups),
            "group-alias-id": sum(crowd.alias is not None for crowd in groups),
            "member": sum(len(world.members(crowd)) for crowd in groups),
        }
        for kind, count in counts.items():
            assert len(await node.keys_below(f"identity/{kind}/")) == count, kind
        assert await node.keys_below("job/") == []


Identities.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
test_identities = pytest.mark.filterwarnings("default")(Identities.TestCase)
