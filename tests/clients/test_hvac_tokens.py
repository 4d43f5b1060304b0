"""hvac makes, inspects, renews and revokes tokens, and logs in with userpass."""

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

Connect = Callable[[str], hvac.Client]


@pytest.fixture
def tokens(client: hvac.Client) -> Any:
    """auth/token, as root. Untyped, as hvac's own types lack half of it."""
    return client.auth.token


@pytest.fixture
def policy(client: hvac.Client, name: str) -> Iterator[str]:
    """A policy that lets its tokens make tokens and read one secret."""
    system: Any = client.sys
    system.create_or_update_policy(
        name,
        """
        path "secret/data/shared"  { capabilities = ["read"] }
        path "auth/token/create"   { capabilities = ["update"] }
        """,
    )
    yield name
    system.delete_policy(name)


class TestCreate:
    def test_a_token_has_what_was_asked_for(self, tokens: Any, policy: str) -> None:
        auth = tokens.create(
            policies=[policy],
            meta={"team": "billing"},
            ttl="1h",
            explicit_max_ttl="2h",
            display_name="nightly",
            num_uses=7,
        )["auth"]
        assert auth["token_policies"] == sorted(["default", policy])
        assert auth["policies"] == auth["token_policies"]
        assert auth["metadata"] == {"team": "billing"}
        assert auth["lease_duration"] == 3600
        assert auth["renewable"] is True
        assert auth["token_type"] == "service"
        assert auth["orphan"] is False
        assert auth["num_uses"] == 7

        data = tokens.lookup(auth["client_token"])["data"]
        assert data["id"] == auth["client_token"]
        assert data["accessor"] == auth["accessor"]
        assert data["display_name"] == "token-nightly"
        assert data["meta"] == {"team": "billing"}
        assert data["explicit_max_ttl"] == 7200
        assert data["creation_ttl"] == 3600
        assert data["path"] == "auth/token/create"
        assert data["num_uses"] == 7
        assert 0 < data["ttl"] <= 3600

    def test_a_token_can_be_told_to_leave_out_default(self, tokens: Any, policy: str) -> None:
        auth = tokens.create(policies=[policy], no_default_policy=True, renewable=False)["auth"]
        assert auth["token_policies"] == [policy]
        assert auth["renewable"] is False

    def test_an_orphan_outlives_its_maker(self, connect: Connect, tokens: Any) -> None:
        maker = tokens.create(policies=["root"])["auth"]["client_token"]
        made = connect(maker).auth.token
        child = made.create(policies=["default"])["auth"]["client_token"]
        orphan = made.create_orphan(policies=["default"])["auth"]
        assert orphan["orphan"] is True
        tokens.revoke(maker)
        with pytest.raises(Forbidden):
            tokens.lookup(child)
        assert tokens.lookup(orphan["client_token"])["data"]["orphan"] is True

    def test_a_batch_token_is_not_stored(self, tokens: Any, policy: str) -> None:
        auth = tokens.create(policies=[policy], type="batch", ttl="1h")["auth"]
        assert auth["token_type"] == "batch"
        assert auth["client_token"].startswith("b.")
        assert auth["accessor"] == ""
        with pytest.raises(InvalidRequest):
            tokens.revoke(auth["client_token"])

    def test_a_token_gives_only_policies_that_it_has(
        self, connect: Connect, tokens: Any, policy: str
    ) -> None:
        token = tokens.create(policies=[policy])["auth"]["client_token"]
        made = connect(token).auth.token
        assert made.create(policies=["default"])["auth"]["token_policies"] == ["default"]
        with pytest.raises(InvalidRequest):
            made.create(policies=["root"])

    def test_uses_run_out(self, connect: Connect, tokens: Any) -> None:
        token = tokens.create(policies=["default"], num_uses=2)["auth"]["client_token"]
        own = connect(token).auth.token
        assert own.lookup_self()["data"]["num_uses"] == 1
        own.lookup_self()
        with pytest.raises(Forbidden):
            own.lookup_self()

    def test_a_wrapped_token_is_handed_over_once(self, tokens: Any, connect: Connect) -> None:
        wrapped = tokens.create(policies=["default"], wrap_ttl="60s")
        assert wrapped["auth"] is None
        assert wrapped["wrap_info"]["ttl"] == 60
        receiver: Any = connect(wrapped["wrap_info"]["token"]).sys
        auth = receiver.unwrap()["auth"]
        assert connect(auth["client_token"]).is_authenticated()
        with pytest.raises((InvalidRequest, Forbidden)):
            receiver.unwrap()


