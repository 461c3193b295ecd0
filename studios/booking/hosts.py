"""Which of a conference's studios places the calls. The caller commits."""

from models import Conference, Party, ReservationKind, Studio
from studios.booking.rules import host_position


def is_seated(party: Party) -> bool:
    """Whether a studio is reserved for the party beyond doubt: neither given back nor waiting for approval."""
    reservation = party.reservation
    return (
        reservation is not None and reservation.released_at is None and reservation.kind is ReservationKind.CONFERENCE
    )


def choose_host(conference: Conference) -> None:
    """The first seated studio whose codec we steer becomes the host, unless the present one is still seated."""
    if any(party.host and is_seated(party) for party in conference.parties):
        return
    steered = [is_seated(party) and _is_steered(party) for party in conference.parties]
    host = host_position(steered)
    for position, party in enumerate(conference.parties):
        party.host = position == host


def host_of(conference: Conference) -> Studio | None:
    """The studio that places the calls where no bridge does."""
    return next(
        (party.reservation.studio for party in conference.parties if party.host and party.reservation), None
    )  # fmt: skip


def _is_steered(party: Party) -> bool:
    endpoint = party.reservation.studio.endpoint if party.reservation else None
    return endpoint is not None and endpoint.control_driver is not None
