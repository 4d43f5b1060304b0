"""Warnings that come with an answer."""

from tests.conformance.wordings.wording import Wording

_ISSUER_SET = (
    'With "issuer" set, all tokens are checked against this address. Set it to "" to go back to the'
    " server's api_addr."
)

WARNINGS = [
    Wording(
        r"no seal/entropy augmentation available, using platform entropy source",
        "the seal has no random numbers of its own: these are the operating system's",
    ),
    Wording(
        r"Deprecated API endpoint, cannot (?:read|deregister) plugin .*",
        "Deprecated path: it names no type of plugin; use plugins/catalog/{{type}}/{{name}}",
    ),
    Wording(r'If "issuer" is set explicitly, .*', _ISSUER_SET),
    Wording(
        r"Non-listing operations on the root of a K/V v2 mount are not supported\.",
        "The path 'data' needs the name of a secret behind it.",
    ),
    Wording(
        r"Non-listing operations on the root of a K/V v2 mount are not supported\.",
        "The path 'metadata' needs the name of a secret behind it.",
    ),
    Wording(
        r"Invalid path for a versioned K/V secrets engine\. .* use 'bao kv (?P<command>\w+)' .*",
        "Invalid path for a versioned K/V secrets engine: secrets are below 'data/', lists below"
        " 'metadata/'. On the command line, 'kv {command}' finds the right path.",
    ),
]
