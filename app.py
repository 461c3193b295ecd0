"""The only place where the parts meet: the Flask application and the `studionett` command."""

import hashlib
import signal
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import click
import waitress
from flask import Flask, Response, current_app, request, url_for
from flask.cli import FlaskGroup
from flask_babel import Babel
from flask_babel import lazy_gettext as _l
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from sqlalchemy.exc import DatabaseError

import accounts.about
import accounts.commands
import accounts.permissions
import accounts.token_pages
import accounts.views
import api.jobs
import api.views
import demonstration.commands
import demonstration.notice
import errors
import logs
import messages.commands
import messages.jobs
import monitoring.api.incidents
import monitoring.api.status
import monitoring.commands
import monitoring.discovery
import monitoring.incident_pages
import monitoring.jobs
import monitoring.lookout
import monitoring.studio_pages
import monitoring.views
import monitoring.wallboard
import operation.commands
import operation.requests
import operation.views
import reports.commands
import reports.jobs
import reports.views
import scheduler.commands
import scheduler.views
import simulation.commands
import studios.booking.action_pages
import studios.booking.api.blueprints
import studios.booking.api.references
import studios.booking.call_pages
import studios.booking.closure_pages
import studios.booking.commands
import studios.booking.desk.aside
import studios.booking.desk.instead
import studios.booking.desk.views
import studios.booking.feed_pages
import studios.booking.jobs
import studios.booking.pages
import studios.booking.request_pages
import studios.booking.series_pages
import studios.booking.views
import studios.calendars.views
import studios.inventory.commands
import studios.inventory.quality_pages
import studios.inventory.upkeep_pages
import studios.inventory.views
from accounts.language import DEFAULT_LANGUAGE, language
from accounts.permissions import access, is_for_tokens, public
from config import ROOT, ConfigurationError, Settings, settings
from models import db
from models.heartbeat import Heart
from operation.rules import Kind

DATABASE_PATIENCE = 5  # seconds
CONNECTIONS = 32  # kept open in a process; as many more when all its threads want one
LARGEST_REQUEST = 1_000_000  # bytes
YEAR = 365 * 24 * 3600
PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-proto"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    # the design system draws its small marks as data: images
    "frame-ancestors 'none'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app(found: Settings | None = None) -> Flask:
    """The application, with every part in its place. Starts no thread and touches no network."""
    found = found or Settings.from_environment()
    app = Flask(__name__, root_path=str(ROOT))
    app.config.update(
        STUDIONETT=found,
        SECRET_KEY=found.secret_key,
        SQLALCHEMY_DATABASE_URI=found.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(found),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=found.secure_cookies,
        SESSION_COOKIE_NAME="studionett",
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as the session that it was shown in
        BABEL_DEFAULT_LOCALE=DEFAULT_LANGUAGE,
        BABEL_DEFAULT_TIMEZONE=found.zone,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
    )
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    Babel(app, locale_selector=language)
    operation.requests.init_app(app)
    csrf = CSRFProtect(app)
    csrf.exempt(scheduler.views.blueprint)  # codecs have no form's token; the address itself is the secret
    errors.init_app(app)
    accounts.views.init_app(app)
    app.register_blueprint(accounts.about.blueprint)
    app.register_blueprint(accounts.token_pages.blueprint)
    accounts.permissions.init_app(app)
    monitoring.lookout.init_app(app)
    _add_pages(app)
    _add_api(app, csrf)
    _add_commands(app)
    app.extensions["repeated"] = [
        *api.jobs.REPEATED,
        *messages.jobs.REPEATED,
        *monitoring.jobs.REPEATED,
        *reports.jobs.REPEATED,
        *studios.booking.jobs.REPEATED,
    ]
    app.after_request(_add_headers)
    return app


def main() -> None:
    try:
        found = Settings.from_environment()
        logs.configure(found.log_format, found.log_level, _process(sys.argv))
        app = create_app(found)
    except ConfigurationError as error:
        if sys.argv[1:] == ["check"]:
            print(operation.commands.wrong_settings())
            sys.exit(1)
        sys.exit(f"studionett: {error}")
    group = FlaskGroup(
        name="studionett",
        create_app=lambda: app,
        add_default_commands=False,
        add_version_option=False,
        set_debug_flag=False,
        load_dotenv=False,
        help="Books, runs and watches the video conferences of a health network.",
    )
    group.params = []  # Flask's own: which application, which environment file; here there is one
    try:
        group()
    except DatabaseError as error:
        reason = str(error.orig or error).splitlines()[0]
        sys.exit(f"studionett: the database refuses: {reason}. Is it there, and was `studionett db upgrade` run?")


def _process(arguments: list[str]) -> str:
    """What this process is, for its log: one of those that run until stopped, or a command."""
    name = arguments[1] if len(arguments) > 1 else ""
    return name if name in logs.PROCESSES else "command"


def _engine_options(found: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"pool_size": CONNECTIONS, "max_overflow": CONNECTIONS, "pool_pre_ping": True}
    options["hide_parameters"] = True  # a failed statement's values are people's, and would be logged
    if found.database_url.startswith("postgresql"):
        # A server that drops packets must not hold our threads for TCP's own patience of two minutes.
        options["connect_args"] = {"connect_timeout": DATABASE_PATIENCE}
    return options


