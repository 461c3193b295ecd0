"""A studio found wanting five minutes before is replaced by its neighbour, where the installation wants that."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Conference, Event, Light, Preflight, Reservation, Studio, db, write
from studios.booking.standing_in import stand_in_due
from tests import factories

MINUTE = timedelta(minutes=1)


@pytest.fixture
def wanted(app: Flask):
    settings = app.config["STUDIONETT"]
    object.__setattr__(settings, "stand_in", True)
    yield
    object.__setattr__(settings, "stand_in", False)


def a_studio(site, **changes) -> Studio:
    studio = factories.studio(site, **changes)
    factories.endpoint(studio)
    return studio


def a_conference(*studios: Studio) -> Conference:
    now = datetime.now(UTC)
    return factories.conference(*studios, start=now + 4 * MINUTE, end=now + 34 * MINUTE)


def looked_at(conference: Conference, studio: Studio, light: Light = Light.RED, minutes: int = 5) -> None:
    look = {"minutes": minutes, "light": light, "checks": {"camera": "failed"}, "checked_at": datetime.now(UTC)}
    write(lambda: db.session.add(Preflight(conference_id=conference.id, studio_id=studio.id, **look)))


def seated(conference: Conference) -> set[str]:
    db.session.rollback()
    query = sa.select(Studio.code).join(Reservation, Reservation.studio_id == Studio.id)
    held = query.where(Reservation.conference_id == conference.id, Reservation.released_at.is_(None))
    return set(db.session.scalars(held))


def test_the_neighbour_stands_in_once(wanted):
    site = factories.site()
    broken, neighbour, partner = a_studio(site), a_studio(site), a_studio(factories.site())
    conference = a_conference(broken, partner)
    looked_at(conference, broken)
    assert (stand_in_due(), stand_in_due()) == (1, 0)
    assert seated(conference) == {neighbour.code, partner.code}
    assert db.session.scalars(sa.select(Event.kind).where(Event.conference_id == conference.id)).all()


def test_only_a_neighbour_does(wanted):
    broken, partner = a_studio(factories.site()), a_studio(factories.site())
    a_studio(factories.site())
    conference = a_conference(broken, partner)
    looked_at(conference, broken)
    assert stand_in_due() == 0
    assert seated(conference) == {broken.code, partner.code}


@pytest.mark.parametrize(("light", "minutes"), [(Light.AMBER, 5), (Light.GREEN, 5), (Light.RED, 15)])
def test_what_is_uncertain_or_early_is_left_to_people(wanted, light, minutes):
    site = factories.site()
    broken, partner = a_studio(site), a_studio(factories.site())
    a_studio(site)
    conference = a_conference(broken, partner)
    looked_at(conference, broken, light, minutes)
    assert stand_in_due() == 0


def test_nothing_is_replaced_where_nobody_wants_that(app):
    site = factories.site()
    broken, partner = a_studio(site), a_studio(factories.site())
    a_studio(site)
    conference = a_conference(broken, partner)
    looked_at(conference, broken)
    assert stand_in_due() == 0
    assert broken.code in seated(conference)
