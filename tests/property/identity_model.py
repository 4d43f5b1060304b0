"""A simple model of who is who: sets and references, and everything is worked out anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Alias:
    """A name at a mount."""

    mount: str
    name: str
    id: str = ""


@dataclass(eq=False)
class Person:
    """An entity. `brought` are external groups, each with the alias by which a login told of it."""

    id: str
    name: str
    policies: frozenset[str] = frozenset()
    disabled: bool = False
    aliases: list[Alias] = field(default_factory=list)
    brought: dict[Crowd, tuple[str, object]] = field(default_factory=dict)
    gone: bool = False
    into: Person | None = None

    def alias_at(self, mount: str) -> Alias | None:
        return next((alias for alias in self.aliases if alias.mount == mount), None)

    def now(self) -> Person | None:
        """Who this is after all merges; None when they are gone."""
        if self.into is not None:
            return self.into.now()
        return None if self.gone else self

    def forget_groups_of(self, mount: str) -> None:
        self.brought = {crowd: how for crowd, how in self.brought.items() if how[0] != mount}


@dataclass(eq=False)
class Crowd:
    """A group. `way` is another object whenever an external group's alias becomes another."""

    id: str
    name: str
    external: bool
    policies: frozenset[str] = frozenset()
    people: set[Person] = field(default_factory=set)
    inside: set[Crowd] = field(default_factory=set)
    alias: Alias | None = None
    way: object = field(default_factory=object)
    gone: bool = False


class World:
    """All people and groups."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.crowds: list[Crowd] = []

    def living(self) -> list[Person]:
        return [person for person in self.people if not person.gone]

    def groups(self) -> list[Crowd]:
        return [crowd for crowd in self.crowds if not crowd.gone]

    def person_called(self, name: str) -> Person | None:
        return next((each for each in self.living() if each.name.lower() == name.lower()), None)

    def group_called(self, name: str) -> Crowd | None:
        return next((each for each in self.groups() if each.name.lower() == name.lower()), None)

    def owner(self, mount: str, name: str) -> Person | None:
        for person in self.living():
            alias = person.alias_at(mount)
            if alias is not None and alias.name.lower() == name.lower():
                return person
        return None

    def group_at(self, mount: str, name: str) -> Crowd | None:
        for crowd in self.groups():
            alias = crowd.alias
            if alias and alias.mount == mount and alias.name.lower() == name.lower():
                return crowd
        return None

    def members(self, crowd: Crowd) -> set[Person]:
        """The people who are in a group themselves."""
        return {person for person in self.living() if crowd in self.direct(person)}

    def direct(self, person: Person) -> set[Crowd]:
        return {
            crowd
            for crowd in self.groups()
            if person in crowd.people
            or (crowd in person.brought and person.brought[crowd][1] is crowd.way and crowd.alias)
        }

    def around(self, crowds: set[Crowd]) -> set[Crowd]:
        """These groups and all that they are inside of."""
        found = set(crowds)
        while True:
            more = {crowd for crowd in self.groups() if crowd.inside & found} - found
            if not more:
                return found
            found |= more

    def rights(self, person: Person) -> set[str]:
        """The policies that somebody has, by themselves and by groups."""
        crowds = self.around(self.direct(person))
        return set(person.policies).union(*(crowd.policies for crowd in crowds))
