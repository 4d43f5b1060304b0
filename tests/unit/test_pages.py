"""The pages that people see while they log in."""

import base64
import hashlib
import re

from wardgate.pages import HEADERS, page


def test_everything_in_a_page_is_escaped() -> None:
    odd = "<i>&\"'"
    text = page(odd, odd, facts=((odd, odd),), button=odd, hidden={odd: odd}, failed=True).decode()
    body = text.partition("</head>")[2]
    assert "<i>" not in text
    assert body.count("&lt;i&gt;&amp;&quot;&#x27;") == 7


def test_the_style_is_the_one_that_the_policy_allows_and_nothing_else_is() -> None:
    (style,) = re.findall("<style>(.*?)</style>", page("a").decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(HEADERS)["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "http" not in policy


def test_screen_readers_are_told_the_language_and_of_failures() -> None:
    assert '<html lang="en">' in page("a").decode()
    assert 'role="alert"' not in page("a").decode()
    assert 'role="alert"' in page("a", failed=True).decode()
