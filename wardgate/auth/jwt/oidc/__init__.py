"""Logins that lead people through the page of an OpenID provider."""
