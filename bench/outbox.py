"""How fast the outbox is sent to a mail server on this machine, against the same mails without the outbox."""

import argparse
import logging
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.headerregistry import Address

import structlog
from flask_migrate import upgrade

from app import create_app
from bench.table import Figure, show
from config import MailServer, Settings
from messages.composing import compose
from messages.outbox import queue
from messages.sending import send_due
from messages.smtp import connected
from models import write

SENDER, RECIPIENT = Address("Studionett", addr_spec="studionett@example.org"), "eva@example.org"
BODY = "The usage of the studios yesterday.\n" * 20
SWEEPS = 200  # with nothing due


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench outbox", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--database", help="an empty one; a SQLite file of its own otherwise")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder, _mail_server() as server:
        url = options.database or f"sqlite:///{folder}/outbox.db"
        app = create_app(Settings(database_url=url, secret_key="bench", smtp_url=server, mail_from=SENDER))
        with app.app_context():
            upgrade()
            _measure(options.mails, server)


def _measure(mails: int, server: MailServer) -> None:
    queued = _seconds(lambda: write(lambda: _queue(mails)))
    sent = _seconds(lambda: _send_all(mails))
    bare = _seconds(lambda: _send_without(mails, server))
    idle = _seconds(lambda: [send_due() for _ in range(SWEEPS)])
    show(
        [
            Figure("queued in one change", mails / queued, "mails/s"),
            Figure("sent without the outbox", mails / bare, "mails/s"),
            Figure("sent from the outbox", mails / sent, "mails/s", bare / sent, "sent without the outbox"),
            Figure("a sweep with nothing due", idle / SWEEPS * 1000, "ms"),
        ]
    )


def _queue(mails: int) -> None:
    for number in range(mails):
        queue(key=f"bench-{number}", recipient=RECIPIENT, subject=f"Usage {number}", body=BODY)


def _send_all(mails: int) -> None:
    sent = 0
    while sent < mails:
        some = send_due()
        if not some:
            sys.exit(f"The mail server took {sent} of {mails} mails.")
        sent += some


def _send_without(mails: int, server: MailServer) -> None:
    now = datetime.now(UTC)
    with connected(server) as connection:
        for number in range(mails):
            mail = compose(
                key=f"bare-{number}", created_at=now, sender=SENDER, recipient=RECIPIENT, subject="Usage", body=BODY
            )
            connection.hand_over(SENDER.addr_spec, RECIPIENT, mail.as_bytes(), time.monotonic() + 60)


@contextmanager
def _mail_server() -> Iterator[MailServer]:
    """One that throws away what it takes, in a process of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(port, process)
            yield MailServer("127.0.0.1", port)
        finally:
            process.terminate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("The mail server did not start; it comes with the test requirements.")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
