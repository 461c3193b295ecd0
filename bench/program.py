"""What every measurement of the program needs: a key, the command, a demonstration. No member: it measures nothing."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from flask_migrate import upgrade

from app import create_app
from config import Settings
from demonstration.days import write_day

KEY = "a key for measurements, and for nothing else"
STUDIONETT = Path(sys.executable).with_name("studionett")


def demonstration(folder: str) -> str:
    """A database with the invented studios and a working day around now, without the year before."""
    url = f"sqlite:///{folder}/bench.db"
    environment = {**os.environ, "STUDIONETT_DATABASE_URL": url, "STUDIONETT_SECRET_KEY": KEY}
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        upgrade()
        subprocess.run([STUDIONETT, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        write_day(1, datetime.now(UTC))
    return url
