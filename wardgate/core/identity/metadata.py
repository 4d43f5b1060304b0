"""How large the metadata of somebody, or of what they log in with, may be: OpenBao's bounds."""

from wardgate.errors import InvalidRequest

MOST_PAIRS = 64
LONGEST_KEY = 128  # bytes
LONGEST_VALUE = 512  # bytes


def checked_metadata(metadata: dict[str, str], what: str) -> dict[str, str]:
    """Metadata within OpenBao's bounds. `what` it is of begins the message when it is not."""
    if len(metadata) > MOST_PAIRS:
        raise InvalidRequest(f"{what}: use at most {MOST_PAIRS} key/value pairs")
    for key, value in metadata.items():
        if not 0 < len(key.encode()) <= LONGEST_KEY:
            raise InvalidRequest(f"{what}: each key must have 1 to {LONGEST_KEY} bytes")
        if len(value.encode()) > LONGEST_VALUE:
            raise InvalidRequest(f"{what}: each value must have at most {LONGEST_VALUE} bytes")
    return metadata