def _add_pages(app: Flask) -> None:
    app.add_url_rule("/healthz", view_func=healthz)
    app.register_blueprint(monitoring.views.blueprint)
    app.register_blueprint(monitoring.incident_pages.blueprint)
    app.register_blueprint(monitoring.studio_pages.blueprint)
    app.register_blueprint(monitoring.discovery.blueprint)
    app.register_blueprint(studios.inventory.upkeep_pages.blueprint)
    app.register_blueprint(monitoring.wallboard.blueprint)
    app.register_blueprint(studios.inventory.views.blueprint)
    app.register_blueprint(studios.inventory.quality_pages.blueprint)
    app.register_blueprint(studios.booking.action_pages.blueprint)
    app.register_blueprint(studios.booking.closure_pages.blueprint)
    app.register_blueprint(studios.booking.feed_pages.blueprint)
    app.register_blueprint(studios.booking.request_pages.blueprint)
    app.register_blueprint(studios.booking.series_pages.blueprint)
    app.register_blueprint(studios.booking.pages.blueprint)
    app.register_blueprint(studios.calendars.views.blueprint)
    app.register_blueprint(reports.views.blueprint)
    app.register_blueprint(scheduler.views.blueprint)
    operation.views.init_app(app, DATABASE_PATIENCE)
    app.jinja_env.globals.update(asset=_asset, language=language, navigation=_navigation)
    app.jinja_env.globals.update(demonstration=demonstration.notice.demonstration, publisher=_publisher)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _add_api(app: Flask, csrf: CSRFProtect) -> None:
    """The addresses for programs. No cookie opens them for writing, so there is no form's token to ask for."""
    app.url_map.converters["reference"] = studios.booking.api.references.ReferenceConverter
    of_monitoring = (monitoring.api.status.blueprint, monitoring.api.incidents.blueprint)
    for blueprint in (api.views.blueprint, api.views.pages, *studios.booking.api.blueprints.BLUEPRINTS, *of_monitoring):
        app.register_blueprint(blueprint)
    for view in app.view_functions.values():
        if is_for_tokens(view):
            csrf.exempt(view)


def _add_commands(app: Flask) -> None:
    commands = (
        accounts.commands.token,
        accounts.commands.user,
        demonstration.commands.demo,
        messages.commands.mail,
        monitoring.commands.monitor,
        monitoring.commands.on_call,
        operation.commands.check,
        reports.commands.report,
        scheduler.commands.scheduler,
        simulation.commands.fleet,
        studios.booking.commands.bridge,
        studios.booking.commands.studio,
        studios.inventory.commands.credential,
        studios.inventory.commands.inventory,
        web,
    )
    for command in commands:
        app.cli.add_command(command)


@public
def healthz() -> str:
    """The process answers; whether all is well is for pages that people sign in to."""
    return "ok"


@click.command()
@click.option("--host", help="Address to listen on; STUDIONETT_HOST otherwise.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on; STUDIONETT_PORT otherwise.")
def web(host: str | None, port: int | None) -> None:
    """Serve the pages until stopped."""
    app, found = cast(Flask, current_app._get_current_object()), settings()  # type: ignore[attr-defined]
    address, number = host or found.host, port or found.port
    app.config["STUDIONETT"] = replace(found, host=address, port=number)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = serving(app, address, number)
    except OSError as error:
        raise click.ClickException(
            f"The pages cannot be served on {address}:{number}: {error.strerror}. Another port: --port."
        ) from None
    except ValueError:  # waitress's word for a name that leads nowhere
        raise click.ClickException(f"The pages cannot be served on {address}:{number}: no such address.") from None
    click.echo(f"The pages are served on http://{address}:{number}")
    heart = Heart(Kind.WEB, app.app_context, lambda: app.extensions["answered"])
    heart.start()
    try:
        server.run()
    finally:
        heart.stop()


def serving(app: Flask, address: str, port: int) -> waitress.server.BaseWSGIServer:
    """The server of the pages, listening. Headers that only a proxy may set are dropped when others send them."""
    found: Settings = app.config["STUDIONETT"]
    proxy = (
        {"trusted_proxy": found.trusted_proxy, "trusted_proxy_headers": PROXY_HEADERS} if found.trusted_proxy else {}
    )
    return waitress.create_server(
        app, host=address, port=port, threads=found.threads, ident="", clear_untrusted_proxy_headers=True, **proxy
    )


@dataclass(frozen=True)
class Entry:
    """A line of the main menu."""

    name: str
    address: str
    is_here: bool


MENU = (
    ("booking.book", _l("Book")),
    ("booking.conferences", _l("Conferences")),
    ("calendar.index", _l("Calendar")),
    ("inventory.studios", _l("Studios")),
    ("monitoring.status", _l("Status")),
    ("reports.index", _l("Reports")),
    ("operation.overview", _l("Processes")),
)


def _navigation() -> list[Entry]:
    """The pages that the signed-in person may open."""
    views = current_app.view_functions
    return [
        Entry(str(name), url_for(endpoint), request.path.startswith(url_for(endpoint)))
        for endpoint, name in MENU
        if endpoint in views and access().has(*getattr(views[endpoint], "allowed_roles", ()))
    ]


def _publisher() -> str:
    return settings().publisher


def _asset(name: str) -> str:
    """The address of a static file, with its content's mark, so that browsers may keep it for a year."""
    return url_for("static", filename=name, v=_content_mark(name))


@cache
def _content_mark(name: str) -> str:
    path = Path(ROOT, "static", name)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else "missing"


def _add_headers(response: Response) -> Response:
    response.headers.extend(HEADERS)
    response.vary.add("HX-Request")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.update(["Cookie", "Accept-Language"])
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    return response
