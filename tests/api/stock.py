"""A database with something for every operation, so that requests beside all the made-up ones reach it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models import (
    Answer,
    Bridge,
    BridgeDriver,
    Closure,
    Conference,
    ConferenceState,
    Draft,
    Incident,
    Leg,
    LegState,
    Organisation,
    Purpose,
    RequestState,
    Reservation,
    ReservationKind,
    Role,
    RoleGrant,
    Series,
    Severity,
    Studio,
    Swap,
    WaitingRequest,
    Wanted,
    db,
)
from studios.booking.wishes import Booking, booking_to_json, studio_ids
from studios.booking.wishes import studios as these_studios
from tests import factories
from tests.api.conformance import Known

OSLO = ZoneInfo("Europe/Oslo")
HOUR = timedelta(hours=1)


class Stock:
    """Each conference at an hour of its own, so that none is in the way of another."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.hours = 24
        self.person = factories.account(role=Role.ADMINISTRATOR)
        _kept(RoleGrant(account_id=self.person.id, role=Role.EMERGENCY, granted_at=self.now))
        self.other: Organisation = factories.organisation("NLSH")
        self.unn: Organisation = factories.organisation("UNN", number="983974899")
        site = factories.site(self.unn, name="UNN Tromsø")
        self.studios: list[Studio] = [factories.studio(site, code=f"S-{number}") for number in range(1, 7)]
        for studio in self.studios:
            factories.endpoint(studio, f"127.60.0.{studio.id}")

    def at_next(self) -> datetime:
        self.hours += 2
        return self.now + self.hours * HOUR

    def planned(self, **changes: Any) -> Conference:
        values = {"organisation_id": self.unn.id, **changes}
        return factories.conference(*self.studios[:2], start=self.at_next(), **values)

    def running(self, *studios: Studio) -> Conference:
        return factories.conference(
            *studios, start=self.now, end=self.now + 2 * HOUR, state=ConferenceState.RUNNING, due_at=None
        )

    def called(self, state: LegState, **changes: Any) -> Conference:
        """Three studios of its own under way, the second and third with a call in this state."""
        site = factories.site(self.unn)
        conference = self.running(*(factories.studio(site) for _ in range(3)))
        for key, value in changes.items():
            setattr(conference, key, value)
        for party in conference.parties[1:]:
            token = f"{conference.reference}/{party.id}"
            call = {"wanted": Wanted.UP, "state": state, "token": token, "changed_at": self.now}
            _kept(Leg(conference_id=conference.id, party_id=party.id, **call))
        return conference

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

    def hit(self) -> tuple[dict[str, int], dict[str, Any]]:
        """A closure, and a conference of its own that it hits, for another studio."""
        conference = self.planned()
        times = {"starts_at": conference.starts_at, "ends_at": conference.ends_at}
        closure = _kept(Closure(studio_id=self.studios[0].id, reason="Painting", **times))
        moved = {"reference": conference.reference, "version": conference.version, "party": 1, "studio": "S-4"}
        return {"number": closure.id}, {"moves": [moved]}

    def draft(self, content: dict[str, Any]) -> Draft:
        return _kept(Draft(account_id=self.person.id, content=content, saved_at=self.now))

    def of_series(self) -> Conference:
        """The only meeting of a series."""
        row = self.planned()
        wall = row.starts_at.astimezone(OSLO)
        day_and_time = {"first_day": wall.date(), "start_time": wall.time(), "minutes": 60, "zone": OSLO.key}
        series = _kept(
            Series(organisation_id=self.unn.id, rule="FREQ=WEEKLY;COUNT=1", created_at=self.now, **day_and_time)
        )
        row.series_id, row.recurs_at = series.id, row.starts_at
        return row

    def offered(self) -> WaitingRequest:
        """A request to which two studios are offered, and held."""
        booking, until = self.booking(self.at_next()), self.now + 20 * HOUR
        start, end = booking.start, booking.end
        offer = {"offered_start": start, "offered_end": end, "offer_expires_at": until, "state": RequestState.OFFERED}
        values = {"organisation_id": self.unn.id, "account_id": self.person.id, "booking": booking_to_json(booking)}
        request = _kept(WaitingRequest(earliest=start, latest=end, created_at=self.now, **values, **offer))
        for key in studio_ids(booking.parties):
            held = {"studio_id": key, "waiting_request_id": request.id, "kind": ReservationKind.HOLD}
            _kept(Reservation(starts_at=start, ends_at=end, expires_at=until, **held))
        return request

    def movable(self) -> Conference:
        return self.planned(organisation_id=self.other.id, movable=True)

    def swap(self) -> Swap:
        """UNN asks another organisation for its time."""
        theirs, later = self.movable(), self.at_next()
        proposed = {"proposed_start": later, "proposed_end": later + HOUR}
        proposed["proposed_studios"] = [studio.id for studio in self.studios[:2]]
        asker = {"organisation_id": self.unn.id, "asked_by_id": self.person.id, "reason": "The surgeon"}
        booking = booking_to_json(self.booking(theirs.starts_at))
        times = {"created_at": self.now, "expires_at": self.now + 20 * HOUR}
        of = {"conference_id": theirs.id, "conference_version": theirs.version}
        return _kept(Swap(booking=booking, state=RequestState.WAITING, **of, **asker, **proposed, **times))

    def incident(self, **changes: Any) -> int:
        """Of a studio that is well again."""
        studio = factories.studio(self.studios[0].site)
        fault = {"cause": "no-answer", "severity": Severity.CRITICAL, "opened_at": self.now}
        key: int = _kept(Incident(studio_id=studio.id, **fault, **changes)).id
        return key

    def bridge(self) -> int:
        """One that is left, for another that has the ports."""
        row = Bridge(name="West", driver=BridgeDriver.PEXIP, address="https://bridge", ports=3)
        key: int = _kept(row).id
        return key

    def booking(self, start: datetime) -> Booking:
        parties = these_studios(studio.id for studio in self.studios[:2])
        return Booking("Lung meeting", Purpose.CLINICAL, self.unn.id, start, start + HOUR, parties)

    def wish(self) -> dict[str, Any]:
        start = self.at_next()
        return {"title": "Lung meeting", "purpose": "clinical", "parties": TABLE, **_span(start, start + HOUR)}


