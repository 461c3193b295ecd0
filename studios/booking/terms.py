"""On which terms a studio can be booked, and the bridges there are: set by those who look after them. The caller
commits."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _

from accounts.audit import record
from errors import Conflict, Invalid, NotFound
from models import Bridge, BridgeDriver, Conference, Credential, StartMode, Studio, db
from studios.booking.candidates import BookableHours
from studios.booking.hours import read_hours
from studios.booking.ports import OVER
from studios.booking.rules import peak

LONGEST_BUFFER = 240
MOST_PORTS = 10_000
ALWAYS = "always"


@dataclass(frozen=True)
class Terms:
    """Buffers are minutes before and after. Without hours a studio can be booked at any time.
    `start_mode`: how calls come up there."""

    bookable_hours: BookableHours | None
    setup_minutes: int
    clear_down_minutes: int
    shared: bool
    needs_approval: bool
    clinical: bool
    start_mode: StartMode


def terms_of(studio: Studio) -> Terms:
    return Terms(
        studio.bookable_hours,
        studio.setup_minutes,
        studio.clear_down_minutes,
        studio.shared,
        studio.needs_approval,
        studio.clinical,
        studio.start_mode,
    )


def set_terms(code: str, **changes: object) -> Studio:
    """Change what is named, for bookings from now on; what is booked already keeps its time.

    Raises NotFound for an unknown studio, Invalid with a sentence for what makes no sense.
    """
    studio = db.session.scalar(db.select(Studio).where(Studio.code == code, Studio.retired_at.is_(None)))
    if studio is None:
        raise NotFound(_("There is no studio with the code %(code)s.", code=code[:40]))
    before = asdict(terms_of(studio))
    for name, value in changes.items():
        setattr(studio, name, _checked(name, value))
    record("studio.terms", studio.code, before=before, after=asdict(terms_of(studio)))
    return studio


def hours_given(text: str) -> BookableHours | None:
    """Hours as they are typed, or None for `always`. Raises Invalid."""
    if text.strip().casefold() == ALWAYS:
        return None
    try:
        return read_hours(text)
    except ValueError as error:
        raise Invalid(str(error), "bookable_hours") from None


def set_bridge(
    name: str,
    address: str,
    ports: int,
    dial_domain: str = "",
    health_region: str = "",
    system_location: str = "",
    credential: str = "",
) -> Bridge:
    """Add a bridge, or change the one of this name; `credential` is the name of the one that steers it.

    Raises Conflict where more of its ports are promised already, Invalid for what makes no sense.
    """
    if not name.strip() or len(name) > 100 or not address.strip() or len(address) > 255:
        raise Invalid(_("A bridge has a name of at most 100 characters, and an address."))
    if not 0 <= ports <= MOST_PORTS:
        raise Invalid(_("A bridge has from 0 to %(most)s ports.", most=MOST_PORTS), "ports")
    bridge = db.session.scalar(db.select(Bridge).where(Bridge.name == name).with_for_update())
    if bridge is None:
        bridge = Bridge(name=name, driver=BridgeDriver.PEXIP)
        db.session.add(bridge)
    bridge.address, bridge.ports = address, ports
    bridge.dial_domain, bridge.health_region, bridge.retired_at = dial_domain, health_region, None
    bridge.system_location, bridge.control_credential_id = system_location, _credential_id(credential)
    db.session.flush()
    _check_promises(bridge)
    record("bridge.set", name, after={"address": address, "ports": ports, "health_region": health_region})
    return bridge


def _credential_id(name: str) -> int | None:
    if not name:
        return None
    found = db.session.scalar(db.select(Credential.id).where(Credential.name == name))
    if found is None:
        raise Invalid(_("There is no credential named %(name)s.", name=name[:100]), "credential")
    return found


def retire_bridge(name: str) -> Bridge:
    """No new conference gets ports of it; those that have some keep them."""
    bridge = db.session.scalar(db.select(Bridge).where(Bridge.name == name).with_for_update())
    if bridge is None:
        raise NotFound(_("There is no bridge named %(name)s.", name=name[:100]))
    bridge.retired_at = datetime.now(UTC)
    record("bridge.retired", name)
    return bridge


def _check_promises(bridge: Bridge) -> None:
    """The most that is promised at one instant is what the bridge must have."""
    query = db.select(Conference.starts_at, Conference.ends_at, Conference.ports).where(
        Conference.bridge_id == bridge.id, Conference.state.not_in(OVER), Conference.ends_at > datetime.now(UTC)
    )
    promised = [(start, end, ports) for start, end, ports in db.session.execute(query)]
    if not promised:
        return
    first, last = min(start for start, _end, _ports in promised), max(end for _start, end, _ports in promised)
    if (most := peak(promised, first, last)) > bridge.ports:
        raise Conflict(
            _(
                "Conferences that are booked have %(ports)s ports of this bridge at one time; move some of them first.",
                ports=most,
            )
        )


def _checked(name: str, value: object) -> object:
    if name in ("setup_minutes", "clear_down_minutes") and not (
        isinstance(value, int) and 0 <= value <= LONGEST_BUFFER
    ):
        raise Invalid(_("A buffer is from 0 to %(most)s minutes.", most=LONGEST_BUFFER), name)
    return value
