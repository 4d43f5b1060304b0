"""What a command works with: the server, the output, and the person at the keyboard."""

import dataclasses
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wardgate.cli import token_file
from wardgate.cli.failure import CommandFailed, Refused, ServerFailed, UsageError
from wardgate.cli.options import Format, GlobalOptions
from wardgate.cli.output import Output

if TYPE_CHECKING:
    import asyncio

    from wardgate.client import Client, Reply, Settings

NOT_FOUND = 404


class Session:
    """One run of a command. The client is made, and its library loaded, at the first request."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self._runner: asyncio.Runner | None = None
        self._client: Client | None = None

    @cached_property
    def settings(self) -> "Settings":
        """From the command line, else the environment, else the token file."""
        from wardgate.client import Misconfigured, Settings

        try:
            found = Settings.from_environment()
        except Misconfigured as error:
            raise UsageError(str(error)) from error
        given = self.options
        tls = _given(
            ca_cert=given.ca_cert,
            ca_path=given.ca_path,
            client_cert=given.client_cert,
            client_key=given.client_key,
            server_name=given.tls_server_name,
            skip_verify=given.tls_skip_verify,
        )
        own = _given(
            address=given.address,
            token=given.token or found.token or token_file.load(),
            namespace=given.namespace,
        )
        return dataclasses.replace(found, tls=dataclasses.replace(found.tls, **tls), **own)

    @cached_property
    def output(self) -> Output:
        text = self.options.format or _variable("FORMAT") or Format.TABLE
        try:
            format_ = Format(text.lower())
        except ValueError as error:
            raise UsageError("option -format is table or json") from error
        return Output(format_, self.options.field)

    @property
    def wrap_ttl(self) -> str | None:
        return self.options.wrap_ttl or _variable("WRAP_TTL")

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        *,
        doing: str,
        wrap: bool = True,
    ) -> "Reply":
        """Send a request and wait for the answer.

        `doing` completes the sentence "Error …"; `wrap` is whether -wrap-ttl is meant for this
        request. Raises `Refused` when the server answers with an error, else `ServerFailed`.
        """
        from wardgate.client import ApiError, ConnectionFailed, Misconfigured

        wrap_ttl = self.wrap_ttl if wrap else None
        try:
            client = self._connected()
            assert self._runner is not None
            return self._runner.run(client.request(method, path, body, params, wrap_ttl=wrap_ttl))
        except ApiError as error:
            raise Refused(doing, error) from error
        except ConnectionFailed as error:
            raise ServerFailed(f"Error {doing}: {error}") from error
        except Misconfigured as error:
            raise UsageError(str(error)) from error

    def find(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        doing: str,
        wrap: bool = True,
    ) -> "Reply":
        """Like `request`, for a path where there may be nothing: a 404 is an answer too."""
        try:
            return self.request(method, path, params=params, doing=doing, wrap=wrap)
        except Refused as refused:
            if refused.status == NOT_FOUND and refused.reply is not None:
                return refused.reply
            raise

    def use_token(self, token: str | None) -> None:
        """Make the next requests with another token."""
        self.settings = dataclasses.replace(self.settings, token=token)
        self._disconnect()

    def close(self) -> None:
        self._disconnect()
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def read_stdin(self) -> str:
        """A secret that is piped in, without the line end that ``echo`` adds."""
        return sys.stdin.read().strip()

    def ask_secret(self, prompt: str) -> str:
        """What the user types without it being shown. Raises `CommandFailed` without a terminal."""
        if self.options.non_interactive:
            raise CommandFailed(f"{prompt} is missing, and -non-interactive forbids to ask for it")
        if not sys.stdin.isatty():
            raise CommandFailed(
                f"{prompt} cannot be asked for, since stdin is no terminal; to pipe it in, give - "
                "in its place"
            )
        import getpass

        return getpass.getpass(f"{prompt} (will be hidden): ")

    def _connected(self) -> "Client":
        import asyncio

        from wardgate.client import Client

        if self._runner is None:
            self._runner = asyncio.Runner()
        if self._client is None:
            settings = self.settings
            self._client = Client(
                settings.address,
                settings.token,
                settings.namespace,
                tls=settings.tls,
                timeout=settings.timeout,
                headers=self.options.header,
            )
        return self._client

    def _disconnect(self) -> None:
        if self._client is not None and self._runner is not None:
            self._runner.run(self._client.close())
        self._client = None


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _variable(name: str) -> str | None:
    from wardgate.client.environment import variable

    return variable(name)
