"""Whether a server holds all that it has acknowledged, and nothing half."""

import time

from tests.api import TIMEOUT, Answer, Api
from tests.faults.acknowledged import Ledger
from tests.faults.writers import SECRET_WRITERS


def check(api: Api, ledger: Ledger) -> None:
    """Check everything in `ledger`, with a root token."""
    for path, versions in ledger.versions.items():
        check_secret(api, path, versions)
    check_tokens(api, ledger)
    check_people(api, ledger)


def check_secret(api: Api, path: str, acknowledged: dict[int, int]) -> None:
    """Each version that was acknowledged holds what was written, and each that is listed is there.

    At most one for each writer is there that was never acknowledged.
    """
    metadata = api.get(f"secret/metadata/{path}").data
    listed = {int(version) for version in metadata["versions"]}
    assert listed == set(range(1, metadata["current_version"] + 1))
    assert set(acknowledged) <= listed
    assert len(listed) - len(acknowledged) <= SECRET_WRITERS
    for version in listed:
        answer = api.get(f"secret/data/{path}?version={version}")
        assert answer.status == 200, f"version {version} of {path} is listed and not there"
        if version in acknowledged:
            assert answer.data["data"]["value"] == acknowledged[version]
    unasked = api.get(f"secret/data/{path}").data
    assert unasked["metadata"]["version"] == metadata["current_version"]


def check_tokens(api: Api, ledger: Ledger) -> None:
    """Tokens live and die with their parents, and each can be found in every way."""
    accessors = api.names("auth/token/accessors")
    for family in ledger.families:
        parent = api.get("auth/token/lookup-self", family.parent)
        lives = parent.status == 200
        if family.revoked is not None:
            assert lives is not family.revoked
        assert (family.accessor in accessors) is lives
        if lives:
            found = api.post("auth/token/lookup-accessor", {"accessor": family.accessor})
            assert found.data["creation_time"] == parent.data["creation_time"]
        for child in family.children:
            own = api.get("auth/token/lookup-self", child)
            assert (own.status == 200) is lives
            if lives:
                assert own.data["accessor"] in accessors


def living(api: Api) -> set[str]:
    """The accessors that belong to a living token."""
    return {accessor for accessor in api.names("auth/token/accessors") if _lives(api, accessor)}


def check_swept(api: Api) -> None:
    """What revocations had begun when the server died is finished: soon, only the living are
    listed."""
    deadline = time.monotonic() + TIMEOUT
    while dead := api.names("auth/token/accessors") - living(api):
        assert time.monotonic() < deadline, f"{len(dead)} dead tokens are still listed"
        time.sleep(0.1)


def _lives(api: Api, accessor: str) -> bool:
    answer = api.post("auth/token/lookup-accessor", {"accessor": accessor})
    if answer.status == 200:
        assert answer.data["accessor"] == accessor
        return True
    # Its parent was revoked, and the sweeper has not come to it yet.
    assert answer == Answer(400, {"errors": ["invalid accessor"]})
    return False


def check_people(api: Api, ledger: Ledger) -> None:
    """Users log in with their last password, as the same entity as before; their tokens live."""
    listed = api.names("auth/userpass/users")
    for user in ledger.users:
        assert user.name in listed
        logins = [
            api.post(f"auth/userpass/login/{user.name}", {"password": password}, "")
            for password in user.passwords
        ]
        granted = [login for login in logins if login.status == 200]
        assert len(granted) == 1, f"{len(granted)} passwords of a user are right"
        assert user.entity in ("", granted[0].auth["entity_id"])
        user.entity = granted[0].auth["entity_id"]
    for user, token in ledger.logins:
        found = api.get("auth/token/lookup-self", token)
        assert found.status == 200, "the token of a login is lost"
        assert found.data["entity_id"] == user.entity
