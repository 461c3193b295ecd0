"""What stands in the way of a time, one by one, as programs are told it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from api.values import AnswerModel, Instant
from studios.booking.explaining import blocker_sentence, lack_sentence, obstacle_sentence
from studios.booking.finding.question import Answer, Blocker, NearMiss, TooFew, Why
from studios.booking.obstacles import Kind, Obstacle
from studios.booking.seating import UNFIT

MINUTE = timedelta(minutes=1)


class BindingAnswer(AnswerModel):
    """`party` counts from 1 and is null for what concerns the whole meeting; so is `studio`. `move_minutes`: by how
    much the conference `reference` would have to move to give way, negative for earlier."""

    party: int | None
    studio: str | None
    kind: Why | Kind
    start: Instant | None = None
    end: Instant | None = None
    reference: str | None = None
    owner: str | None = None
    move_minutes: int | None = None
    message: str


def binding_answers(answer: Answer, codes: Sequence[str]) -> list[BindingAnswer]:
    """`codes`: by party the studio that is asked for by name, or nothing."""
    found = list(_unfit(answer, codes))
    lacking = answer.too_few or (answer.missed.too_few if answer.missed else None)
    if lacking:
        unfit = {each.party for each in found}
        found += [each for each in _lacking(lacking) if each.party not in unfit]
    return found + (list(_missed(answer.missed, answer)) if answer.missed else [])


def _unfit(answer: Answer, codes: Sequence[str]) -> Iterator[BindingAnswer]:
    for party, reasons in answer.unfit.items():
        for kind in [UNFIT[reason] for reason in reasons] or [Kind.RETIRED]:
            message = obstacle_sentence(Obstacle(kind, (party,), codes[party]))
            yield BindingAnswer(party=party + 1, studio=codes[party], kind=kind, message=message)


def _lacking(lacking: TooFew) -> Iterator[BindingAnswer]:
    """Parties that draw on too few studios; a party that finds none at all stands alone."""
    kind = Kind.NONE_FREE if lacking.rooms else Kind.NONE_IN_POOL
    for party in lacking.parties:
        yield BindingAnswer(
            party=party + 1, studio=None, kind=kind, message=lack_sentence(party, lacking.parties, len(lacking.rooms))
        )


def _missed(missed: NearMiss, answer: Answer) -> Iterator[BindingAnswer]:
    for blocker in missed.general:
        yield _blocked(None, blocker, missed, answer)
    for seat in missed.seats:
        for blocker in seat.blockers:
            yield _blocked(seat.party, blocker, missed, answer)


def _blocked(party: int | None, blocker: Blocker, missed: NearMiss, answer: Answer) -> BindingAnswer:
    code = answer.studios[blocker.room].code if blocker.room is not None else ""
    alone = missed.alone is not None and missed.alone.studios == 1
    return BindingAnswer(
        party=None if party is None else party + 1,
        studio=code or None,
        kind=blocker.why,
        start=blocker.span.start if blocker.span else None,
        end=blocker.span.end if blocker.span else None,
        reference=blocker.reference or None,
        owner=blocker.owner or None,
        move_minutes=None if blocker.move is None else _whole_minutes(blocker.move),
        message=blocker_sentence(blocker, code, missed.start, alone),
    )


def _whole_minutes(move: timedelta) -> int:
    """Rounded away from zero: a move by less would not do."""
    return -(-move // MINUTE) if move > timedelta() else move // MINUTE
