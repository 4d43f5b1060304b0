"""Plays the steps of a scenario against one server, with variables of its own.

Variables that every scenario has: `$id`, a name that no other scenario uses; `$root`, the root
token; `$long`, 6000 letters; `$deep`, a JSON object 2000 levels deep; `$pgp`, a public PGP key;
`$server`, the server's address. Those about JWT have more (`tests/conformance/tokens.py`), and the
services that a topic names give it theirs (`tests/conformance/given.py`).
"""

import json
import time
from collections.abc import Mapping
from string import Template

from tests.conformance import tokens
from tests.conformance.exchange import Answer, Client, Json
from tests.conformance.pointers import resolve
from tests.conformance.scenario import Step
from tests.visitor import Visitor

NOBODY = "nobody"
VISIT = "VISIT"
UNTIL_SECONDS = 60.0
LONG = "a" * 6000
TEXTS = '["x"' + ',"x"' * 1500 + "]"
PGP = (
    "mDMEawIsNRYJKwYBBAHaRw8BAQdAFM5j39POW8+b2bEVacseJrYX12dnvWv/0M0o9kmR/A20E2N2IDxjdkBleGFtcG"
    "xlLmNvbT6IkAQTFggAOBYhBP2FmkUfeFAjeTkERbJ29iANX+aHBQJrAiw1AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4B"
    "AheAAAoJELJ29iANX+aHjgwBAPickshfszYNpOV87kUffu5XKAhBtuhYGYG1d3xjoMngAP4iEKhEHoof7NLP5a+78/"
    "PsmsL/tB/gNCNMPBmm3Ol6C7g4BGsCLDUSCisGAQQBl1UBBQEBB0AEczaFHJ3R1JxjrOXVJ5qceCzdd6crBpsKE5TN"
    "cAVuUQMBCAeIeAQYFggAIBYhBP2FmkUfeFAjeTkERbJ29iANX+aHBQJrAiw1AhsMAAoJELJ29iANX+aH5qYA/2j/Iz"
    "LocNrMkT6U7wTGOsXzrtzSJGH3EVND2+hS8o7FAQDUyOcZLwKvpca1OrxRfn1+7EkbCi+Jgg/LewYTiiomBw=="
)  # of nobody: made by gpg for this test, and its secret half thrown away
DEEP = '{"a":' * 2000 + "1" + "}" * 2000


class Player:
    """One scenario's run against one server."""

    def __init__(
        self, client: Client, scenario_id: str, given: Mapping[str, str] | None = None
    ) -> None:
        """`given` are the variables of the services that the scenario's topic names."""
        self._client = client
        self.variables = {
            **(given or {}),
            "server": client.server.address,
            "id": scenario_id,
            "root": client.server.root_token,
            "long": LONG,
            "texts": TEXTS,
            "deep": DEEP,
            "pgp": PGP,
            **tokens.variables(scenario_id),
        }

    def play(self, step: Step) -> Answer:
        """Send the step's request and keep what it saves.

        Raises `KeyError` for a variable that nobody gave and no step has saved.
        """
        for name, signing in step.sign.items():
            claims, header = self._fill(signing.claims), self._fill(signing.header)
            self.variables[name] = tokens.token(signing.key, claims, header)
        answer = self._send(step)
        deadline = time.monotonic() + UNTIL_SECONDS
        while not self._is_awaited(step, answer) and time.monotonic() < deadline:
            time.sleep(0.05)
            answer = self._send(step)
        for name, pointer in step.save.items():
            # A value that is missing here shows as a difference of this very answer.
            self.variables[name] = str(resolve(answer.body, pointer))
        for name, pointer in step.spoil.items():
            self.variables[name] = _spoiled(str(resolve(answer.body, pointer)))
        return answer

    def _is_awaited(self, step: Step, answer: Answer) -> bool:
        if step.until is None:
            return True
        pointer, text = step.until
        if answer.status != step.status:
            return False
        return not pointer or resolve(answer.body, pointer) == self._fill(text)

    def _send(self, step: Step) -> Answer:
        path = self._fill(step.path)
        if step.method == VISIT:
            return _visited(path, json.loads(self._fill(step.body or "{}")))
        target = path if path.startswith("/") else f"/v1/{path}"
        headers = [(name, self._fill(value)) for name, value in step.headers]
        if step.token != NOBODY:
            headers.append(("X-Vault-Token", self.variables[step.token]))
        body = self._body(step)
        return self._client.send(step.method, target, headers, body)

    def _body(self, step: Step) -> bytes | None:
        if not step.fields:
            return None if step.body is None else self._fill(step.body).encode()
        fields: dict[str, Json] = json.loads(self._fill(step.body or "{}"))
        fields.update({name: self._fill(text) for name, text in step.fields.items()})
        return json.dumps(fields).encode()

    def _fill(self, text: str) -> str:
        return Template(text).substitute(self.variables)


def _visited(url: str, fields: Mapping[str, str]) -> Answer:
    """What somebody sees in the end who opens a page and fills in all forms, or with which query
    their browser would go on to a program or server that logs them in."""
    visitor = Visitor(stop="/oidc/callback?")
    page = visitor.fill_in(visitor.open(url), fields)
    query: dict[str, Json] = {**page.query}
    return Answer(page.status, {}, {"query": query})


def _spoiled(share: str) -> str:
    """The share with another first digit; its last two are the point."""
    return ("1" if share.startswith("0") else "0") + share[1:]
