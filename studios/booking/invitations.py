"""Mail about conferences with their calendar entries: who takes part is invited, told of changes, told of the end.

Nobody queues these where a conference is changed: whatever changes one says when those concerned are to be told
(`tell_at`), and that is not before it can be undone no longer. Then it is compared what they were last told with what
is. So whoever changes things, and however often within the minute, they get one mail, or none where nothing is
different; a booking that was undone was never told to anybody. See docs/decisions/020-told-by-comparing.md.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from accounts.language import DEFAULT_LANGUAGE, LANGUAGES
from accounts.queries import coordinators_of
from messages.outbox import queue
from models import (
    Account,
    Conference,
    ConferenceState,
    Invitation,
    Party,
    Reservation,
    Site,
    Studio,
    db,
    write,
)
from studios.booking.calendars import entry_of, seated, studio_names
from studios.booking.entries import Method, calendar
from studios.booking.letters import link, organisers_of, time_span

BATCH = 250
"""So many conferences are told of in one transaction."""
MOST_LISTED = 60
"""So many meetings stand in one mail; a longer series comes in several."""


@dataclass(frozen=True)
class News:
    """A conference that somebody is to be told of."""

    conference: Conference
    method: Method
    is_first: bool
    digest: str


def tell_due() -> int:
    """Ask for the mails about all that is due; how many conferences that was. Cheap when nothing is due."""
    told = 0
    while _is_any_due() and (number := write(tell_some)):
        told += number
    return told


def tell_some() -> int:
    """A batch, in the caller's `write`. Of two processes each takes others.

    1. Take what is due and not being changed at this moment.
    2. Gather by reader, so that a series is one mail.
    3. Queue what is new to each, and note what they know now.
    """
    now = datetime.now(UTC)
    found = _due(now)
    for conference in found:
        conference.tell_at = None
    known = _known([conference.id for conference in found])
    audience, news = Audience(), dict[tuple[int, str], list[News]]()
    for conference in found:
        told = known.get(conference.id, {})
        concerned = audience.of(conference)
        keys = {each.id for each in concerned}  # accounts are compared by their sessions, which tells nothing here
        for reader in [*concerned, *audience.others(told.keys() - keys)]:
            if new := _news(conference, told.get(reader.id), reader.id in keys, now):
                news.setdefault((reader.id, conference.uid), []).append(new)
    for (reader_id, _uid), each in news.items():
        for start in range(0, len(each), MOST_LISTED):
            _write_to(audience.known[reader_id], each[start : start + MOST_LISTED], now)
    return len(found)


class Audience:
    """Who is concerned by conferences; each organisation's coordinators are asked for once."""

    def __init__(self) -> None:
        self.known: dict[int, Account] = {}
        self._coordinators: dict[int, Sequence[Account]] = {}

    def of(self, conference: Conference) -> list[Account]:
        """Whoever organises it, and the coordinators of the others whose studios are taken."""
        found = {each.id: each for each in organisers_of(conference)}
        others = {party.organisation_id for party in seated(conference)} - {conference.organisation_id}
        for organisation_id in sorted(each for each in others if each is not None):
            if organisation_id not in self._coordinators:
                self._coordinators[organisation_id] = coordinators_of(organisation_id)
            found |= {each.id: each for each in self._coordinators[organisation_id]}
        self.known |= found
        return [each for each in found.values() if each.disabled_at is None]

    def others(self, account_ids: Collection[int]) -> list[Account]:
        """Those who were told of it before."""
        found = list(db.session.scalars(db.select(Account).where(Account.id.in_(account_ids)))) if account_ids else []
        self.known |= {each.id: each for each in found}
        return [each for each in found if each.disabled_at is None]


def _is_any_due() -> bool:
    found = db.session.scalar(db.select(Conference.id).where(Conference.tell_at <= datetime.now(UTC)).limit(1))
    db.session.rollback()
    return found is not None


def _due(now: datetime) -> Sequence[Conference]:
    """Whole series, as far as they are due, come together."""
    query = db.select(Conference).where(Conference.tell_at <= now).order_by(Conference.uid, Conference.id).limit(BATCH)
    locked = query.with_for_update(of=Conference, skip_locked=True).options(*WHOLE)
    return db.session.scalars(locked.execution_options(populate_existing=True)).all()


