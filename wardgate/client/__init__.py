"""An async client for any Vault-compatible server."""
