import pytest

from models import Organisation, OrganisationKind, db, write


def _organisation(name: str) -> Organisation:
    return Organisation(name=name, kind=OrganisationKind.HEALTH_TRUST, health_region="Nord")


def test_a_write_inside_a_write_is_refused_aloud_and_leaves_nothing(app):
    def outer() -> None:
        db.session.add(_organisation("Outer"))
        db.session.flush()
        write(lambda: db.session.add(_organisation("Inner")))

    with pytest.raises(RuntimeError, match="inside another"):
        write(outer)
    assert db.session.scalar(db.select(db.func.count()).select_from(Organisation)) == 0
    write(lambda: db.session.add(_organisation("After")))
    assert db.session.scalars(db.select(Organisation.name)).all() == ["After"]