class TestLife:
    def test_a_token_looks_at_itself_renews_and_revokes_itself(
        self, connect: Connect, tokens: Any
    ) -> None:
        token = tokens.create(policies=["default"], ttl="1h")["auth"]["client_token"]
        own = connect(token)
        assert own.auth.token.lookup_self()["data"]["id"] == token
        assert own.auth.token.renew_self(increment="30m")["auth"]["lease_duration"] == 1800
        own.auth.token.revoke_self()
        assert not own.is_authenticated()

    def test_a_token_is_renewed_by_another(self, tokens: Any) -> None:
        auth = tokens.create(policies=["default"], ttl="1h", explicit_max_ttl="90m")["auth"]
        assert tokens.renew(auth["client_token"], increment="10m")["auth"]["lease_duration"] == 600
        renewed = tokens.renew_accessor(auth["accessor"], increment="5h")
        assert 5400 - 60 <= renewed["auth"]["lease_duration"] <= 5400
        assert renewed["warnings"]

    def test_a_periodic_token_renews_to_its_period(self, tokens: Any) -> None:
        auth = tokens.create(policies=["default"], period="2h")["auth"]
        assert auth["lease_duration"] == 7200
        assert tokens.lookup(auth["client_token"])["data"]["period"] == 7200
        renewed = tokens.renew(auth["client_token"], increment="10m")
        assert renewed["auth"]["lease_duration"] == 7200

    def test_a_token_that_is_not_renewable_stays_so(self, tokens: Any) -> None:
        token = tokens.create(policies=["default"], renewable=False)["auth"]["client_token"]
        with pytest.raises(InvalidRequest):
            tokens.renew(token)

    def test_an_accessor_finds_and_revokes_but_does_not_reveal(self, tokens: Any) -> None:
        auth = tokens.create(policies=["default"])["auth"]
        data = tokens.lookup_accessor(auth["accessor"])["data"]
        assert data["accessor"] == auth["accessor"]
        assert data["id"] == ""
        assert auth["accessor"] in tokens.list_accessors()["data"]["keys"]
        tokens.revoke_accessor(auth["accessor"])
        with pytest.raises(Forbidden):
            tokens.lookup(auth["client_token"])
        with pytest.raises(InvalidRequest):
            tokens.lookup_accessor(auth["accessor"])

    def test_revoking_takes_the_children_along(self, connect: Connect, tokens: Any) -> None:
        parent = tokens.create(policies=["root"])["auth"]["client_token"]
        child = connect(parent).auth.token.create(policies=["root"])["auth"]["client_token"]
        grandchild = connect(child).auth.token.create()["auth"]["client_token"]
        tokens.revoke(parent)
        assert not any(connect(token).is_authenticated() for token in (parent, child, grandchild))

    def test_revoking_may_leave_the_children_as_orphans(
        self, connect: Connect, tokens: Any
    ) -> None:
        parent = tokens.create(policies=["root"])["auth"]["client_token"]
        child = connect(parent).auth.token.create(policies=["root"])["auth"]["client_token"]
        tokens.revoke_and_orphan_children(parent)
        assert not connect(parent).is_authenticated()
        assert tokens.lookup(child)["data"]["orphan"] is True

    def test_tidying_is_taken_up(self, tokens: Any) -> None:
        assert tokens.tidy().status_code in (202, 204)

    def test_a_wrong_token_is_refused(self, connect: Connect) -> None:
        stranger = connect("s.thisTokenWasNeverIssued00")
        assert not stranger.is_authenticated()
        with pytest.raises(Forbidden, match="permission denied"):
            stranger.secrets.kv.v2.list_secrets("")


