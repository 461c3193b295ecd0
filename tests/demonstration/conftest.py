"""Databases with a demonstration in them, made once and copied for each test: its hospitals' and authorities' studios
alone, which are enough and soon written."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from demonstration import days, inventory, people
from demonstration.inventory_plan import plan_sites, plan_studios
from demonstration.places import hospitals, municipalities
from models import OrganisationKind, db, write
from tests.conftest import Postgres, settings_for

NOW = datetime(2026, 11, 26, 9, 20, 30, tzinfo=UTC)  # a Thursday
DAYS = 3
FEW = (OrganisationKind.HEALTH_TRUST, OrganisationKind.REGIONAL_AUTHORITY, OrganisationKind.NETWORK_OWNER)
OVERLAPS = """
SELECT count(*) FROM reservation a JOIN reservation b ON a.studio_id = b.studio_id AND a.id < b.id
WHERE a.starts_at < b.ends_at AND b.starts_at < a.ends_at AND a.released_at IS NULL AND b.released_at IS NULL
"""


def no_progress(done: int, total: int) -> None:
    pass


def install_few() -> None:
    sites = [site for site in plan_sites(1, hospitals(), municipalities()) if site.kind in FEW]
    studios = plan_studios(1, sites)
    write(lambda: inventory.install(sites, studios, NOW - timedelta(days=1), no_progress))
    write(people.keep_accounts)


def write_three_days() -> None:
    install_few()
    days.write_year(1, NOW, no_progress, DAYS)


class Templates:
    """By dialect and what fills them: a file, or the name of a database."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self._folder, self._request = folder, request
        self._made: dict[tuple[str, str], str] = {}

    @contextmanager
    def copy(self, dialect: str, fill: Callable[[], None], place: Path) -> Iterator[str]:
        template = self._template(dialect, fill)
        if dialect == "sqlite":
            shutil.copy(template, place)
            yield f"sqlite:///{place}"
            return
        server: Postgres = self._request.getfixturevalue("postgres")
        name = server.create(template)
        yield server.url(name)
        server.drop(name)

    def _template(self, dialect: str, fill: Callable[[], None]) -> str:
        key = (dialect, fill.__name__)
        if key not in self._made:
            self._made[key] = self._sqlite(fill) if dialect == "sqlite" else self._postgresql(fill)
        return self._made[key]

    def _sqlite(self, fill: Callable[[], None]) -> str:
        path = self._folder / f"{fill.__name__}.db"
        shutil.copy(self._request.getfixturevalue("sqlite_template"), path)
        _fill(f"sqlite:///{path}", fill)
        return str(path)

    def _postgresql(self, fill: Callable[[], None]) -> str:
        server: Postgres = self._request.getfixturevalue("postgres")
        name = server.create(self._request.getfixturevalue("postgres_template"))
        _fill(server.url(name), fill)
        return name


def _fill(url: str, fill: Callable[[], None]) -> None:
    app = create_app(settings_for(url))
    with app.app_context():
        fill()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Templates:
    return Templates(tmp_path_factory.mktemp("demonstration"), request)


def _opened(url: str) -> Iterator[Flask]:
    app = create_app(settings_for(url))
    app.config.update(TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def installed(dialect: str, templates: Templates, tmp_path: Path) -> Iterator[Flask]:
    """The demonstration's studios and accounts."""
    with templates.copy(dialect, install_few, tmp_path / "installed.db") as url:
        yield from _opened(url)


@pytest.fixture
def year(dialect: str, templates: Templates, tmp_path: Path) -> Iterator[Flask]:
    """Three days of one, with their usage."""
    with templates.copy(dialect, write_three_days, tmp_path / "year.db") as url:
        yield from _opened(url)
