"""The id of the request that is being worked on, for the log."""

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Set once for each request, whose task has a context of its own; empty outside of requests."""
