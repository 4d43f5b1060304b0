"""SAML: a role for whoever logs in at a provider. A login is what its program asks in the end; all that
goes before, with the browser, is done when it is made."""

from typing import Any

from tests import saml_idp
from tests.auth_methods.method import Identity, JsonMap, Login, Method
from tests.node import PEER
from tests.saml_idp import ACS_URL, ENTITY_ID, SP_ENTITY_ID, SSO_URL
from tests.unit.auth.saml.browser_logins import (
    VERIFIER,
    asked,
    callback,
    challenge,
    confirm,
    idp_key,
    other_key,
)
from wardgate.core.request import Response


class SamlMethod(Method):
    kind = "saml"
    entry_path = "role/people"
    renewed_with_other_policies = True
    login_role = "people"
    has_groups = True

    async def begin(self) -> None:
        await super().begin()
        self.groups: tuple[str, ...] = ()
        self.secret: list[str] = [VERIFIER]
        config = {
            "entity_id": SP_ENTITY_ID,
            "acs_urls": [ACS_URL],
            "idp_sso_url": SSO_URL,
            "idp_entity_id": ENTITY_ID,
            "idp_cert": idp_key().certificate_pem,
        }
        await self.node.ok(f"{self.mount}/config", config)

    def required(self) -> JsonMap:
        return {"bound_subjects": "ada@example.com", "groups_attribute": "groups"}

    async def login(self) -> Login:
        begun = await self._begun()
        assert begun.status == 200, begun.data
        return await self._at_provider(begun.data)

    async def try_to_log_in(self, **options: Any) -> Response:
        begun = await self._begun(peer=options.get("peer", PEER))
        if begun.status != 200:
            return begun
        return await self.send(await self._at_provider(begun.data), **options)

    async def wrong_logins(self) -> list[Login]:
        good = (await self.login()).body
        data = (await self._begun()).data
        login = asked(self.node, data)
        forged = saml_idp.answer(login, other_key())
        self.secret.append(saml_idp.posted(forged))
        return [
            Login({**good, "client_verifier": "another"}, "token"),
            Login({**good, "token_poll_id": data["token_poll_id"]}, "token"),
            Login(
                {"RelayState": login.relay_state, "SAMLResponse": saml_idp.posted(forged)},
                "callback",
            ),
            Login({"role": "nobody", "client_challenge": challenge()}, "sso_service_url"),
        ]

    async def other_spellings(self) -> list[Login]:
        found = [
            await self._at_provider((await self._begun(role)).data) for role in ("PEOPLE", "People")
        ]
        return [
            *found,
            Login({"role": " people ", "client_challenge": challenge()}, "sso_service_url"),
        ]

    async def identity(self) -> Identity:
        return Identity("ada@example.com", "saml-ada@example.com", {"role": "people"})

    def secrets(self) -> list[str]:
        return self.secret

    def join(self, *groups: str) -> None:
        self.groups = groups

    async def _begun(self, role: str = "people", peer: str = PEER) -> Response:
        """A login as it begins; it may be refused."""
        body = {"role": role, "client_challenge": challenge()}
        path = f"{self.mount}/sso_service_url"
        return await self.node.write(path, body, token="", peer=peer)

    async def _at_provider(self, data: JsonMap) -> Login:
        """Somebody logs in at the provider, and confirms that they began this."""
        login = asked(self.node, data, attributes={"groups": self.groups})
        xml = saml_idp.answer(login, idp_key(), "both")
        self.secret += [data["token_poll_id"], login.relay_state, saml_idp.posted(xml)]
        await confirm(self.node, await callback(self.node, login, xml))
        body = {"token_poll_id": data["token_poll_id"], "client_verifier": VERIFIER}
        return Login(body, "token")
