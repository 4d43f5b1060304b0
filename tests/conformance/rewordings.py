"""Differences in messages that are the same everywhere, and so are not noted at each step.

Only the wording is excused: the status, the number of messages and everything else must be equal.
Four entries of docs/compatibility.md are applied here, in this order (the comparison itself knows a
fifth, `commit-date`):

- `error-framing`: OpenBao's frame around a single error is taken off.
- `error-no-echo`: the part of OpenBao's message called `kept` (the name of a field) must be in ours,
  and the part called `sent` (what the client had sent) must not.
- `error-wording` and `warning-wording`: a line of the tables below gives OpenBao's whole message as a
  regular expression and ours as it stands, with the named groups of theirs filled in. No message of
  theirs is an empty text.
"""

import re
from dataclasses import dataclass, field

FRAMING = "error-framing"
NO_ECHO = "error-no-echo"
ERROR_WORDING = "error-wording"
WARNING_WORDING = "warning-wording"
COMMIT_DATE = "commit-date"
EVERYWHERE = frozenset({FRAMING, NO_ECHO, ERROR_WORDING, WARNING_WORDING, COMMIT_DATE})
MIN_TELLING_LENGTH = 3  # a shorter value is part of ordinary words

_FRAMED = re.compile(r"1 error occurred:\n\t\* (?P<message>.*)\n\n", re.DOTALL)
_ECHOING = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'(?:Field validation failed: )?error converting input for field "(?P<kept>\w+)": .*',
        r'(?:.*: )?time: .* duration "(?P<sent>.*)"',
        r'(?:.*: )?error parsing address "(?P<sent>.*?)": .*',
        r"failed to decode JSON input: .*",
        r"refused JSON input due to high complexity: .*",
        r"failed to parse policy: .*",
        r"invalid password (?P<kept>policy): .*",
        r"unable to retrieve stored keys: .*",
        r"(?P<kept>custom_metadata) validation failed: .*",
        r"json: cannot unmarshal .*(?P<kept>custom_metadata).*",
        r'no handler for route "(?P<sent>.*)"\. route entry not found\.',
        r'invalid \'(?P<kept>token_type)\' value "(?P<sent>.*)"',
        r"invalid (?P<kept>listing_visibility) (?P<sent>.*)",
        r"plugin not found in the catalog: (?P<sent>.*)",
        r"token (?P<kept>policies) \(.*\) must be subset of .*",
        r'token policy "(?P<sent>.*)" is disallowed by this role',
        r"unknown role (?P<sent>.*)",
        r"preflight capability check returned 403, .* path \"(?P<sent>.*)\"",
    )
]


@dataclass(frozen=True, slots=True)
class Wording:
    """A line of a table: OpenBao's message, and ours for the same."""

    theirs: str
    ours: str

    def fits(self, ours: str, theirs: str) -> bool:
        """Whether these two messages are those of this line."""
        match = re.fullmatch(self.theirs, theirs, re.DOTALL)
        return match is not None and self.ours.format(**match.groupdict()) == ours


_MERGE_PATCH = "PATCH requests must have Content-Type: application/merge-patch+json"
_ODD_PATH = (
    "the path must not contain '.' or '..' segments, empty segments, backslashes or control"
    " characters"
)
_NAMES = (
    "path: must be printable names separated by single slashes, not ending in one, of at most 435"
    " bytes together"
)
_NO_DATA = "data: missing; the secret must be given as an object in this field"
_NO_VERSIONS = "versions: missing; give the numbers of one or more versions"
_MOUNT_TOKEN_TYPES = "token_type: use one of default-service, default-batch, service, batch"
_PATH_SUFFIX = (
    "path_suffix: use letters, digits, '_', '-' and '.', at least three of them, and neither '-' nor"
    " '.' at either end"
)
_NEVER_BATCH = "'token_type' cannot be 'batch' or 'default-batch' when tokens "
_DEFAULT_TTL = "default_lease_ttl: cannot be greater than the effective max_lease_ttl of "
_NOT_NEGATIVE = (
    'Field validation failed: error converting input for field "{field}": expected a duration such'
    " as 90, '90s' or '1h30m', not negative"
)
_CAS = 'Field validation failed: error converting input for field "cas": expected a whole number'