TABLE = [{"studio": "S-1"}, {"any_of": {"site": "UNN Tromsø"}}, {"guest": "sip:anne@example.org"}]


def stocked() -> tuple[dict[str, str], dict[str, Known]]:
    """Fill the database. Returns the header of an administrator's program, and what leads somewhere."""
    stock = Stock()
    db.session.add(Bridge(name="North", driver=BridgeDriver.PEXIP, address="https://bridge", ports=40))
    known = {**_for_conferences(stock), **_for_running(stock), **_for_the_rest(stock)}
    known |= _for_incidents(stock)
    known |= {**_for_series(stock), **_for_who_waits(stock), **_for_swaps(stock), **_for_caretakers(stock)}
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
        "conferences_under_way.extend": _of(stock.running(*stock.studios[:2]), {"minutes": 15}),
        "conferences_under_way.release": _of(stock.running(*stock.studios[2:5]), number=2),
        "conferences_under_way.join": _of(stock.called(LegState.CONNECTED), {"guest": "sip:anne@example.org"}),
        "conferences_under_way.replacements": _of(stock.planned(), number=2),
        "conferences_under_way.replace": _of(stock.planned(), {"studio": "S-3"}, number=2),
        "conferences_under_way.call": _of(stock.called(LegState.FAILED), number=2),
        "conferences_under_way.hang_up": _of(stock.called(LegState.CONNECTED), number=2),
        "conferences_under_way.reroute": _of(stock.called(LegState.FAILED, bridge_id=stock.bridge(), ports=3)),
    }


