"""The endpoints under sys/, one file a topic."""