def _known(conference_ids: Sequence[int]) -> dict[int, dict[int, Invitation]]:
    """By conference and account, what each was told."""
    found: dict[int, dict[int, Invitation]] = {}
    for row in db.session.scalars(db.select(Invitation).where(Invitation.conference_id.in_(conference_ids))):
        found.setdefault(row.conference_id, {})[row.account_id] = row
    return found


def _news(conference: Conference, known: Invitation | None, is_concerned: bool, now: datetime) -> News | None:
    """What a reader does not know yet; none where that is nothing, or too late to matter."""
    is_off = conference.state is ConferenceState.CANCELLED or not is_concerned
    digest = _digest(conference, is_off)
    if known is None:
        is_new = not is_off and conference.ends_at > now
        return News(conference, Method.REQUEST, True, digest) if is_new else None
    if known.digest == digest:
        return None
    return News(conference, Method.CANCEL if is_off else Method.REQUEST, known.cancelled, digest)


def _digest(conference: Conference, is_off: bool) -> str:
    """Of what matters to whoever takes part."""
    if is_off:
        return hashlib.sha256(b"cancelled").hexdigest()
    matters = (
        conference.starts_at.isoformat(), conference.ends_at.isoformat(), conference.title, conference.video,
        studio_names(conference),
    )  # fmt: skip
    return hashlib.sha256(repr(matters).encode()).hexdigest()


def _write_to(reader: Account, news: Sequence[News], now: datetime) -> None:
    """One mail for each method; a reader who lost a meeting and kept another gets two."""
    for method in (Method.CANCEL, Method.REQUEST):
        if some := [each for each in news if each.method is method]:
            with force_locale(reader.language if reader.language in LANGUAGES else DEFAULT_LANGUAGE):
                _queue(reader, some, method, now)
    for each in news:
        _note(reader, each, now)


def _queue(reader: Account, news: Sequence[News], method: Method, now: datetime) -> None:
    # Whoever takes part may know the title; who does no longer may not.
    entries = [entry_of(each.conference, method is Method.REQUEST, reader) for each in news]
    first = news[0].conference
    content = calendar(entries, now, method).decode()
    queue(
        key=f"invitation/{first.id}/{first.sequence}/{reader.id}/{method.lower()}",
        recipient=reader.email,
        subject=_subject(news, method),
        body="\n".join(_body(news, method)) + "\n",
        attachments=[
            {"name": "invite.ics", "type": f"text/calendar; method={method}; component=VEVENT", "content": content}
        ],
    )


def _subject(news: Sequence[News], method: Method) -> str:
    """No title stands in a subject: it is read on locked screens."""
    number = len(news)
    what = news[0].conference.reference if number == 1 else _("%(num)s conferences", num=number)
    if method is Method.CANCEL:
        return _("Cancelled: %(what)s", what=what)
    if all(each.is_first for each in news):
        return _("Invitation: %(what)s", what=what)
    return _("Changed: %(what)s", what=what)


def _body(news: Sequence[News], method: Method) -> Iterable[str]:
    for each in news:
        conference = each.conference
        yield f"{conference.reference}: {time_span(conference.starts_at, conference.ends_at)}"
        if method is Method.REQUEST:
            yield "; ".join(studio_names(conference))
    yield from link(news[0].conference)
    if method is Method.REQUEST:
        yield ""
        yield _("The calls start by themselves. Your organisation can decline its part on the conference's page.")


def _note(reader: Account, news: News, now: datetime) -> None:
    cancelled = news.method is Method.CANCEL
    sequence = news.conference.sequence
    row = db.session.get(Invitation, (news.conference.id, reader.id))
    if row is None:
        db.session.add(
            Invitation(
                conference_id=news.conference.id,
                account_id=reader.id,
                sequence=sequence,
                cancelled=cancelled,
                digest=news.digest,
                told_at=now,
            )
        )
    else:
        row.sequence, row.cancelled, row.digest, row.told_at = sequence, cancelled, news.digest, now


_STUDIO = selectinload(Conference.parties).joinedload(Party.reservation).joinedload(Reservation.studio)
WHOLE = (
    joinedload(Conference.organisation),
    joinedload(Conference.organiser),
    joinedload(Conference.booked_by),
    _STUDIO.joinedload(Studio.site).joinedload(Site.organisation),
)
