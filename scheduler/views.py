"""Where codecs post what people press on their panels."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from accounts.permissions import public, with_secret_address
from devices.errors import BadAnswer
from devices.xapi_panel import press_of
from models import Admission, Conference, Event, Party, Reservation, database_now, db, write
from scheduler.admission import PROMPT_AHEAD
from scheduler.panels import studio_of_address
from scheduler.queries import OVER
from scheduler.table import token_of

blueprint = Blueprint("panels", __name__, url_prefix="/panels")
MOST_BYTES = 10_000


@blueprint.post("/<signed>")
@public
@with_secret_address
def pressed(signed: str) -> ResponseReturnValue:
    """Always 204 for an address of ours: a codec has no use for reasons, and would only post it again."""
    studio_id = studio_of_address(signed)
    if studio_id is None:
        return Response(status=404)
    try:
        press = press_of(request.get_data()[:MOST_BYTES])
    except BadAnswer:
        press = None
    if press:
        write(lambda: _note(studio_id, press.feedback_id))
    return Response(status=204)


def _note(studio_id: int, token: str) -> None:
    """Somebody in the room agrees. Only for the conference that asks there, at its time, and once."""
    reference, _, party_id = token.partition("/")
    if not party_id.isdecimal() or Conference.id_of(reference) is None:
        return
    query = (
        db.select(Admission, Conference)
        .join(Party, Party.id == Admission.party_id)
        .join(Conference, Conference.id == Party.conference_id)
        .join(Reservation, Reservation.id == Party.reservation_id)
        .where(Admission.party_id == int(party_id[:9]), Reservation.studio_id == studio_id)
        .where(Reservation.released_at.is_(None), Conference.state.not_in(OVER))
    )
    now = database_now()
    found = db.session.execute(query).first()
    if found is None:
        return
    admission, conference = found
    asks = conference.starts_at - PROMPT_AHEAD <= now < conference.ends_at
    if admission.pressed_at or not asks or token != token_of(conference.reference, admission.party_id):
        return
    admission.pressed_at = now
    conference.due_at = now
    db.session.add(Event(at=now, kind="studio.pressed", conference_id=conference.id, studio_id=studio_id, details={}))
