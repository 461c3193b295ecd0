"""Pages that reload themselves where a browser runs no script, because their reader has chosen so.

WCAG 2.2 (success criterion 2.2.1) asks that this can be switched off: it is a part of the address, and off by default.
"""

from urllib.parse import urlencode

from flask import request

CHOICE = "reload"
EVERY_MINUTE = "minute"


def reloads() -> bool:
    """Whether the page asked for reloads itself: that is no sign of life of the person before it."""
    return request.args.get(CHOICE) == EVERY_MINUTE


def reload_address(by_itself: bool) -> str:
    """The page's own address, with the choice or without it."""
    kept = [(key, value) for key, value in request.args.items(multi=True) if key != CHOICE]
    chosen = [(CHOICE, EVERY_MINUTE)] if by_itself else []
    query = urlencode([*kept, *chosen])
    return f"{request.path}?{query}" if query else request.path
