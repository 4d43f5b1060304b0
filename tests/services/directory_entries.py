"""The people and groups of the directory in `tests.services.slapd`, and a schema for entries that look
like those of Active Directory.

ada and grace are people with groups; ada is in "Engineers", and Engineers is in "Staff" (nested).
"kim" has no group, "twin" is there twice, and "zoë, (x)*" has all characters that mean something in
filters or names. dan and eve have the attributes of Active Directory.
"""

import base64
import struct

BASE = "dc=example,dc=org"
DEEP = "dc=deep,dc=org"
MANAGER = "cn=manager"
SECRET = "manager-secret"
SERVICE = f"cn=reader,ou=services,{BASE}"
SERVICE_PASSWORD = "reader-secret"
PASSWORDS = {
    "ada": "lovelace",
    "grace": "hopper",
    "kim": "possible",
    "dan": "active-dan",
    "eve": "active-eve",
    "odd": "zoë's päss wörd ",
    "grp": "of-many",
}
ODD_NAME = 'zoë, (x)*+"<>;#='
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
AD = f"ou=ad,{BASE}"
AD_DOMAIN = "corp.example.org"

SCHEMA = """
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'sAMAccountName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'userPrincipalName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.903 NAME 'objectSid'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.904 NAME 'tokenGroups'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'adEntry' SUP top AUXILIARY
  MAY ( sAMAccountName $ userPrincipalName $ objectSid $ tokenGroups ) )
"""
SIDS = {"Domain Ops": (21, 1, 2, 3, 1101), "Auditors": (21, 1, 2, 3, 1102)}


def sid(*authorities: int) -> bytes:
    """A security identifier S-1-5-... as the attribute has it."""
    return struct.pack(
        f"<BB6s{len(authorities)}I", 1, len(authorities), b"\0\0\0\0\0\5", *authorities
    )


def sid_text(*authorities: int) -> str:
    """The same in words."""
    return "S-1-5-" + "-".join(map(str, authorities))


def entry(dn: str, *classes: str, **attributes: str | bytes | tuple[str | bytes, ...]) -> str:
    """An entry in LDIF; everything in base64, so that any character will do."""
    lines = [_line("dn", dn), *(_line("objectClass", each) for each in classes)]
    for name, values in attributes.items():
        for value in values if isinstance(values, tuple) else (values,):
            lines.append(_line(name, value))
    return "\n".join(lines) + "\n\n"


def person(
    uid: str, password: str, at: str = PEOPLE, **more: str | bytes | tuple[bytes, ...]
) -> str:
    """Somebody with a password."""
    return entry(
        f"uid={uid},{at}",
        *("inetOrgPerson", *(["adEntry"] if more else [])),
        uid=uid,
        cn=uid.title(),
        sn=uid,
        mail=f"{uid}@example.org",
        userPassword=password,
        **more,
    )


def group(name: str, *members: str, at: str = GROUPS) -> str:
    """A group of these DNs."""
    return entry(f"cn={name},{at}", "groupOfNames", cn=name, member=members)


def ldif() -> str:
    """All entries below `BASE`."""
    ada, grace = f"uid=ada,{PEOPLE}", f"uid=grace,{PEOPLE}"
    odd = f"uid={escaped(ODD_NAME)},{PEOPLE}"
    return "".join(
        [
            entry(BASE, "dcObject", "organization", dc="example", o="Example"),
            *(
                entry(f"ou={name},{BASE}", "organizationalUnit", ou=name)
                for name in ("people", "groups", "services", "ad", "hidden", "elsewhere", "posix")
            ),
            entry(
                SERVICE,
                *("organizationalRole", "simpleSecurityObject"),
                cn="reader",
                userPassword=SERVICE_PASSWORD,
            ),
            person("ada", PASSWORDS["ada"]),
            person("grace", PASSWORDS["grace"]),
            person("kim", PASSWORDS["kim"]),
            person("twin", "one"),
            person("twin", "two", at=f"ou=elsewhere,{BASE}"),
            entry(
                odd,
                "inetOrgPerson",
                uid=ODD_NAME,
                cn=("Odd",),
                sn="odd",
                userPassword=PASSWORDS["odd"],
            ),
            group("Engineers", ada, odd),
            group("Staff", f"cn=Engineers,{GROUPS}", grace),
            group("Night Shift", grace),
            entry(
                f"cn=wheel,ou=posix,{BASE}",
                "posixGroup",
                cn="wheel",
                gidNumber="10",
                memberUid="ada",
            ),
            entry(f"cn=Secret,ou=hidden,{BASE}", "groupOfNames", cn="Secret", member=(ada, grace)),
            *(
                entry(
                    f"cn={name},{AD}",
                    *("groupOfNames", "adEntry"),
                    cn=name,
                    member=f"cn=Dan,{AD}",
                    objectSid=sid(*of),
                )
                for name, of in SIDS.items()
            ),
            *(
                entry(
                    f"cn={name.title()},{AD}",
                    *("inetOrgPerson", "adEntry"),
                    cn=name.title(),
                    sn=name,
                    uid=name,
                    sAMAccountName=name,
                    userPrincipalName=f"{name}@{AD_DOMAIN}",
                    objectSid=sid(21, 1, 2, 3, number),
                    userPassword=PASSWORDS[name],
                    tokenGroups=tuple(sid(*of) for of in SIDS.values()),
                )
                for name, number in (("dan", 1001), ("eve", 1002))
            ),
        ]
    )


def deep_ldif() -> str:
    """All entries below `DEEP`: ada is in "squad", squad in "tribe", tribe in "company"."""
    people, groups = f"ou=people,{DEEP}", f"ou=groups,{DEEP}"
    return "".join(
        [
            entry(DEEP, "dcObject", "organization", dc="deep", o="Deep"),
            *(
                entry(f"ou={name},{DEEP}", "organizationalUnit", ou=name)
                for name in ("people", "groups")
            ),
            person("ada", PASSWORDS["ada"], at=people),
            group("squad", f"uid=ada,{people}", at=groups),
            group("tribe", f"cn=squad,{groups}", at=groups),
            group("company", f"cn=tribe,{groups}", at=groups),
        ]
    )


def escaped(value: str) -> str:
    """A value as it stands in a DN: every byte that is no letter or digit in hexadecimal digits."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\{byte:02x}"
        for byte in value.encode()
    )


def _line(name: str, value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(raw).decode()}"
