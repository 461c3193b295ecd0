"""How an open page tells what it has seen, so that it is sent only what is new."""

import zlib
from collections.abc import Callable

from flask import Response, request
from flask.typing import ResponseReturnValue


def mark_of(facts: object) -> str:
    """Another one as soon as anything of the facts is another."""
    return f"{zlib.crc32(repr(facts).encode()):x}"


def unless_seen(mark: str, page: Callable[[], str]) -> ResponseReturnValue:
    """The page, or nothing (204) for one that has seen the like already, as its address says."""
    return Response(status=204) if request.args.get("seen") == mark else page()
