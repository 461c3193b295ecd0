"""What the main pages take: time and compressed size with 900 studios and a day of conferences, against /healthz."""

import argparse
import gzip
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
import waitress
from flask import Flask
from flask_migrate import upgrade

from accounts.people import begin_session
from app import create_app
from bench.table import Figure, show
from config import Settings
from demonstration.days import write_day
from models import Account, Role, db, write
from tests import factories

KEY = "a key for measurements, and for nothing else"
NOTHING = "/healthz"
PAGES = (
    "/sign-in",
    "/book",
    "/conferences/",
    "/studios/",
    "/status",
    "/status/heartbeat",
    "/operation/processes",
    "/reports/",
    "/readyz",
)
STUDIONETT = Path(sys.executable).with_name("studionett")


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench pages", description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="How often each page is asked for.")
    parser.add_argument("--database", help="A filled one; otherwise a demonstration is made, which takes a while.")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or demonstration(folder)
        app = create_app(Settings(database_url=url, secret_key=KEY))
        with app.app_context():
            cookie = _signed_in(app)
        show(_measure(app, cookie, options.times))


def demonstration(folder: str) -> str:
    """A database with the invented studios and a working day around now, without the year before."""
    url = f"sqlite:///{folder}/bench.db"
    environment = {**os.environ, "STUDIONETT_DATABASE_URL": url, "STUDIONETT_SECRET_KEY": KEY}
    with create_app(Settings(database_url=url, secret_key=KEY)).app_context():
        upgrade()
        subprocess.run([STUDIONETT, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        write_day(1, datetime.now(UTC))
    return url


def _signed_in(app: Flask) -> str:
    """The cookie of an administrator, who may see every page."""
    token = write(lambda: begin_session(administrator()))
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = token, True
    cookie = client.get_cookie("studionett")
    assert cookie is not None
    return str(cookie.value)


def administrator() -> Account:
    found = db.session.scalar(db.select(Account).filter_by(email="administrator@demo.example"))
    return found or factories.account(role=Role.ADMINISTRATOR)


def _measure(app: Flask, cookie: str, times: int) -> list[Figure]:
    """Over real HTTP on loopback, so that /healthz shows what the server and the wire alone take."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{server.effective_port}"
    with httpx.Client(base_url=address, cookies={"studionett": cookie}, trust_env=False, timeout=60) as client:
        bare = _median(client, NOTHING, times)
        figures = [Figure(f"{NOTHING}: time", bare * 1000, "ms")]
        for page in PAGES:
            answer = client.get(page)
            if answer.is_redirect:
                page = urlsplit(answer.headers["Location"]).path
                answer = client.get(page)
            if answer.status_code != 200:
                sys.exit(f"bench pages: {page} answers {answer.status_code}")
            taken = _median(client, page, times)
            figures.append(Figure(f"{page}: time", taken * 1000, "ms", taken / bare, NOTHING))
            figures.append(Figure(f"{page}: compressed", len(gzip.compress(answer.content)) / 1000, "kB"))
    return figures


def _median(client: httpx.Client, page: str, times: int) -> float:
    """Seconds."""
    taken = []
    for _ in range(times + 2):
        began = time.perf_counter()
        client.get(page)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[2:])  # the first compile templates


if __name__ == "__main__":
    main()
