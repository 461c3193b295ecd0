"""Requests of programs, with defaults, so that a test states only what matters."""

from datetime import timedelta
from typing import Any

from tests.studios.booking.pages import instant, tomorrow

TABLE = ({"studio": "TRO-1"}, {"studio": "BOD-1"})


def at(hour: int, days: int = 0) -> str:
    """That hour of the wall clock, tomorrow or so many days after it, as it is answered."""
    return instant(tomorrow() + timedelta(days=days), hour).isoformat().replace("+00:00", "Z")


def wish(*parties: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A conference of two trusts, tomorrow from nine to ten."""
    table = list(parties or TABLE)
    asked = {"title": "Lung meeting", "purpose": "clinical", "start": at(9), "end": at(10), "parties": table}
    return {**asked, **changes}


def booked(send: Any, *parties: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What is told of a conference that could be booked."""
    answer = send("POST", "/conferences", json=wish(*parties, **changes))
    assert answer.status_code == 201, answer.json
    told: dict[str, Any] = answer.json
    return told
