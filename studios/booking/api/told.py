"""What programs are told of conferences."""

from pydantic import Field

from api.values import AnswerModel, Instant, Refusal
from models import Answer, ConferenceState, PartyKind, Purpose
from studios.booking.finding.question import Remark
from studios.booking.obstacles import Kind
from studios.booking.worries import Worry


class WarningAnswer(AnswerModel):
    """Nothing that refuses a booking. `party` is its number at the table, from 1."""

    code: Worry
    party: int
    studio: str
    message: str


class PartyAnswer(AnswerModel):
    """A place at the table; `number` counts from 1, and the actions on a party take it.

    `studio`: the one that was chosen, also after it was given back, which `released` tells. `pending`: it waits for
    its owner's approval. A guest's address and the reason of an answer are for those around the table.
    """

    number: int
    kind: PartyKind
    studio: str | None
    guest: str | None
    organisation: str | None
    attendees: int | None
    host: bool
    answer: Answer
    reason: str | None
    pending: bool
    released: bool


class ConferenceAnswer(AnswerModel):
    """`title` and `organiser` (an e-mail address) are null to those who are not around the table. `studios`: the codes
    in the order of the parties, null for a guest. `ports`: those that it takes of its bridge. `series`: the key of the
    series that it is of. `warnings` are of conferences that are not over."""

    reference: str
    title: str | None
    purpose: Purpose
    organisation: str
    organiser: str | None
    start: Instant
    end: Instant
    state: ConferenceState
    studios: list[str | None]
    parties: list[PartyAnswer]
    movable: bool
    video: bool
    bridge: str | None
    ports: int
    series: int | None
    version: int
    warnings: list[WarningAnswer]


class ConferencesAnswer(AnswerModel):
    """By start. `next`: the cursor with which the following ones are asked for; null when these were the last."""

    conferences: list[ConferenceAnswer]
    next: str | None


class ReasonAnswer(AnswerModel):
    """What there is to say of a studio in a suggestion."""

    code: Remark
    party: int
    studio: str
    message: str


class SuggestionAnswer(AnswerModel):
    """A time at which everybody can. `studios`: in the order of the parties, null for a guest. `shifted_minutes`: how
    far outside the time that was asked for, negative when before it."""

    start: Instant
    end: Instant
    studios: list[str | None]
    reasons: list[ReasonAnswer]
    shifted_minutes: int
    shortened_minutes: int


class ObstacleAnswer(AnswerModel):
    """One thing in the way, whose it is and whom to call; what is not known of it is null. `parties` count from 1."""

    kind: Kind
    parties: list[int]
    studio: str | None
    start: Instant | None
    end: Instant | None
    reference: str | None
    owner: str | None
    contact: str | None
    reason: str | None
    message: str


class ConflictAnswer(Refusal):
    """Nothing was done. `changed`: somebody else has changed the conference since. `alternatives`: up to five other
    times at which the same parties can meet, those of the wished day first."""

    changed: bool = False
    conflicts: list[ObstacleAnswer] = Field(default=[])
    alternatives: list[SuggestionAnswer] = Field(default=[])


class EventAnswer(AnswerModel):
    """`heading`: what it belongs to. `notable`: it explains a fault or a turn."""

    at: Instant
    heading: str
    what: str
    more: str
    notable: bool


class ReplacementAnswer(AnswerModel):
    """`kilometres` from the studio that it would stand in for."""

    studio: str
    name: str
    site: str
    capacity: int
    kilometres: int


class ReplacementsAnswer(AnswerModel):
    replacements: list[ReplacementAnswer]


class EventsAnswer(AnswerModel):
    """Newest first."""

    events: list[EventAnswer]
