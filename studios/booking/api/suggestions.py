"""Found times, and what stood in the way of others, as programs are told them."""

from datetime import timedelta

from studios.booking.api.told import ReasonAnswer, SuggestionAnswer
from studios.booking.explaining import remark_sentence
from studios.booking.finding.question import Answer, Suggestion

MINUTE = timedelta(minutes=1)


def suggestion_answers(answer: Answer) -> list[SuggestionAnswer]:
    return [_suggestion(each, answer) for each in answer.suggestions]


def _suggestion(found: Suggestion, answer: Answer) -> SuggestionAnswer:
    codes = [answer.studios[room].code if room is not None else None for room in found.rooms]
    return SuggestionAnswer(
        start=found.start,
        end=found.end,
        studios=codes,
        reasons=[
            ReasonAnswer(
                code=remark,
                party=party + 1,
                studio=codes[party] or "",
                message=remark_sentence(remark, codes[party] or ""),
            )
            for party, remark in found.remarks
        ],
        shifted_minutes=found.shifted // MINUTE,
        shortened_minutes=found.shortened // MINUTE,
    )
