"""The only place where the parts meet: the Flask application and the `studionett` command."""

import sys

from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import Migrate

from config import ROOT, ConfigurationError, Settings
from models import db


def create_app(settings: Settings | None = None) -> Flask:
    """The application, with every part in its place. Starts no thread and touches no network."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__, root_path=str(ROOT))
    app.config.update(
        STUDIONETT=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
    )
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    return app


def main() -> None:
    try:
        app = create_app()
    except ConfigurationError as error:
        sys.exit(f"studionett: {error}")
    FlaskGroup(name="studionett", create_app=lambda: app, add_default_commands=False, load_dotenv=False)()
