"""What booking costs before there are any rules: a Flask view that inserts the rows of a conference, and nothing else.
No member: bench/booking.py runs it as a process of its own."""

import sys
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import waitress
from flask import Flask, request
from flask.typing import ResponseReturnValue

from config import Settings
from models import Conference, Party, Reservation, db


def minimal_app(url: str) -> Flask:
    """POST /conferences {organisation_id, start, end, studio_ids} inserts a conference with its parties and
    reservations in one transaction, through the same engine, session and server as ours."""
    app = Flask(__name__)
    app.config.update(SQLALCHEMY_DATABASE_URI=url, STUDIONETT=Settings(database_url=url))
    db.init_app(app)

    @app.post("/conferences")
    def book() -> ResponseReturnValue:
        asked = request.get_json()
        start, end = datetime.fromisoformat(asked["start"]), datetime.fromisoformat(asked["end"])
        db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        key = db.session.scalar(sa.insert(Conference).values(_conference(asked, start, end)).returning(Conference.id))
        times = {"conference_id": key, "starts_at": start, "ends_at": end, "kind": "conference"}
        rows = [{"studio_id": studio_id, **times} for studio_id in asked["studio_ids"]]
        reservations = db.session.scalars(sa.insert(Reservation).returning(Reservation.id), rows).all()
        parties = zip(asked["studio_ids"], reservations, strict=True)
        db.session.execute(sa.insert(Party), [_party(key, n, *each) for n, each in enumerate(parties)])
        db.session.commit()
        return {"id": key}, 201

    return app


def _conference(asked: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "title": "Minimal",
        "purpose": "test",
        "organisation_id": asked["organisation_id"],
        "starts_at": start,
        "ends_at": end,
        "created_at": start,
        "uid": str(uuid.uuid4()),
    }


def _party(conference_id: int | None, position: int, studio_id: int, reservation_id: int) -> dict[str, Any]:
    return {
        "conference_id": conference_id,
        "position": position,
        "studio_id": studio_id,
        "reservation_id": reservation_id,
    }


if __name__ == "__main__":
    waitress.serve(minimal_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), threads=16, _quiet=True)
