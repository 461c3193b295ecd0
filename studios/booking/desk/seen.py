"""The studios of pools that somebody saw before they pressed Book, so that they get these where they can."""

from collections.abc import Sequence

from studios.booking.candidates import Own
from studios.booking.desk.parties import Network
from studios.booking.rooms import candidates_for
from studios.booking.seating import Drawn
from studios.booking.wishes import Booking, PoolWish, StudioWish


def seen_seats(asked: Booking, codes: Sequence[str], network: Network, own: Own) -> Drawn | None:
    """A studio's key for each party, of the codes that the page showed; None where these are not what was asked for,
    so that the pools are drawn from anew."""
    if len(codes) != len(asked.parties) or not any(isinstance(wish, PoolWish) for wish in asked.parties):
        return None
    found: list[int | None] = []
    for wish, code in zip(asked.parties, codes, strict=True):
        if isinstance(wish, PoolWish):
            room = network.by_code.get(code)
            if room is None or room not in candidates_for(wish, network.rooms, own, asked.purpose):
                return None
            found.append(room.id)
        else:
            found.append(wish.studio_id if isinstance(wish, StudioWish) else None)
    seated = [key for key in found if key is not None]
    return found if len(set(seated)) == len(seated) else None
