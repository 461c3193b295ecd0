"""What is in the way of a conference, and the refusals that tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext as _

from errors import Conflict, Refused
from studios.booking.queries import Clash, Closed
from studios.booking.rules import Problem


class Kind(StrEnum):
    """Why a party can't be seated as it was asked for."""

    TAKEN = "taken"
    CLOSED = "closed"
    OUTSIDE_HOURS = "outside_hours"
    PRIVATE = "private"
    TOO_SMALL = "too_small"
    LACKS_EQUIPMENT = "lacks_equipment"
    NO_SUCH_STUDIO = "no_such_studio"
    NONE_IN_POOL = "none_in_pool"
    NONE_FREE = "none_free"
    NO_PORTS = "no_ports"
    RETIRED = "retired"


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way, with whose it is and whom to call; never another organisation's title.

    `parties` are the positions at the table that it concerns; none for what concerns the whole conference.
    """

    kind: Kind
    parties: tuple[int, ...] = ()
    studio: str = ""
    start: datetime | None = None
    end: datetime | None = None
    reference: str = ""
    owner: str = ""
    contact: str = ""
    reason: str = ""


class WishRefused(Refused):
    """The request breaks rules of its own, whatever the studios are doing."""

    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class Unavailable(Conflict):
    """The time or the studios can't be had. `obstacles` says all that is known to be in the way."""

    def __init__(self, message: str, obstacles: Sequence[Obstacle] = ()) -> None:
        super().__init__(message)
        self.obstacles = list(obstacles)


class StudioTaken(Unavailable):
    """A lost race or a plain clash: who has the studio, and when."""

    def __init__(self, clashes: list[Clash]) -> None:
        super().__init__(
            _("The time is taken in at least one studio. Nothing was booked."),
            [obstacle_of_clash(clash) for clash in clashes],
        )
        self.clashes = clashes


class StudioClosed(Unavailable):
    def __init__(self, closures: list[Closed]) -> None:
        super().__init__(
            _("A studio is out of use at that time. Nothing was booked."),
            [obstacle_of_closure(closure) for closure in closures],
        )
        self.closures = closures


class StudioUnfit(Unavailable):
    """A studio is not one that can be had for this, whatever is booked in it."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(_("A studio does not fit what is asked for. Nothing was booked."), obstacles)


class NoneFree(Unavailable):
    """Too few of the studios that would do are free."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(_("Not enough of the studios that would do are free then. Nothing was booked."), obstacles)


class NoPorts(Unavailable):
    """No bridge has so many ports left at that time."""

    def __init__(self) -> None:
        super().__init__(
            _("The conference bridges have no room left for so many parties at that time. Nothing was booked."),
            [Obstacle(Kind.NO_PORTS)],
        )


class ChangedMeanwhile(Conflict):
    """Somebody else saved the conference after it was looked at."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else changed this conference while you had it open. Look at it again first."))


def obstacle_of_clash(clash: Clash) -> Obstacle:
    return Obstacle(
        Kind.TAKEN,
        studio=clash.studio.code,
        start=clash.starts_at,
        end=clash.ends_at,
        reference=clash.reference,
        owner=clash.owner,
        contact=clash.contact,
    )


def obstacle_of_closure(closure: Closed) -> Obstacle:
    return Obstacle(
        Kind.CLOSED,
        studio=closure.studio.code,
        start=closure.starts_at,
        end=closure.ends_at,
        reason=closure.reason,
    )
