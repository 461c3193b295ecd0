"""Mail about conferences: who is told what, once, and never of what was undone; read by an independent parser."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
import vobject
from flask import Flask

from messages.sending import send_due
from models import Conference, Message, Purpose, db, write
from studios.booking import conferences as writes
from studios.booking.answers import decline
from studios.booking.invitations import tell_due
from studios.booking.reminders import remind_due
from studios.booking.series.previews import SeriesRequest
from studios.booking.series.recurrence import Recurrence
from studios.booking.series.saving import book_series
from studios.booking.undoing import undo
from studios.booking.versions import AT_ONCE, UNDO_WITHIN
from studios.booking.wishes import Booking, StudioWish
from tests.messages.smtp import Post, post
from tests.studios.booking.pages import Network, instant, tomorrow

LATER = UNDO_WITHIN + timedelta(seconds=10)


@pytest.fixture
def server(app: Flask) -> Iterator[Post]:
    with post() as found:
        app.config["STUDIONETT"] = replace(app.config["STUDIONETT"], **found.settings)
        yield found


def asked(network: Network, hour: int = 9, **changes: Any) -> Booking:
    start = instant(tomorrow(), hour)
    wishes = (StudioWish(network.tromso_1.id), StudioWish(network.bodo_1.id))
    made = Booking("Lung meeting", Purpose.CLINICAL, network.unn.id, start, start + timedelta(hours=1), wishes)
    return replace(made, **changes)


def booked(network: Network, **changes: Any) -> Conference:
    key = write(lambda: writes.book(asked(network, **changes), network.coordinator).id)
    return db.session.get_one(Conference, key)


def told(after: timedelta = LATER) -> list[Message]:
    """The mails asked for by what was done until now, once it can be undone no longer."""
    before = set(db.session.scalars(db.select(Message.id).where(Message.key.like("invitation/%"))))
    with time_machine.travel(datetime.now(UTC) + after, tick=True):
        tell_due()
    query = db.select(Message).where(Message.key.like("invitation/%")).order_by(Message.id)
    return [row for row in db.session.scalars(query) if row.id not in before]


def entry(message: Message) -> Any:
    [attached] = message.attachments
    return vobject.readOne(attached["content"])


def now_stored(conference: Conference) -> Conference:
    db.session.rollback()
    return db.session.get_one(Conference, conference.id)


def test_both_sides_are_invited_once(network: Network) -> None:
    conference = booked(network)
    invited = told()
    assert {row.recipient for row in invited} == {network.coordinator.email, network.neighbour.email}
    for row in invited:
        read = entry(row)
        assert read.method.value == "REQUEST"
        assert read.vevent.uid.value == conference.uid
        assert read.vevent.dtstart.value == conference.starts_at
        assert read.vevent.dtend.value == conference.ends_at
        assert read.vevent.summary.value == "Lung meeting"
        assert read.vevent.location.value == "UNN Tromsø, Studio 1; NLSH Bodø, Studio 1"
    assert told() == []


def test_nobody_is_told_before_it_can_be_undone_no_longer_unless_it_is_soon(network: Network) -> None:
    booked(network)
    assert told(after=UNDO_WITHIN - timedelta(seconds=5)) == []
    soon = datetime.now(UTC) + AT_ONCE - timedelta(minutes=1)
    others = (StudioWish(network.tromso_2.id), StudioWish(network.bodo_2.id))
    booked(network, start=soon, end=soon + timedelta(minutes=30), parties=others)
    assert len(told(after=timedelta())) == 2


def test_a_booking_that_was_undone_is_told_to_nobody(network: Network) -> None:
    conference = booked(network)
    write(lambda: undo(conference.id, 1, network.coordinator))
    assert told() == []


def test_a_change_that_was_undone_is_told_to_nobody(network: Network) -> None:
    conference = booked(network)
    told()
    write(lambda: writes.change(conference.id, asked(network, hour=11), 1, network.coordinator))
    write(lambda: undo(conference.id, now_stored(conference).version, network.coordinator))
    assert now_stored(conference).starts_at == instant(tomorrow(), 9)
    assert told() == []


def test_several_changes_within_the_minute_are_one_mail(network: Network) -> None:
    conference = booked(network)
    told()
    for version, hour in ((1, 11), (2, 12)):
        write(lambda hour=hour, version=version: writes.change(  # type: ignore[misc]
            conference.id, asked(network, hour=hour), version, network.coordinator
        ))  # fmt: skip
    changed = told()
    assert len(changed) == 2
    read = entry(changed[0])
    assert (read.method.value, read.vevent.dtstart.value) == ("REQUEST", instant(tomorrow(), 12))
    assert int(read.vevent.sequence.value) == 2


def test_a_cancellation_is_told_with_the_same_uid_and_a_higher_sequence(network: Network) -> None:
    conference = booked(network)
    told()
    write(lambda: writes.cancel(conference.id, 1, network.coordinator))
    cancelled = told()
    assert len(cancelled) == 2
    read = entry(cancelled[0])
    assert (read.method.value, read.vevent.status.value) == ("CANCEL", "CANCELLED")
    assert read.vevent.uid.value == conference.uid
    assert int(read.vevent.sequence.value) > 0
    assert "Lung" not in cancelled[0].subject + cancelled[0].body


def test_who_loses_their_studio_is_told_that_it_is_off(network: Network) -> None:
    conference = booked(network)
    told()
    wishes = (StudioWish(network.tromso_1.id), StudioWish(network.tromso_2.id))
    write(lambda: writes.change(conference.id, asked(network, parties=wishes), 1, network.coordinator))
    methods = {row.recipient: entry(row).method.value for row in told()}
    assert methods == {network.coordinator.email: "REQUEST", network.neighbour.email: "CANCEL"}


def test_who_declined_is_not_invited_any_more(network: Network) -> None:
    conference = booked(network)
    told()
    write(lambda: decline(conference.id, 1, "Nobody is here", network.neighbour))
    assert {row.recipient: entry(row).method.value for row in told()}[network.neighbour.email] == "CANCEL"


def test_what_is_rolled_back_is_told_to_nobody(network: Network) -> None:
    with pytest.raises(RuntimeError):
        write(lambda: (writes.book(asked(network), network.coordinator), exec("raise RuntimeError"))[0])
    assert told() == []


def test_a_series_is_one_mail_with_an_entry_for_each_meeting(network: Network) -> None:
    """Across the night when the clocks are set back, the wall clock stays."""
    recurrence = Recurrence("FREQ=WEEKLY;COUNT=4", tomorrow(), time(9), 60, "Europe/Oslo")
    write(lambda: book_series(SeriesRequest(asked(network), recurrence), network.coordinator).series.id)
    invited = told()
    assert len(invited) == 2
    [attached] = invited[0].attachments
    events = vobject.readOne(attached["content"]).vevent_list
    stored = db.session.scalars(db.select(Conference).order_by(Conference.starts_at)).all()
    assert [event.dtstart.value for event in events] == [each.starts_at for each in stored]
    assert [event.recurrence_id.value for event in events] == [each.recurs_at for each in stored]
    assert {event.uid.value for event in events} == {stored[0].uid}


def test_the_mail_that_arrives_offers_the_entry_beside_the_text_and_as_a_file(network: Network, server: Post) -> None:
    booked(network)
    told()
    assert send_due() == 2
    for mail in server.mails:
        parts = {part.get_content_type(): part for part in mail.walk()}
        offered = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
        assert offered.get_param("method") == "REQUEST"
        assert mail.get_body(("plain",)) is not None
        assert "multipart/alternative" in parts
        files = [part.get_filename() for part in mail.iter_attachments()]
        assert files == ["invite.ics"]
        content = offered.get_payload(decode=True).decode()
        assert vobject.readOne(content).vevent.summary.value == "Lung meeting"
        assert "Lung" not in mail["Subject"]
    assert send_due() == 0


def test_the_afternoon_before_each_is_reminded_once(network: Network) -> None:
    monday = instant(tomorrow() + timedelta(days=(7 - tomorrow().weekday()) % 7), 9)
    booked(network, start=monday, end=monday + timedelta(hours=1))
    friday = monday - timedelta(days=3)
    assert remind_due(friday.replace(hour=13)) == 0
    assert remind_due(friday.replace(hour=15)) == 2
    assert remind_due(friday.replace(hour=15, minute=30)) == 0
    rows = db.session.scalars(db.select(Message).where(Message.key.like("reminder/%"))).all()
    assert len(rows) == 2
    assert "NLSH Bodø, Studio 1" in rows[0].body
    assert "Lung" not in rows[0].body


def test_what_is_cancelled_is_not_reminded_of(network: Network) -> None:
    monday = instant(tomorrow() + timedelta(days=(7 - tomorrow().weekday()) % 7), 9)
    conference = booked(network, start=monday, end=monday + timedelta(hours=1))
    write(lambda: writes.cancel(conference.id, 1, network.coordinator))
    assert remind_due((monday - timedelta(days=3)).replace(hour=15)) == 0
