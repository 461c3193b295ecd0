"""The conference bridges, for administrators for all organisations."""

from typing import Annotated

from flask import Blueprint
from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy.exc import IntegrityError

from accounts.permissions import access
from accounts.rules import Scope
from api.answers import Answer
from api.endpoint import PREFIX, endpoint
from api.idempotency import once
from api.values import AnswerModel, PlainText, RequestModel
from errors import Conflict, Forbidden, Invalid, NotFound
from models import Bridge, BridgeDriver, Role, db
from studios.booking.rules import is_printable
from studios.booking.terms import MOST_PORTS, retire_bridge, set_bridge

blueprint = Blueprint("bridges", __name__, url_prefix=f"{PREFIX}/bridges")

WHO = (Role.ADMINISTRATOR,)
LONGEST_ADDRESS = 255


class BridgeRequest(RequestModel):
    """`address`: where it is steered. `dial_domain`: that of the addresses of its rooms. `health_region`: the region
    that it is for; with none it is for all. `system_location`: its own name of the place that it is to dial from.
    `credential`: the name of the one that steers it."""

    address: Annotated[PlainText, Field(min_length=1, max_length=LONGEST_ADDRESS)]
    ports: Annotated[int, Field(ge=0, le=MOST_PORTS)]
    dial_domain: Annotated[PlainText, Field(max_length=LONGEST_ADDRESS)] = ""
    health_region: Annotated[PlainText, Field(max_length=40)] = ""
    system_location: Annotated[PlainText, Field(max_length=100)] = ""
    credential: Annotated[PlainText, Field(max_length=100)] = ""


class BridgeAnswer(AnswerModel):
    """`retired`: no new conference gets ports of it."""

    name: str
    driver: BridgeDriver
    address: str
    dial_domain: str
    health_region: str
    system_location: str
    credential: str
    ports: int
    retired: bool


class BridgesAnswer(AnswerModel):
    bridges: list[BridgeAnswer]


@endpoint(
    blueprint, "GET", "", summary="List the bridges", scope=Scope.READ, roles=WHO, answers={200: BridgesAnswer},
)  # fmt: skip
def listed() -> Answer:
    """By name, the retired ones too."""
    _check_may()
    rows = db.session.scalars(db.select(Bridge).order_by(Bridge.name))
    return Answer(BridgesAnswer(bridges=[_told(each) for each in rows]))


@endpoint(
    blueprint, "GET", "/<name>", summary="One bridge", scope=Scope.READ, roles=WHO, answers={200: BridgeAnswer},
)  # fmt: skip
def one(name: str) -> Answer:
    """One that is retired too."""
    _check_may()
    found = _named(name)
    if found is None:
        raise NotFound(_("There is no bridge named %(name)s.", name=name[:100]))
    return Answer(_told(found))


@endpoint(
    blueprint, "PUT", "/<name>", summary="Add or change a bridge", scope=Scope.OPERATE, roles=WHO, body=BridgeRequest,
    answers={200: BridgeAnswer, 201: BridgeAnswer}, idempotent=True,
)  # fmt: skip
def put(name: str, body: BridgeRequest) -> Answer:
    """A retired one is taken into use again. Refused where a conference that is booked has more of its ports."""
    _check_may()
    if name != " ".join(name.split()) or not is_printable(name):
        raise Invalid(_("A bridge has a name of characters that can be seen, with single spaces between."), "name")

    def work() -> Answer:
        status = 200 if _named(name) else 201
        more = (body.dial_domain, body.health_region, body.system_location, body.credential)
        return Answer(_told(set_bridge(name, body.address, body.ports, *more)), status)

    try:
        return once(work)
    except IntegrityError:
        raise Conflict(_("Somebody else has added this bridge just now. Look at it again first.")) from None


@endpoint(
    blueprint, "DELETE", "/<name>", summary="Retire a bridge", scope=Scope.OPERATE, roles=WHO,
    answers={200: BridgeAnswer}, idempotent=True,
)  # fmt: skip
def retire(name: str) -> Answer:
    """No new conference gets ports of it; those that have some keep them."""
    _check_may()
    return once(lambda: Answer(_told(retire_bridge(name))))


def _check_may() -> None:
    if not access().everywhere(*WHO):
        raise Forbidden(_("Only administrators for all organisations can do this."))


def _named(name: str) -> Bridge | None:
    return db.session.scalar(db.select(Bridge).where(Bridge.name == name))


def _told(bridge: Bridge) -> BridgeAnswer:
    return BridgeAnswer(
        name=bridge.name,
        driver=bridge.driver,
        address=bridge.address,
        dial_domain=bridge.dial_domain,
        health_region=bridge.health_region,
        system_location=bridge.system_location,
        credential=bridge.control_credential.name if bridge.control_credential else "",
        ports=bridge.ports,
        retired=bridge.retired_at is not None,
    )
