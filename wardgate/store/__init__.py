"""Storage engines: bytes in, bytes out."""
