"""Composition root: configuration, store, core, listeners."""