def _for_the_rest(stock: Stock) -> dict[str, Known]:
    window = _span(stock.now, stock.now + 72 * HOUR)
    return {
        "times.find": Known(body={"duration_minutes": 60, "parties": TABLE, **window}),
        "availability.availability": Known({"studio": ["S-1"]}),
        "studios.one": Known({"code": "S-1"}),
        "closures.take_out": Known(body={"studio": "S-6", "reason": "Painting", **window}),
        "closures.one": Known({"number": stock.closure().id}),
        "closures.proposed": Known({"number": stock.closure().id}),
        "closures.move": Known(*stock.hit()),
        "closures.put_back": Known({"number": stock.closure().id}),
        "drafts.one": Known({"number": stock.draft({"title": "Lung meeting"}).id}),
        "drafts.write_anew": Known({"number": stock.draft({}).id}, {"title": "Lung meeting"}),
        "drafts.throw_away": Known({"number": stock.draft({}).id}),
        "drafts.book": Known({"number": stock.draft(stock.wish()).id}),
    }


def _for_incidents(stock: Stock) -> dict[str, Known]:
    return {
        "monitoring_status.poll": Known({"code": "S-1"}),
        "incidents.one": Known({"number": stock.incident()}),
        "incidents.acknowledge": Known({"number": stock.incident()}),
        "incidents.assign": Known({"number": stock.incident()}, {"account": stock.person.email}),
        "incidents.note": Known({"number": stock.incident()}, {"text": "No power."}),
        "incidents.resolve": Known({"number": stock.incident()}),
        "incidents.reopen": Known({"number": stock.incident(resolved_at=stock.now)}),
    }


def _for_series(stock: Stock) -> dict[str, Known]:
    body = {**stock.wish(), "rule": "FREQ=WEEKLY;COUNT=2"}
    words = {"scope": "all", "title": "Heart meeting"}
    return {
        "series.look_ahead": Known(body=body),
        "series.book": Known(body=body),
        "series.one": Known({"number": stock.of_series().series_id}),
        "series_edits.look_ahead": _of(stock.of_series(), words),
        "series_edits.change": _of(stock.of_series(), words),
        "series_edits.cancel": _of(stock.of_series(), scope="all"),
    }


def _for_who_waits(stock: Stock) -> dict[str, Known]:
    body = {"title": "Lung meeting", "purpose": "clinical", "parties": TABLE, "duration_minutes": 60}
    window = {"earliest": _text(stock.now + 24 * HOUR), "latest": _text(stock.now + 72 * HOUR)}
    return {
        "emergencies.book": Known(body={**stock.wish(), "reason": "Stroke"}),
        "waiting.ask": Known(body={**body, **window}),
        "waiting.one": Known({"number": stock.offered().id}),
        "waiting.accept": Known({"number": stock.offered().id}),
        "waiting.decline": Known({"number": stock.offered().id}, {"wait_on": True}),
        "waiting.withdraw": Known({"number": stock.offered().id}),
    }


def _for_swaps(stock: Stock) -> dict[str, Known]:
    other = stock.movable()
    table = {"parties": [*TABLE[:1], {"studio": "S-3"}], "organisation": "UNN"}
    booking = {**stock.wish(), **table, **_span(other.starts_at, other.ends_at)}
    return {
        "swaps.ask": Known(body={"conference": other.reference, "reason": "The surgeon", "booking": booking}),
        "swaps.one": Known({"number": stock.swap().id}),
        "swaps.accept": Known({"number": stock.swap().id}),
        "swaps.decline": Known({"number": stock.swap().id}, {"reason": "Painting"}),
        "swaps.withdraw": Known({"number": stock.swap().id}),
    }


def _for_caretakers(stock: Stock) -> dict[str, Known]:
    """Bridges of their own, lest nobody has ports any longer."""
    for name in ("East", "South"):
        _kept(Bridge(name=name, driver=BridgeDriver.PEXIP, address="https://bridge", ports=0))
    return {
        "terms.change": Known({"code": "S-6"}, {"setup_minutes": 5}),
        "bridges.one": Known({"name": "East"}),
        "bridges.put": Known({"name": "East"}, {"address": "https://bridge", "ports": 0}),
        "bridges.retire": Known({"name": "South"}),
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
