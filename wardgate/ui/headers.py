"""What goes with every answer below ``/ui/``, and holds the browser to what the page promises."""

Headers = list[tuple[str, str]]

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "form-action 'none'",  # forms are sent by scripts alone, so no password gets into an address
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",  # no text ever becomes HTML
    "trusted-types 'none'",
)
_FEATURES = (
    "publickey-credentials-get=(self)",
    "publickey-credentials-create=(self)",
    "clipboard-write=(self)",
    *(
        f"{name}=()"
        for name in (
            "camera", "clipboard-read", "display-capture", "geolocation", "microphone", "payment",
            "usb",
        )
    ),
)  # fmt: skip

STANDARD: Headers = [
    ("content-security-policy", "; ".join(_POLICY)),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", ", ".join(_FEATURES)),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
]
"""An operator's header of the same name takes the place of one of these (``sys/config/ui/headers``).
"""


_OF_THE_ANSWER = frozenset(
    {
        "cache-control", "connection", "content-encoding", "content-length", "content-type", "date",
        "etag", "expires", "location", "pragma", "set-cookie", "trailer", "transfer-encoding",
        "upgrade",
    }
)  # fmt: skip
"""What describes one answer cannot be set for all: how long it may be kept, neither, or a document of
somebody who has left could be gone back to. The page has no cookies."""


def with_custom(headers: Headers, custom: Headers) -> Headers:
    """`headers` less those that `custom` has too, then `custom`."""
    custom = [pair for pair in custom if pair[0] not in _OF_THE_ANSWER]
    named = {name for name, _ in custom}
    return [*(pair for pair in headers if pair[0] not in named), *custom]
