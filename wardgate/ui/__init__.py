"""The web page below ``/ui/``: people log in with it, by every method that is enabled.

`static/` has the page itself: plain HTML, CSS and ES modules, sent as they lie there. It speaks to
``/v1/`` as any other client does, so what is here in Python only gives out files. `docs/ui.md` says
what the page promises.
"""

from wardgate.ui.web import VIEWS, WebPage

__all__ = ["VIEWS", "WebPage"]
