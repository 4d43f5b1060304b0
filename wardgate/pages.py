"""The few pages that people see in a browser while they log in: one message each, plain HTML.

Everything that is put into a page is escaped. A page has no scripts, loads nothing, cannot be framed
and is not kept, and `HEADERS` hold the browser to that. Colours follow the reader's light or dark
mode, with a contrast of at least 7 to 1 (WCAG 2.2, level AAA).
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape

_STYLE = """\
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--edge:#1b1f24}
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#f2f4f6;--edge:#f2f4f6}}
body{background:var(--back);color:var(--text);font:1.125rem/1.5 system-ui,sans-serif;margin:0}
main{box-sizing:border-box;margin:0 auto;max-width:40rem;overflow-wrap:anywhere;padding:10vh 1.5rem}
h1{font-size:1.75rem;line-height:1.25}
dt{font-weight:600}dd{margin:0 0 .75rem}
button{background:var(--text);border:2px solid var(--edge);border-radius:.375rem;color:var(--back);\
cursor:pointer;font:inherit;font-weight:600;padding:.625rem 1.25rem}
button:focus-visible{outline:3px solid var(--edge);outline-offset:3px}"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_TYPE = "text/html; charset=utf-8"
HEADERS = (
    (
        "content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'",
    ),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)
"""What goes with each page. The address of one has the code of a login in it: so no referrer."""


def page(
    title: str,
    *paragraphs: str,
    facts: Sequence[tuple[str, str]] = (),
    button: str = "",
    hidden: Mapping[str, str] | None = None,
    failed: bool = False,
    posted: bool = False,
) -> bytes:
    """A page that says `title` and `paragraphs`, all of it text, then names and values as `facts`.

    With `button` it ends with a form which asks for the same path with what is `hidden` as query or,
    where that is to be `posted`, as body.
    `failed` has a screen reader say it at once.
    """
    role = ' role="alert"' if failed else ""
    parts = [f"<div{role}><h1>{escape(title)}</h1>"]
    parts += [f"<p>{escape(text)}</p>" for text in paragraphs if text]
    parts.append("</div>")
    if facts:
        rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
        parts.append(f"<dl>{rows}</dl>")
    if button:
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in (hidden or {}).items()
        )
        method = ' method="post"' if posted else ""
        parts.append(f"<form{method}>{fields}<button>{escape(button)}</button></form>")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(parts)}\n</main>\n</body>\n</html>\n"
    ).encode()
