"""No auth method goes without the suite."""

from tests.auth_methods.adapters import METHODS
from wardgate.server.catalog import AUTH_METHODS, SINGLETONS


def test_each_auth_method_of_the_server_has_an_adapter() -> None:
    """``token`` is none to log in by."""
    assert sorted(method.kind for method in METHODS) == sorted(set(AUTH_METHODS) - set(SINGLETONS))
