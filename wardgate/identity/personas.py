"""``identity/persona``: the oldest paths. They read, list and delete aliases, but write entities."""

from typing import Annotated

from wardgate.core.identity import Entity
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringMap
from wardgate.identity.entities import EntityById, existing_entity, meant_entity, write_entity


class PersonaById(Body):
    """What may be changed of an entity by the old path."""

    entity_id: Annotated[str, Doc("Has no effect.", deprecated=True)] = ""
    metadata: Annotated[StringMap | None, Doc("Free key=value pairs about the entity.")] = None
    mount_accessor: Annotated[str, Doc("Has no effect.", deprecated=True)] = ""
    name: Annotated[str, Doc("The name of the entity; made up when not given.")] = ""


class PersonaBody(PersonaById):
    """An entity to make or to change by the old path."""

    id: Annotated[str, Doc("The id of the entity to change; a new one is made without it.")] = ""


class PersonaEndpoints:
    """Make and change entities by the old paths."""

    @endpoint("persona", Operation.UPDATE, operation_id="persona-create")
    async def create(self, request: Request, body: PersonaBody) -> Response:
        """Make an entity, or change one. Use 'entity' instead."""
        return await _write(request, await meant_entity(request, body.id, body.name), body)

    @endpoint("persona/id/{id}", Operation.UPDATE, operation_id="persona-update-by-id")
    async def write_by_id(self, request: Request, id: str, body: PersonaById) -> Response:
        """Change an entity. Use 'entity' instead."""
        return await _write(request, await existing_entity(request, id), body)


async def _write(request: Request, entity: Entity | None, body: PersonaById) -> Response:
    return await write_entity(request, entity, EntityById(metadata=body.metadata), body.name)
