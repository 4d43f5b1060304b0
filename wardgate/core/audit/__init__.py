"""The audit log: a record of every request and of every answer, on every enabled device."""
