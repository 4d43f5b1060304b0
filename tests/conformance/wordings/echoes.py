"""Messages in which OpenBao repeats what was sent.

The part called `kept`, the name of a field, is in ours too; the part called `sent` is not.
"""

import re

ECHOING = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'(?:Field validation failed: )?error converting input for field "(?P<kept>\w+)": .*',
        r'(?:.*: )?time: .* duration "(?P<sent>.*)"',
        r'(?:.*: )?error parsing address "(?P<sent>.*?)": .*',
        r"failed to decode JSON input: .*",
        r"invalid (?P<kept>entity metadata|group metadata): .*",
        r'invalid (?P<kept>mount accessor) "(?P<sent>.*)"',
        r'invalid (?P<kept>group type) "(?P<sent>.*)"',
        r'(?P<kept>cyclic relationship) detected for member group ID "(?P<sent>.*)"',
        r'invalid entity ID "(?P<sent>.*)"',
        r'invalid member group ID "(?P<sent>.*)"',
        r'member group ID "(?P<sent>.*)" is same as the ID of the group',
        r"conflicting mount accessors in following alias IDs and neither were present in"
        r" (?P<kept>conflicting_alias_ids_to_keep): .*",
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
        r"invalid (?P<kept>level) provided: unknown log level: (?P<sent>.*)",
        r'(?P<kept>logger) "(?P<sent>.*)" not found',
        r'token policy "(?P<sent>.*)" is disallowed by this role',
        r"unknown role (?P<sent>.*)",
        r"error parsing (?P<kept>template)( JSON)?: .*",
        r'unknown audit backend "(?P<sent>.*)"',
        r'unknown backend (?P<kept>type): "(?P<sent>.*)"',
        r'unknown (?P<kept>format) type "(?P<sent>.*)"',
        r'strconv\.Parse(?:Bool|Uint): parsing "(?P<sent>.*)": .*',
        r'sanity check failed; unable to open "(?P<sent>.*)" for writing: .*',
        r"invalid syslog (?P<kept>facility): (?P<sent>.*)",
        r"preflight capability check returned 403, .* path \"(?P<sent>.*)\"",
    )
]
