"""One endpoint as the monitor holds it in memory: what the inventory says, what polling saw, what isn't stored yet."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from devices.errors import DeviceError, Unauthorised
from devices.xapi import Codec, CodecStatus, Media, Peripherals
from models.monitoring import Health
from monitoring.profiles import FULL, SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, Identity, identity, uptime_seconds
from monitoring.rules import Cause, Patience, Poll, Pulse, Surroundings, Verdict, after, fault, stale_at, verdict
from monitoring.snmp.engine import Outcome, Reading, Target, Unreadable
from monitoring.tally import Tally
from monitoring.vendor_profiles import NOBODY, Profile, profile_for

# A codec whose control interface fails this often in a row can't be trusted to start its conferences.
CONTROL_FAILURES = 3
PEER_LIMIT = 255
# What a codec calls a call that people are in (xAPI, Status/Call/Status); the others are on their way up or down.
IN_CALL = frozenset({"Connected", "OnHold", "Preserved"})

POLLS = {
    Outcome.ANSWERED: Poll.ANSWERED,
    Outcome.TIMEOUT: Poll.MISSED,
    Outcome.BAD_ANSWER: Poll.MISSED,
    Outcome.LATE: Poll.LATE,
    Outcome.NOT_ASKED: Poll.IMPOSSIBLE,
    Outcome.REFUSED: Poll.REFUSED,
}
CAUSES: Mapping[str, Cause] = {
    Unreadable.ADDRESS: Cause.BAD_ADDRESS,
    Unreadable.VERSION: Cause.SNMP_VERSION,
    Unreadable.CREDENTIAL: Cause.SNMP_CREDENTIAL,
}
# Those of an outcome whatever its details.
OUTCOME_CAUSES = {Outcome.BAD_ANSWER: Cause.BAD_ANSWER, Outcome.REFUSED: Cause.SNMP_KEYS}


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the inventory says. `trouble` is why it can't be asked although it has an address.

    Equal is what is asked in the same way: what it says of itself doesn't count.
    """

    endpoint_id: int
    studio_id: int
    site_id: int
    target: Target | None
    codec: Codec | None
    identity: Identity = field(default_factory=Identity, compare=False)
    trouble: Cause = Cause.NONE


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    from_health: Health
    to_health: Health
    cause: Cause


