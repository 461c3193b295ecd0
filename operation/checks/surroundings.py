"""What stands around: the files that set-up makes, the mail server, the processes, the demonstration's accounts."""

from pathlib import Path
from threading import Thread

import config
from accounts.people import password_is_right
from accounts.queries import account_by_email
from config import Settings
from demonstration.notice import is_for_this_machine
from demonstration.people import ACCOUNTS, PASSWORD
from messages.smtp import MailFailed, connected
from operation.checks.finding import Finding, ok, warning, wrong
from operation.queries import processes
from operation.rules import NEEDED, Kind

MAIL_PATIENCE = 10.0  # seconds
ASSETS = ("htmx.min.js", "designsystemet.css", "theme.css", "inter.css")


def translations(_found: Settings, root: Path = config.ROOT) -> Finding:
    catalogues = sorted(root.glob("translations/*/LC_MESSAGES/messages.po"))
    stale = [path.parts[-3] for path in catalogues if not _is_compiled(path)]
    if stale:
        return wrong(f"Not compiled since they changed: {', '.join(stale)}. Run script/setup.")
    return ok("The pages' languages are compiled.")


def _is_compiled(catalogue: Path) -> bool:
    compiled = catalogue.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= catalogue.stat().st_mtime


def assets(_found: Settings, root: Path = config.ROOT) -> Finding:
    if missing := [name for name in ASSETS if not (root / "static/vendor" / name).is_file()]:
        return wrong(f"The pages lack {', '.join(missing)} in static/vendor: run script/setup.")
    return ok("The pages' style and script files are installed.")


def mail(found: Settings) -> Finding:
    if found.smtp_url is None:
        return warning("No mail server is set, so mail waits and expires; set STUDIONETT_SMTP_URL.")
    trial = _Trial(found)
    trial.start()
    trial.join(MAIL_PATIENCE)
    if trial.is_alive():
        return wrong(f"The mail server did not answer within {MAIL_PATIENCE:g} s; look at STUDIONETT_SMTP_URL.")
    return wrong(f"{trial.trouble} Look at STUDIONETT_SMTP_URL.") if trial.trouble else ok("The mail server answers.")


class _Trial(Thread):
    """A connection to the mail server, in a thread so that nobody waits for it longer than he wants."""

    def __init__(self, found: Settings) -> None:
        super().__init__(daemon=True)
        self._found = found
        self.trouble = ""

    def run(self) -> None:
        assert self._found.smtp_url is not None
        try:
            with connected(self._found.smtp_url, self._found.smtp_ca):
                pass
        except MailFailed as error:
            self.trouble = str(error)


def demonstration_accounts(found: Settings) -> Finding:
    """Their password stands in the program for everyone to read."""
    there = [one.email for one in ACCOUNTS if _is_open(one.email)]
    if not there:
        return ok("No account has the demonstration's password.")
    if is_for_this_machine(found):
        return ok(f"{len(there)} demonstration accounts, on this machine only.")
    if found.demonstration_sign_in:
        return warning(
            f"{len(there)} demonstration accounts are open to all, as STUDIONETT_DEMONSTRATION_SIGN_IN asks."
        )
    return wrong(f"Everybody knows the password of {', '.join(there)}: disable these accounts or give them another.")


def _is_open(email: str) -> bool:
    account = account_by_email(email)
    return account is not None and password_is_right(account, PASSWORD)


def running(_found: Settings) -> list[Finding]:
    found, _now = processes()
    silent = [
        warning(f"{one.name} on {one.host or 'a machine unknown'} is silent since {one.beat_at:%Y-%m-%d %H:%M} UTC.")
        for one in found
        if one.silent
    ]
    alive = {one.kind for one in found if not one.silent}
    missing = [
        warning(f"No {kind} is running, so {CONSEQUENCES[kind]}; start it: studionett {kind}.")
        for kind in NEEDED
        if kind not in alive
    ]
    return [*silent, *missing] or [ok(f"Running: {', '.join(kind for kind in Kind if kind in alive)}.")]


CONSEQUENCES = {Kind.SCHEDULER: "calls do not start or stop", Kind.MONITOR: "studios are not watched"}
