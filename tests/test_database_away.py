"""What people and programs see while the database is away, and that all carry on when it is back."""

import os
from pathlib import Path

import pytest

from accounts.people import add_account
from app import create_app
from models import Role, db, write
from tests.conftest import settings_for

PASSWORD = "correct horse battery"


@pytest.fixture
def away(app, database_url, dialect, request):
    """Call it to take the database away; call what it returns to bring it back."""

    def take() -> object:
        db.session.remove()
        db.engine.dispose()
        if dialect == "sqlite":
            path = Path(database_url.removeprefix("sqlite:///"))
            aside = path.with_suffix(".away")
            for end in ("", "-wal", "-shm"):
                if os.path.exists(f"{path}{end}"):
                    os.rename(f"{path}{end}", f"{aside}{end}")
            path.mkdir()  # a folder opens as no database
            return lambda: (path.rmdir(), os.rename(aside, path))
        admin = request.getfixturevalue("postgres")._admin
        name = db.engine.url.database
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        return lambda: admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    return take


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}, {"Accept": "application/json"}])
def test_pages_say_that_the_database_is_away_and_answer_again_when_it_is_back(app, away, headers):
    write(lambda: add_account("ada@example.org", "Ada", PASSWORD, [(Role.ADMINISTRATOR, None)]).id)
    client = app.test_client()
    client.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    assert client.get("/status").status_code == 200
    bring_back = away()
    for address in ("/status", "/book", "/conferences/", "/nowhere"):
        answer = client.get(address, headers=headers)
        # What needs no database is answered even now, where it is not written for people.
        wanted = 404 if address == "/nowhere" and "Accept" in headers else 503
        assert (address, answer.status_code) == (address, wanted)
    assert client.post("/sign-in", data={"email": "a@b.no", "password": "p"}, headers=headers).status_code == 503
    assert client.get("/healthz").status_code == 200
    bring_back()
    assert client.get("/status", headers=headers).status_code == 200


def test_a_database_without_tables_is_told_in_words_too(empty_database_url):
    client = create_app(settings_for(empty_database_url)).test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "a token"
    answer = client.get("/status")
    assert answer.status_code in (500, 503)
    assert "<main" in answer.text
