"""The JWT and OIDC auth method."""