ERRORS = [
    # the request itself
    Wording(r"", "unsupported operation"),
    Wording(r"", "list: expected true or false in the query"),
    Wording(r"", "status codes are whole numbers from 200 to 999"),
    Wording(
        r"error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative",
        "X-Vault-Wrap-TTL: expected a duration such as '90s' or '5m'",
    ),
    Wording(r"relative paths not supported", _ODD_PATH),
    Wording(r"mime: no media type", _MERGE_PATCH),
    Wording(r"PATCH requires Content-Type of .*, provided .*", _MERGE_PATCH),
    # keys and values
    Wording(r"missing path", _NAMES),
    Wording(r"no data provided", _NO_DATA),
    Wording(r"[Nn]o version number provided", _NO_VERSIONS),
    Wording(r"error parsing check-and-set parameter", _CAS),
    Wording(
        r"cubbyhole operations are only supported by 'service' type tokens",
        "only service tokens have a cubbyhole; this is a batch token",
    ),
    # mounts
    Wording(r'nil backend of type "kv" returned from factory', "options.version: must be 1 or 2"),
    Wording(
        r"cannot downgrade mount from version 2",
        "options.version: a mount cannot go back from version 2 to 1",
    ),
    Wording(
        r"given default lease TTL greater than given max lease TTL", f"{_DEFAULT_TTL}3600 seconds"
    ),
    Wording(
        r"backend max lease TTL of (?P<most>\d+) would be less than backend default lease TTL .*",
        f"{_DEFAULT_TTL}{{most}} seconds",
    ),
    Wording(
        r'tune of path "(?P<path>.*)" failed: no mount entry found',
        "No secret engine mount at {path}",
    ),
    Wording(r'cannot fetch sysview for path "(?P<path>.*)"', "No secret engine mount at {path}"),
    Wording(r"invalid value for 'token_type'", _MOUNT_TOKEN_TYPES),
    Wording(
        r"token credential backend cannot be instantiated",
        'mount type of "token" is not mountable',
    ),
    Wording(r"invalid version provided: .*", "options.version: must be 1 or 2"),
    Wording(r"unable to parse options: .*", "options.version: must be 1 or 2"),
    # password policies
    Wording(
        r"passwords must be between 4 and 100 characters", "policy: length must be from 4 to 100"
    ),
    # tokens, roles and users
    Wording(r"no token found", "token: must be given"),
    Wording(r"invalid token", "bad token"),
    Wording(r"(?P<field>ttl|explicit_max_ttl|period) must be positive", _NOT_NEGATIVE),
    Wording(r"given role path suffix contains invalid characters; must match .*", _PATH_SUFFIX),
    Wording(r"error parsing role fields: (?P<message>.*)", "{message}"),
    Wording(
        r"'token_type' .* when set to generate tokens with limited use count",
        f"{_NEVER_BATCH}have a limited number of uses ('token_num_uses')",
    ),
    Wording(
        r"'token_type' .* when set to generate periodic tokens",
        f"{_NEVER_BATCH}are periodic ('token_period')",
    ),
    Wording(r"failed to renew entry: (?P<message>.*)", "{message}"),
    Wording(r"bcrypt: password length exceeds 72 bytes", "password: at most 72 bytes"),
    # the seal
    Wording(
        r"'key' must be a valid hex or base64 string",
        "invalid key: key is shorter than minimum 16 bytes",
    ),
]

WARNINGS = [
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


@dataclass(frozen=True, slots=True)
class Rewordings:
    """Which entries and lines were needed so far, so that one which is not any more is noticed."""

    used: set[str] = field(default_factory=set)
    used_lines: set[Wording] = field(default_factory=set)

    def accept(self, ours: str, theirs: str) -> bool:
        """Whether two different errors differ only as the page says."""
        framed = _FRAMED.fullmatch(theirs)
        message = framed["message"] if framed else theirs
        needed = {FRAMING} if framed else set()
        if ours != message:
            if any(_says_the_same(pattern, ours, message) for pattern in _ECHOING):
                needed.add(NO_ECHO)
            elif self._is_worded(ERRORS, ours, message):
                needed.add(ERROR_WORDING)
            else:
                return False
        self.used.update(needed)
        return True

    def accept_warning(self, ours: str, theirs: str) -> bool:
        """Whether two different warnings differ only as the page says."""
        if not self._is_worded(WARNINGS, ours, theirs):
            return False
        self.used.add(WARNING_WORDING)
        return True

    def unused(self) -> list[str]:
        """The entries and lines that nothing needed."""
        entries = EVERYWHERE - self.used
        lines = [line for line in (*ERRORS, *WARNINGS) if line not in self.used_lines]
        return [*sorted(entries), *(f"{line.theirs} -> {line.ours}" for line in lines)]

    def _is_worded(self, table: list[Wording], ours: str, theirs: str) -> bool:
        fitting = [line for line in table if line.fits(ours, theirs)]
        self.used_lines.update(fitting)
        return bool(fitting)


def _says_the_same(pattern: re.Pattern[str], ours: str, theirs: str) -> bool:
    match = pattern.fullmatch(theirs)
    if match is None or not ours:
        return False
    groups = match.groupdict()
    kept, sent = groups.get("kept") or "", groups.get("sent") or ""
    return kept in ours and (len(sent) < MIN_TELLING_LENGTH or sent not in ours)
