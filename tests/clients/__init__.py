"""Programs written for Vault and OpenBao do a day's work against the server, unchanged.

``WARDGATE_TEST_TARGET=openbao`` runs the same tests against the real OpenBao, which shows that they
describe what it does; the default is ``wardgate``.
"""
