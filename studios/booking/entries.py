"""Conferences as calendar programs read them: iCalendar (RFC 5545) and its invitations (iTIP, RFC 5546). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from icalendar import Calendar, Event, vCalAddress, vText

PRODUCT = "-//Studionett//Conferences//EN"


class Method(StrEnum):
    """What a mail's calendar asks of its reader; a file or a feed asks nothing."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class Entry:
    """A conference as its reader may see it: `summary` is its title, or its reference where the title is not for them.
    Instants are UTC. `recurs_at`: the start that the rule of its series gave it, under the UID of them all."""

    uid: str
    sequence: int
    start: datetime
    end: datetime
    summary: str
    location: str
    description: str
    cancelled: bool = False
    recurs_at: datetime | None = None
    address: str = ""
    organiser: Person | None = None
    reader: Person | None = None


def calendar(
    entries: Iterable[Entry],
    stamp: datetime,
    method: Method = Method.PUBLISH,
    name: str = "",
    refresh: timedelta | None = None,
) -> bytes:
    """A calendar object with CRLF line ends. `stamp`: when it is written (DTSTAMP); `refresh`: how often a feed is to
    be read again."""
    found = Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    found.add("method", method.value)
    if name:
        found.add("x-wr-calname", name)  # what Google, Apple and Outlook call a feed
        found.add("name", name)
    if refresh:
        found.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
        found.add("x-published-ttl", refresh)
    for entry in entries:
        found.add_component(_event(entry, stamp, method))
    return bytes(found.to_ical())


def _event(entry: Entry, stamp: datetime, method: Method) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", stamp)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    if entry.recurs_at:
        event.add("recurrence-id", entry.recurs_at)
    event.add("summary", entry.summary)
    event.add("location", entry.location)
    event.add("description", entry.description)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    if entry.address:
        event.add("url", entry.address)
    if entry.organiser:
        event["organizer"] = _address(entry.organiser)
    if entry.reader and method is not Method.PUBLISH:
        event.add("attendee", _attendee(entry.reader), encode=False)
    return event


def _address(person: Person) -> vCalAddress:
    found = vCalAddress(f"mailto:{person.email}")
    if person.name:
        found.params["CN"] = vText(person.name)
    return found


def _attendee(person: Person) -> vCalAddress:
    """Nobody is asked to answer by mail: answers are given on the conference's page."""
    found = _address(person)
    found.params["ROLE"] = vText("REQ-PARTICIPANT")
    found.params["PARTSTAT"] = vText("ACCEPTED")
    found.params["RSVP"] = vText("FALSE")
    return found


def lines(parts: Sequence[str]) -> str:
    return "\n".join(part for part in parts if part)
