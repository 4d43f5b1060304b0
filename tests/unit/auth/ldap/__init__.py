"""Unit tests of the ldap auth method."""
