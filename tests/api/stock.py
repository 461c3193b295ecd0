"""A database with something for every operation, so that requests beside all the made-up ones reach it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    Answer,
    Bridge,
    BridgeDriver,
    Closure,
    Conference,
    ConferenceState,
    Draft,
    Organisation,
    Role,
    Studio,
    db,
)
from tests import factories
from tests.api.conformance import Known

HOUR = timedelta(hours=1)


class Stock:
    """Each conference at an hour of its own, so that none is in the way of another."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.hours = 24
        self.person = factories.account(role=Role.ADMINISTRATOR)
        self.unn: Organisation = factories.organisation("UNN", number="983974899")
        site = factories.site(self.unn, name="UNN Tromsø")
        self.studios: list[Studio] = [factories.studio(site, code=f"S-{number}") for number in range(1, 7)]
        for studio in self.studios:
            factories.endpoint(studio, f"127.60.0.{studio.id}")

    def at_next(self) -> datetime:
        self.hours += 2
        return self.now + self.hours * HOUR

    def planned(self, **changes: Any) -> Conference:
        return factories.conference(*self.studios[:2], start=self.at_next(), organisation_id=self.unn.id, **changes)

    def running(self, *studios: Studio) -> Conference:
        return factories.conference(
            *studios, start=self.now, end=self.now + 2 * HOUR, state=ConferenceState.RUNNING, due_at=None
        )

    def asked(self) -> Conference:
        conference = self.planned()
        conference.parties[1].answer = Answer.WAITING
        return conference

    def cancelled(self) -> Conference:
        conference = self.planned(state=ConferenceState.CANCELLED)
        for reservation in conference.reservations:
            reservation.released_at = self.now
        return conference

    def closure(self) -> Closure:
        start = self.at_next()
        return _kept(Closure(studio_id=self.studios[5].id, starts_at=start, ends_at=start + HOUR, reason="Painting"))

    def draft(self, content: dict[str, Any]) -> Draft:
        return _kept(Draft(account_id=self.person.id, content=content, saved_at=self.now))

    def wish(self) -> dict[str, Any]:
        start = self.at_next()
        return {"title": "Lung meeting", "purpose": "clinical", "parties": TABLE, **_span(start, start + HOUR)}


TABLE = [{"studio": "S-1"}, {"any_of": {"site": "UNN Tromsø"}}, {"guest": "sip:anne@example.org"}]


def stocked() -> tuple[dict[str, str], dict[str, Known]]:
    """Fill the database. Returns the header of an administrator's program, and what leads somewhere."""
    stock = Stock()
    db.session.add(Bridge(name="North", driver=BridgeDriver.PEXIP, address="https://bridge", ports=40))
    known = {**_for_conferences(stock), **_for_running(stock), **_for_the_rest(stock)}
    db.session.commit()
    return factories.token(stock.person), known


def _for_conferences(stock: Stock) -> dict[str, Known]:
    return {
        "conferences.book": Known(body=stock.wish()),
        "conferences.one": _of(stock.planned()),
        "conferences.change": _of(stock.planned(), body={"title": "Heart meeting"}),
        "conferences.cancel": _of(stock.planned()),
        "conference_actions.restore": _of(stock.cancelled()),
        "conference_actions.copy": _of(stock.planned(), body={"start": _text(stock.at_next())}),
        "conference_actions.events": _of(stock.planned()),
        "conference_actions.accept": _of(stock.asked(), number=2),
        "conference_actions.decline": _of(stock.asked(), {"reason": "Painting"}, number=2),
    }


def _for_running(stock: Stock) -> dict[str, Known]:
    return {
        "conference_actions.extend": _of(stock.running(*stock.studios[:2]), {"minutes": 15}),
        "conference_actions.release": _of(stock.running(*stock.studios[2:5]), number=2),
    }


def _for_the_rest(stock: Stock) -> dict[str, Known]:
    window = _span(stock.now, stock.now + 72 * HOUR)
    return {
        "times.find": Known(body={"duration_minutes": 60, "parties": TABLE, **window}),
        "availability.availability": Known({"studio": ["S-1"]}),
        "studios.one": Known({"code": "S-1"}),
        "closures.take_out": Known(body={"studio": "S-6", "reason": "Painting", **window}),
        "closures.one": Known({"number": stock.closure().id}),
        "closures.put_back": Known({"number": stock.closure().id}),
        "drafts.one": Known({"number": stock.draft({"title": "Lung meeting"}).id}),
        "drafts.write_anew": Known({"number": stock.draft({}).id}, {"title": "Lung meeting"}),
        "drafts.throw_away": Known({"number": stock.draft({}).id}),
        "drafts.book": Known({"number": stock.draft(stock.wish()).id}),
    }


def _of(conference: Conference, body: Any = None, **parameters: Any) -> Known:
    return Known({"reference": conference.reference, **parameters}, body)


def _span(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": _text(start), "end": _text(end)}


def _text(instant: datetime) -> str:
    return instant.isoformat()


def _kept(row: Any) -> Any:
    db.session.add(row)
    db.session.commit()
    return row
