"""The status page as a browser has it open, and the rows that it shows."""

import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import (
    Conference,
    ConferenceState,
    Endpoint,
    EndpointStatus,
    Health,
    Leg,
    LegState,
    Party,
    Studio,
    Wanted,
    Worker,
    database_now,
    db,
)
from tests import factories

ENGLISH = {"Accept-Language": "en"}
HTMX = {**ENGLISH, "HX-Request": "true"}


def live_address(text: str) -> str:
    """Where the page asks for what of it has changed."""
    return re.findall(r'data-live hx-get="(/status/[^"]*seen=[^"]*)"', text)[0].replace("&amp;", "&")


def keep(row: Any) -> Any:
    db.session.add(row)
    db.session.commit()
    return row


def watched(site: Any = None, *, health: Health = Health.OK, name: str | None = None, **changes: Any) -> Studio:
    """A studio that was polled just now; changed long ago, so that nothing of it is news."""
    studio = factories.studio(site, **({"name": name} if name else {}))
    endpoint = factories.endpoint(studio)
    now = database_now()
    long_ago = now - timedelta(hours=5)
    values = {"health": health, "last_poll_at": now, "changed_at": long_ago, "since": long_ago, **changes}
    db.session.execute(sa.update(EndpointStatus).where(EndpointStatus.endpoint_id == endpoint.id).values(values))
    db.session.commit()
    return studio


def turn(studio: Studio, **changes: Any) -> None:
    """The monitor stores something of a studio."""
    of_studio = sa.select(Endpoint.id).where(Endpoint.studio_id == studio.id).scalar_subquery()
    values = {"changed_at": database_now(), **changes}
    db.session.execute(sa.update(EndpointStatus).where(EndpointStatus.endpoint_id == of_studio).values(values))
    db.session.commit()


def falls(studio: Studio) -> None:
    turn(studio, health=Health.DOWN, cause="no-answer", since=database_now())


def conference(*studios: Studio, minutes: float, lasts: float = 60, **changes: Any) -> Conference:
    start = database_now() + timedelta(minutes=minutes)
    long_ago = start - timedelta(days=3)
    end = start + timedelta(minutes=lasts)
    return factories.conference(*studios, start=start, end=end, created_at=long_ago, **changes)


def call(*studios: Studio, connected: int = 9, **changes: Any) -> Conference:
    """A running conference whose first legs are connected, and have been for long."""
    row = conference(*studios, minutes=-20, **{"state": ConferenceState.RUNNING, **changes})
    for number, party in enumerate(db.session.scalars(sa.select(Party).filter_by(conference_id=row.id, host=False))):
        state = LegState.CONNECTED if number < connected else LegState.RINGING
        leg = Leg(conference_id=row.id, party_id=party.id, wanted=Wanted.UP, state=state, token=f"token {party.id}")
        leg.changed_at = database_now() - timedelta(minutes=19)
        keep(leg)
    return row


def a_monitor(seconds_ago: float = 1, **details: float) -> Worker:
    beat = database_now() - timedelta(seconds=seconds_ago)
    return keep(Worker(name="monitor-1", kind="monitor", started_at=beat, beat_at=beat, details=details))


def page(client: FlaskClient, **filters: Any) -> str:
    answer = client.get("/status", query_string=filters, headers=ENGLISH)
    assert answer.status_code == 200
    return answer.text


def tile(text: str, studio: Studio) -> str:
    """The state that a tile of the page shows in words."""
    found = re.search(rf'<a id="t{studio.id}"[^>]*aria-label="([^"]*)"', text)
    assert found, f"no tile of {studio.name}"
    return found[1].rpartition(": ")[2]


def next_address(text: str) -> str:
    found = re.search(r'<div id="live"[^>]*hx-get="([^"]*)"', text)
    assert found
    return found[1].replace("&amp;", "&")


class OpenPage:
    """A page that somebody has open, asking what changed as the browser would."""

    def __init__(self, client: FlaskClient, **filters: Any) -> None:
        self._client = client
        self.address = next_address(page(client, **filters))
        while self.ask().status_code == 200:  # what was set up a moment ago is told once
            pass

    def ask(self) -> TestResponse:
        answer = self._client.get(self.address, headers=HTMX)
        if answer.status_code == 200:
            self.address = next_address(answer.text)
        return answer

    def told(self) -> str:
        answer = self.ask()
        assert answer.status_code == 200, answer.status
        assert "HX-Refresh" not in answer.headers
        return answer.text


def is_quiet(answer: TestResponse) -> bool:
    return answer.status_code == 204 and "HX-Refresh" not in answer.headers
