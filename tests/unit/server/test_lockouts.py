"""``user_lockout`` blocks, and what else bounds requests in the configuration."""

import pytest

from wardgate.core.lockout_config import LockoutTuning
from wardgate.server.config import ServerConfig
from wardgate.server.document import ConfigError
from wardgate.server.options import UsageError, parse_server_arguments

from .conftest import Read

MINIMAL = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'


def lockout(read: Read, text: str) -> tuple[ServerConfig, list[str]]:
    return read(MINIMAL + text)


def test_blocks_are_read_by_kind(read: Read) -> None:
    config, warnings = lockout(
        read,
        'user_lockout "all" { lockout_threshold = 3 }\n'
        'user_lockout "UserPass" {\n'
        '  lockout_threshold = "2"\n  lockout_duration = "10m"\n'
        "  lockout_counter_reset_duration = 60\n  disable_lockout = true\n}",
    )
    assert warnings == []
    assert config.user_lockout == {
        "all": LockoutTuning(threshold=3),
        "userpass": LockoutTuning(threshold=2, duration=600, counter_reset=60, disabled=True),
    }


def test_json_says_the_same(read: Read) -> None:
    text = (
        '{"storage": {"inmem": {}}, "listener": {"tcp": {"tls_disable": 1}},'
        ' "user_lockout": {"ldap": {"lockout_threshold": 7}}}'
    )
    assert read(text)[0].user_lockout == {"ldap": LockoutTuning(threshold=7)}


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ('"jwt" { }', "the types are all, approle, ldap, userpass"),
        ("{ lockout_threshold = 3 }", "user_lockout"),
        ('"all" { lockout_threshold = -1 }', "lockout_threshold: must be a whole number"),
        ('"all" { lockout_threshold = "x" }', "lockout_threshold: must be a whole number"),
        ('"all" { lockout_duration = "-5s" }', "lockout_duration: must be a duration"),
        ('"all" { disable_lockout = "x" }', "disable_lockout: must be true or false"),
    ],
)
def test_what_cannot_be_is_refused(block: str, problem: str, read: Read) -> None:
    with pytest.raises(ConfigError, match=problem):
        lockout(read, f"user_lockout {block}")


def test_unknown_keys_are_warned_about(read: Read) -> None:
    _, warnings = lockout(read, 'user_lockout "all" { lockout_treshold = 3 }')
    assert warnings == [
        'w.hcl:3: user_lockout "all": lockout_treshold is not known and has no effect; '
        "did you mean lockout_threshold?"
    ]


@pytest.mark.parametrize("name", ["WARDGATE", "BAO", "VAULT"])
def test_a_variable_turns_everything_off(name: str) -> None:
    def parse(value: str) -> bool:
        environment = {f"{name}_DISABLE_USER_LOCKOUT": value}
        return parse_server_arguments(["-dev"], environment).disable_user_lockout

    assert [parse(value) for value in ("true", "1", "false", "")] == [True, True, False, False]
    with pytest.raises(UsageError):
        parse("maybe")


def test_a_listener_has_the_default_duration_unless_it_says_another(read: Read) -> None:
    text = (
        'storage "inmem" {}\ndefault_max_request_duration = "30s"\n'
        'listener "tcp" { tls_disable = true }\n'
        'listener "unix" {\n address = "/s"\n max_request_duration = 5\n}'
    )
    config, warnings = read(text)
    assert warnings == []
    assert [each.rules.limits.max_request_duration for each in config.listeners] == [30, 5]


def test_the_texts_of_json_can_be_bounded_further(read: Read) -> None:
    for given, values in {0: 150_000, 1000: 1000, 10**9: 150_000}.items():
        config, _ = read(
            f'storage "inmem" {{}}\nlistener "tcp" {{\n tls_disable = true\n'
            f" max_request_json_strings = {given}\n}}"
        )
        assert config.listeners[0].rules.limits.max_json_values == values