@dataclass(slots=True, eq=False)
class Watched:
    equipment: Equipment
    pulse: Pulse
    verdict: Verdict
    since: datetime
    changed_at: datetime
    watched_since: datetime
    patience: Patience
    round_trip_ms: float | None = None
    uptime: float | None = None
    in_call: bool = False
    call_peer: str | None = None
    calls_seen_at: datetime | None = None
    steered_at: datetime | None = None
    due_at: datetime | None = None
    wanted_at: datetime | None = None
    closed: bool = False
    site_silent: bool = False
    booked: bool = False
    last_words: bool = False
    refusals: int = 0
    control_failures: int = 0
    control_fault: Cause = Cause.NONE
    peripherals: Peripherals | None = None
    peripherals_seen_at: datetime | None = None
    registered: bool | None = None
    media: Media | None = None
    learned: Identity | None = None
    profiles: str = ""
    profile: Profile = NOBODY
    unsupported: frozenset[str] = frozenset()
    probed_software: str | None = None
    device_well: bool | None = None
    tally: Tally = field(default_factory=Tally)
    changes: list[Change] = field(default_factory=list)
    unsaved: bool = False
    tile_changed: bool = False

    def heard(self, reading: Reading, *, asked_at: datetime) -> None:
        """Take in what one SNMP poll brought."""
        cause = OUTCOME_CAUSES.get(reading.outcome) or CAUSES.get(reading.detail, Cause.NO_ANSWER)
        if reading.outcome is Outcome.REFUSED:
            self.refusals += 1
        if reading.outcome in (Outcome.TIMEOUT, Outcome.BAD_ANSWER):
            self.tally.missed()
        if reading.answered:
            self.refusals, self.last_words = 0, False
            self._measure(reading)
            self._recognise(reading)
        self._beat(POLLS[reading.outcome], asked_at, reading.at, cause)

    def all_oids(self) -> tuple[str, ...]:
        """What a full read asks for: the objects of all equipment, and those of its kind that this very one knows."""
        return (*FULL, *(oid for oid in self.profile.oids if oid not in self.unsupported))

    def ask_anew(self) -> None:
        """Also for what it did not know before."""
        self.unsupported = frozenset()

    def cannot_ask(self, now: datetime) -> None:
        self._beat(Poll.IMPOSSIBLE, now, now, self.equipment.trouble)

    def saw(self, seen: CodecStatus, *, asked_at: datetime, now: datetime) -> None:
        """Take in what the codec itself tells of its calls and, now and then, of what is plugged in."""
        live = [call for call in seen.calls if call.status in IN_CALL]
        self.control_failures, self.control_fault = 0, Cause.NONE
        self.calls_seen_at, self.steered_at = now, asked_at
        if seen.peripherals is not None:
            self.peripherals, self.peripherals_seen_at = seen.peripherals, now
            self.registered = seen.registered
        self.media = seen.media
        if seen.media:
            self.tally.heard_media(seen.media.loss_percent, seen.media.jitter_ms)
        self._settle_control(Poll.ANSWERED, asked_at, now)
        if self._is_heard:  # it may have been found dead while this answer was under way
            self._show_call(bool(live), live[0].remote_number[:PEER_LIMIT] if live else None)

    def control_failed(self, error: DeviceError, *, asked_at: datetime, now: datetime) -> None:
        self.control_failures += 1
        if isinstance(error, Unauthorised):
            self.control_fault = Cause.CONTROL_REFUSED
        elif self.control_failures >= CONTROL_FAILURES:
            self.control_fault = Cause.CONTROL_SILENT
        if self.control_fault:
            self.peripherals = self.media = None
        self._settle_control(Poll.MISSED, asked_at, now)

    def judge(self, now: datetime) -> None:
        """Decide the health anew; only a changed one becomes a change to be stored.

        What nobody polled is unknown from the moment that its last poll was too old, however much later that is seen.
        """
        around = Surroundings(self.watched_since, self.closed, self.site_silent, self._fault, self._is_steered)
        found = verdict(self.pulse, around, now=now, patience=self.patience)
        if found == self.verdict:
            return
        if found.health is not self.verdict.health:
            at = now if found.cause is not Cause.STALE else stale_at(self.pulse, around, self.patience)
            # After a clock was set back too, changes keep their order, and no two have one moment: it names a change.
            self.since = max(at, self.since + timedelta(microseconds=1))
            self.changes.append(Change(self.since, self.verdict.health, found.health, found.cause))
        self.verdict = found
        self.unsaved = self.tile_changed = True
        if not self._is_heard:
            self.peripherals = self.media = None
            self._show_call(False, None)

    def shadow(self, site_silent: bool, now: datetime) -> None:
        """Its whole site is out of contact, or no longer so."""
        if site_silent is not self.site_silent:
            self.site_silent = site_silent
            self.judge(now)

    def become(self, equipment: Equipment) -> None:
        """The inventory says something else now: what the equipment before told of itself holds no longer."""
        self.equipment = equipment
        self.refusals = self.control_failures = 0
        self.control_fault, self.peripherals, self.media = Cause.NONE, None, None
        self.profile, self.unsupported, self.device_well = NOBODY, frozenset(), None

    def wants_peripherals(self, now: datetime, every: timedelta) -> bool:
        """Whether it's time to ask the codec again what is plugged in."""
        seen_at = self.peripherals_seen_at
        if self.peripherals is None or seen_at is None:
            return True
        return not seen_at <= now < seen_at + every  # nor wait until a clock that was set back has caught up

    def stored(self, changes: int, learned: Identity | None, at: datetime) -> None:
        """This much has been stored, at that time; what came meanwhile hasn't."""
        del self.changes[:changes]
        self.changed_at = at
        if learned is not None and learned == self.learned:
            self.equipment, self.learned = replace(self.equipment, identity=learned), None

    @property
    def is_down(self) -> bool:
        return self.pulse.down

    def row(self) -> dict[str, Any]:
        """The columns of endpoint_status."""
        media = self.media if self.in_call else None
        return {
            "health": self.verdict.health,
            "since": self.since,
            "cause": str(self.verdict.cause),
            "changed_at": self.changed_at,
            "last_poll_at": self.pulse.polled_at,
            "last_answer_at": self.pulse.answered_at,
            "round_trip_ms": self.round_trip_ms,
            "misses": self.pulse.misses,
            "uptime_seconds": self.uptime,
            "in_call": self.in_call,
            "call_peer": self.call_peer,
            "calls_seen_at": self.calls_seen_at,
            "peripherals": asdict(self.peripherals) if self.peripherals and self._is_heard else None,
            "registered": self.registered if self.peripherals and self._is_heard else None,
            "loss_percent": media.loss_percent if media else None,
            "jitter_ms": media.jitter_ms if media else None,
            "unsupported": sorted(self.unsupported) or None,
            "probed_software": self.probed_software,
            "due_at": self.due_at,
        }

    @property
    def _fault(self) -> Cause:
        plugged = self.peripherals or Peripherals()
        return fault(
            self.control_fault,
            cameras=plugged.cameras.values(),
            microphones=plugged.microphones.values(),
            device_well=self.device_well,
            registered=self.registered if self.peripherals else None,
            loss_percent=self.media.loss_percent if self.media else None,
        )

    @property
    def _is_steered(self) -> bool:
        """Whether its control interface answered since SNMP fell silent: then it lives, and only SNMP is lost."""
        silent_since, asked_at = self.pulse.missed_since, self.steered_at
        return bool(silent_since and asked_at and asked_at >= silent_since and not self.control_failures)

    @property
    def _is_heard(self) -> bool:
        """What an unheard endpoint last told of its calls holds no longer."""
        known = self.verdict.health in (Health.OK, Health.DEGRADED, Health.MAINTENANCE)
        return known and (not self.pulse.down or self._is_steered)

    def _measure(self, reading: Reading) -> None:
        if reading.round_trip is not None:
            self.round_trip_ms = round(reading.round_trip * 1000, 2)
            self.tally.answered(self.round_trip_ms)
        if SYS_UPTIME in reading.values:
            self.uptime = uptime_seconds(reading.values)
        if reading.values.get(SYS_DESCR):
            known = self.equipment.identity
            found = known.updated(identity(reading.values))
            self.learned = found if found != known else None

    def _recognise(self, reading: Reading) -> None:
        """Of which kind it is, and what its kind tells. An object that it does not know is not asked for again, until
        its software is another one."""
        software = (self.learned or self.equipment.identity).software
        if software != self.probed_software:
            self.unsupported, self.probed_software = frozenset(), software
        if isinstance(object_id := reading.values.get(SYS_OBJECT_ID), str):
            self.profile = profile_for(object_id, self.profiles)
        asked = [oid for oid in self.profile.oids if oid in reading.values]
        if not asked:
            return
        self.unsupported |= {oid for oid in asked if reading.values[oid] is None} - self.profile.fleeting
        told = self.profile.read(reading.values)
        self.device_well = told.device_well
        if self.equipment.codec is None:
            self.peripherals, self.registered = told.peripherals or Peripherals(), told.registered
            media = told.loss_percent is not None and told.jitter_ms is not None
            self.media = Media(told.loss_percent or 0.0, told.jitter_ms or 0.0) if media else None
            if told.calls is not None:
                self.calls_seen_at = reading.at
                self._show_call(told.calls > 0, None)

    def _settle_control(self, poll: Poll, asked_at: datetime, now: datetime) -> None:
        """Without SNMP the control interface is the only sign of life; with it, only its faults count."""
        if self.equipment.target is None:
            self._beat(poll, asked_at, now, Cause.NO_ANSWER)
        else:
            self.unsaved = True
            self.judge(now)

    def _beat(self, poll: Poll, asked_at: datetime, now: datetime, cause: Cause) -> None:
        before = self.pulse
        patience = self.patience
        if self.last_words:  # it said itself that it may be gone
            patience = replace(patience, over=patience.over / 2)
        self.pulse = after(before, poll, asked_at=asked_at, now=now, patience=patience, cause=cause)
        self.last_words = self.last_words and not self.pulse.down
        self.unsaved = self.unsaved or self.pulse != before
        self.judge(now)

    def _show_call(self, in_call: bool, peer: str | None) -> None:
        if (in_call, peer) != (self.in_call, self.call_peer):
            self.in_call, self.call_peer = in_call, peer
            self.unsaved = self.tile_changed = True
