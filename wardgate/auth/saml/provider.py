"""What is known of the identity provider of one mount, asked for at its metadata address."""

import asyncio

from wardgate.auth.saml.config import Config, is_insecure
from wardgate.auth.saml.metadata import (
    IdentityProvider,
    UnusableMetadata,
    configured,
    read_metadata,
)
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.single_flight import SingleFlight

FRESH = 3600.0
"""Seconds for which metadata is kept without asking again."""
AT_MOST_EVERY = 30.0
"""Seconds between two questions that strangers can cause."""
_FINE = 200


class _Asked:
    """What came of asking with one configuration: when it was asked last, and what it said when it
    said something good the last time. Times are in seconds since the epoch."""

    def __init__(self, name: str) -> None:
        """`name` is the `Config.asked` of that configuration."""
        self.name = name
        self.ended = float("-inf")
        self.found: IdentityProvider | None = None
        self.found_at = float("-inf")
        self.why = "it could not be asked"

    def usable(self, now: float) -> IdentityProvider | None:
        """What is known, if it is neither old nor past the time that it is valid until."""
        if self.found is None or not 0 <= now - self.found_at < FRESH:
            return None
        until = self.found.valid_until
        return self.found if until is None or now < until else None


class Provider:
    """The provider of one mount, as this process knows it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked: _Asked | None = None
        self._fetching: SingleFlight[None] = SingleFlight()

    async def current(self, config: Config) -> IdentityProvider:
        """The provider as it described itself last, at most `FRESH` seconds ago.

        All who need it at the same time wait for the same answer. After one that is of no use, the
        address is left alone for `AT_MOST_EVERY` seconds. What was known before counts no more once
        it is old, or past its validUntil: a key that the provider has taken back is not trusted.
        Raises `OutgoingFailed`.
        """
        if not config.idp_metadata_url:
            return configured(config)
        asked = self._asked_for(config)
        if not self._fetching.under_way(config.asked):
            now = self._core.clock.now()
            found = asked.usable(now)
            if found is not None:
                return found
            if 0 <= now - asked.ended < AT_MOST_EVERY:
                raise OutgoingFailed(asked.why)
        return await self._fetched(config, asked)

    async def newer(self, config: Config, known: IdentityProvider) -> IdentityProvider | None:
        """The provider, asked again since a signature is by none of its `known` keys; None when it is
        too soon for that, or has not changed. Raises `OutgoingFailed`."""
        if not config.idp_metadata_url:
            return None
        asked = self._asked_for(config)
        if not self._fetching.under_way(config.asked):
            now = self._core.clock.now()
            found = asked.usable(now)
            if found is not None and found != known:
                return found
            if 0 <= now - asked.ended < AT_MOST_EVERY:
                return None
        found = await self._fetched(config, asked)
        return None if found == known else found

    def _asked_for(self, config: Config) -> _Asked:
        if self._asked is None or self._asked.name != config.asked:
            self._asked = _Asked(config.asked)
        return self._asked

    async def _fetched(self, config: Config, asked: _Asked) -> IdentityProvider:
        await self._fetching.begin(lambda: self._fetch(config, asked), config.asked)
        found = asked.usable(self._core.clock.now())
        if found is None:
            raise OutgoingFailed(asked.why)
        return found

    async def _fetch(self, config: Config, asked: _Asked) -> None:
        try:
            answer = await self._core.outgoing.send("GET", config.idp_metadata_url, follow=True)
            if answer.status != _FINE:
                raise OutgoingFailed(f"the answer has status {answer.status}")
            secure = not is_insecure(config.idp_metadata_url)
            now = self._core.clock.now()
            asked.found = await asyncio.to_thread(read_metadata, answer.body, now, secure=secure)
            asked.found_at = now
            asked.why = "the metadata is not valid any more (validUntil)"  # if it ends before long
        except (OutgoingFailed, UnusableMetadata) as error:
            asked.why = str(error)
        finally:
            asked.ended = self._core.clock.now()


def provider_failure(error: Exception) -> str:
    """What people are told of a provider whose metadata cannot be had."""
    return f"the identity provider's metadata cannot be used: {error}"