class TestRoles:
    def test_a_role_shapes_the_tokens_made_with_it(
        self, tokens: Any, name: str, policy: str
    ) -> None:
        tokens.create_or_update_role(
            name,
            allowed_policies=[policy],
            disallowed_policies=["root"],
            orphan=True,
            renewable=False,
            path_suffix="nightly",
            token_explicit_max_ttl="4h",
        )
        role = tokens.read_role(name)["data"]
        assert role["name"] == name
        assert role["allowed_policies"] == [policy]
        assert role["disallowed_policies"] == ["root"]
        assert role["orphan"] is True
        assert role["renewable"] is False
        assert role["path_suffix"] == "nightly"
        assert role["token_explicit_max_ttl"] == 4 * 3600
        assert name in tokens.list_roles()["data"]["keys"]

        auth = tokens.create(role_name=name, policies=[policy], ttl="10h")["auth"]
        assert auth["lease_duration"] == 4 * 3600
        assert auth["token_policies"] == sorted(["default", policy])
        assert auth["orphan"] is True
        assert auth["renewable"] is False
        data = tokens.lookup(auth["client_token"])["data"]
        assert data["role"] == name
        assert data["path"] == f"auth/token/create/{name}/nightly"
        with pytest.raises(InvalidRequest):
            tokens.create(role_name=name, policies=["other"])

        tokens.delete_role(name)
        with pytest.raises(InvalidPath):
            tokens.read_role(name)

    def test_a_role_makes_periodic_tokens(self, tokens: Any, name: str) -> None:
        tokens.create_or_update_role(name, allowed_policies=["default"], token_period="1h")
        auth = tokens.create(role_name=name)["auth"]
        assert auth["lease_duration"] == 3600
        renewed = tokens.renew(auth["client_token"], increment="10h")
        assert renewed["auth"]["lease_duration"] == 3600
        tokens.delete_role(name)


class TestUserpass:
    @pytest.fixture
    def mount(self, client: hvac.Client, name: str) -> Iterator[str]:
        system: Any = client.sys
        system.enable_auth_method("userpass", path=name)
        yield name
        system.disable_auth_method(name)

    @pytest.fixture
    def users(self, client: hvac.Client) -> Any:
        return client.auth.userpass

    def test_a_user_logs_in(self, users: Any, connect: Connect, mount: str, policy: str) -> None:
        users.create_or_update_user(
            "Anna", password="first", policies=policy, mount_point=mount, token_ttl="20m"
        )
        person = connect("")
        auth = person.auth.userpass.login("anna", "first", mount_point=mount)["auth"]
        assert auth["policies"] == sorted(["default", policy])
        assert auth["metadata"] == {"username": "anna"}
        assert auth["lease_duration"] == 1200
        assert auth["entity_id"] != ""
        data = person.auth.token.lookup_self()["data"]
        assert data["display_name"] == f"{mount}-anna"
        assert data["path"] == f"auth/{mount}/login/anna"
        assert data["orphan"] is True

    def test_a_wrong_password_and_a_wrong_name_look_the_same(
        self, users: Any, connect: Connect, mount: str
    ) -> None:
        users.create_or_update_user("anna", password="first", mount_point=mount)
        messages = set()
        for name, password in (("anna", "second"), ("nobody", "first")):
            with pytest.raises((InvalidRequest, Forbidden)) as refused:
                connect("").auth.userpass.login(name, password, mount_point=mount)
            messages.add((type(refused.value), str(refused.value.errors)))
        assert len(messages) == 1

    def test_a_changed_password_replaces_the_old_one(
        self, users: Any, connect: Connect, mount: str
    ) -> None:
        users.create_or_update_user("anna", password="first", mount_point=mount)
        users.update_password_on_user("anna", "second", mount_point=mount)
        with pytest.raises((InvalidRequest, Forbidden)):
            connect("").auth.userpass.login("anna", "first", mount_point=mount)
        assert connect("").auth.userpass.login("anna", "second", mount_point=mount)["auth"]

    def test_users_are_listed_read_and_deleted(
        self, users: Any, connect: Connect, mount: str
    ) -> None:
        for user in ("berta", "anna"):
            users.create_or_update_user(user, password="first", policies="p", mount_point=mount)
        assert users.list_user(mount_point=mount)["data"]["keys"] == ["anna", "berta"]
        data = users.read_user("anna", mount_point=mount)["data"]
        assert data["token_policies"] == ["p"]
        assert not any("password" in field for field in data)
        users.delete_user("anna", mount_point=mount)
        assert users.list_user(mount_point=mount)["data"]["keys"] == ["berta"]
        with pytest.raises(InvalidPath):
            users.read_user("anna", mount_point=mount)
        with pytest.raises((InvalidRequest, Forbidden)):
            connect("").auth.userpass.login("anna", "first", mount_point=mount)
