"""What is done at the panels of a conference's studios, several at once, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flask_babel import force_locale
from flask_babel import gettext as _
from itsdangerous import BadSignature, Signer

from accounts.language import DEFAULT_LANGUAGE
from config import settings
from devices.errors import DeviceError, RateLimited
from devices.xapi_panel import Prompt
from models import db
from models.calls import Admission, Event
from scheduler.admission import Door, Step, after, after_refusal
from scheduler.drivers.interface import Panel
from scheduler.equipment import Equipment
from scheduler.table import Table, token_of

SIGNATURE = "presses on panels"


@dataclass(frozen=True)
class Outcome:
    """A step that was tried at a studio's panel. `muted`: what a look found; `cause`: why it failed."""

    door: Door
    step: Step
    muted: bool | None = None
    cause: str = ""


def carry_out(steps: Mapping[int, Step], table: Table, equipment: Equipment) -> list[Outcome]:
    """Do these steps, by party. No transaction is open."""
    doors = {party_id: table.doors[party_id] for party_id in steps}
    with force_locale(DEFAULT_LANGUAGE):
        prompts = {party_id: _prompt(table, doors[party_id], step) for party_id, step in steps.items()}
    addresses = {party_id: press_address(door.studio_id) for party_id, door in doors.items()}
    # The threads have no application's context: what they need is looked up here.
    work: list[Callable[[], Outcome | None]] = [
        partial(_do, table.stations[party_id].panel, doors[party_id], step, prompts[party_id], addresses[party_id])
        for party_id, step in steps.items()
    ]
    done = equipment.all_at_once(work, None)
    return [
        found or Outcome(table.doors[party_id], step, cause=RateLimited.code)
        for (party_id, step), found in zip(steps.items(), done, strict=True)
    ]


def doors_after(table: Table, outcomes: Sequence[Outcome]) -> dict[int, Door]:
    return {**table.doors, **{each.door.party_id: _turned(each, table)[0] for each in outcomes}}


def record_panels(table: Table, outcomes: Sequence[Outcome]) -> None:
    """Write down what was done. Within a transaction that holds the lease."""
    turned = [_turned(outcome, table) for outcome in outcomes]
    keep([door for door, _event in turned])
    for outcome, (door, event) in zip(outcomes, turned, strict=True):
        if event:
            details = {"cause": outcome.cause} if outcome.cause else {}
            told = {"conference_id": table.conference_id, "studio_id": door.studio_id, "details": details}
            db.session.add(Event(at=table.now, kind=event, **told))


def keep(doors: Sequence[Door]) -> None:
    """Write down how they stand."""
    if not doors:
        return
    kept = db.select(Admission).where(Admission.party_id.in_([door.party_id for door in doors]))
    rows = {row.party_id: row for row in db.session.scalars(kept)}
    for door in doors:
        for name in ("prompted_at", "pressed_at", "muted_at", "opened_at", "next_attempt_at"):
            setattr(rows[door.party_id], name, getattr(door, name))
        rows[door.party_id].cause = door.cause or None


def press_address(studio_id: int) -> str:
    """Where the codec of a studio posts what is pressed. Only who was told the address can press for the studio."""
    found = settings()
    base = found.panel_url or found.public_url or f"http://{found.host}:{found.port}"
    return f"{base.rstrip('/')}/panels/{_signer().sign(str(studio_id)).decode()}"


def studio_of_address(signed: str) -> int | None:
    """The studio that a press comes from, or None when its address is none of ours."""
    try:
        return int(_signer().unsign(signed))
    except (BadSignature, ValueError):
        return None


def _do(panel: Panel | None, door: Door, step: Step, prompt: Prompt | None, answers_to: str) -> Outcome:
    assert panel is not None, "a step is decided only where there is a panel"
    try:
        return Outcome(door, step, _carried_out(panel, step, prompt, answers_to))
    except DeviceError as error:
        return Outcome(door, step, cause=error.code)


def _carried_out(panel: Panel, step: Step, prompt: Prompt | None, answers_to: str) -> bool | None:
    if step is Step.LOOK:
        return panel.is_muted()
    if step in (Step.MUTE, Step.ASK_TO_OPEN):
        panel.mute(True, in_call=step is Step.ASK_TO_OPEN)
    if step in (Step.OPEN, Step.CLEAR):
        panel.mute(False, in_call=True)
    if prompt:
        panel.prompt(prompt, answers_to)
    return None


def _turned(outcome: Outcome, table: Table) -> tuple[Door, str]:
    if outcome.cause:
        return after_refusal(outcome.door, outcome.step, outcome.cause, table.now)
    return after(outcome.door, outcome.step, outcome.muted, table.now)


def _prompt(table: Table, door: Door, step: Step) -> Prompt | None:
    """What the panel asks, in the language of the installation; who reads it need not know who meets here."""
    left = max(30, int((table.ends_at - table.now).total_seconds()))
    token = token_of(table.reference, door.party_id)
    if step is Step.ASK_TO_START:
        title = _("A video conference is planned here")
        text = _(
            "%(reference)s begins when you press. Camera and microphone are switched on.", reference=table.reference
        )
        return Prompt(title, text, _("Begin"), token, left)
    if step is Step.ASK_TO_OPEN:
        title = _("Camera and microphone are off")
        text = _(
            "You are in the conference %(reference)s. Nobody sees or hears this room yet.", reference=table.reference
        )
        return Prompt(title, text, _("Switch on"), token, left)
    return None


def _signer() -> Signer:
    return Signer(settings().secret_key, salt=SIGNATURE)
