"""The periodic quality test of a studio: what a technician found. The caller commits."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from flask_babel import gettext as _

from accounts.audit import record
from errors import Invalid
from models import Account, Event, QualityTest, Studio, db

LONGEST_NOTE = 500


@dataclass(frozen=True)
class Found:
    """What was good; what was not tried is not."""

    picture: bool
    sound_out: bool
    sound_in: bool
    no_echo: bool
    network: bool


def record_test(studio: Studio, tested_on: date, found: Found, note: str, person: Account, today: date) -> QualityTest:
    """The studio's last test is the latest by its day. Raises Invalid for a day that has not come yet."""
    note = " ".join(note.split())
    if tested_on > today:
        raise Invalid(_("The test cannot have been made on a day that has not come yet."), "tested_on")
    if len(note) > LONGEST_NOTE:
        raise Invalid(_("A note has at most %(most)s characters.", most=LONGEST_NOTE), "note")
    made = {"studio_id": studio.id, "tested_on": tested_on, "tested_by_id": person.id, "note": note}
    test = QualityTest(**made, **asdict(found), recorded_at=datetime.now(UTC))
    db.session.add(test)
    before = {"tested_on": str(studio.quality_tested_on or ""), "passed": studio.quality_test_passed}
    if studio.quality_tested_on is None or tested_on >= studio.quality_tested_on:
        studio.quality_tested_on, studio.quality_test_passed = tested_on, test.passed
    kind = "studio.quality_passed" if test.passed else "studio.quality_failed"
    db.session.add(Event(at=test.recorded_at, kind=kind, studio_id=studio.id, account_id=person.id, details={}))
    after = {"tested_on": str(tested_on), "passed": test.passed, **asdict(found)}
    record("studio.quality_tested", studio.code, before=before, after=after)
    return test


def last_test(studio: Studio) -> QualityTest | None:
    query = db.select(QualityTest).filter_by(studio_id=studio.id)
    return db.session.scalar(query.order_by(QualityTest.tested_on.desc(), QualityTest.id.desc()).limit(1))
