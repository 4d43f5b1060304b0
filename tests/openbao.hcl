# What the tests need of OpenBao in development mode beside its defaults.
unsafe_allow_api_audit_creation = true
