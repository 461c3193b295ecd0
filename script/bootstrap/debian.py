"""Debian's packages that the tests use: a browser, and peers that nobody here has written."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import FailedError, cause_of, refusal, run
from bootstrap.step import Step

WANTED = {
    "chromium": "usr/bin/chromium",
    "libatomic1": "usr/lib/*/libatomic.so.1",  # what drives the browser is linked with it
    "snmpd": "usr/sbin/snmpd",
    "snmp": "usr/bin/snmpget",
    "baresip-core": "usr/bin/baresip",
    "faketime": "usr/bin/faketime",
}
"""Each package and a file that shows it is there."""


def steps(checkout: Checkout) -> list[Step]:
    return [Step("Debian packages", lambda: not missing(), lambda line: install(checkout, line))]


def missing() -> list[str]:
    return [package for package, file in WANTED.items() if not any(Path("/").glob(file))]


def install(checkout: Checkout, line: StepLine) -> str:
    wanted = missing()
    skipped = f"skipped, with the tests that need them: {', '.join(wanted)}"
    root = as_root()
    if root is None or not shutil.which("apt-get"):
        return f"{skipped} (root can: apt-get install {' '.join(wanted)})"
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "-o", "APT::Status-Fd=1"]
    try:
        run(checkout, line, [*apt, "update"])
        run(checkout, line, [*apt, "install", "--no-install-recommends", *wanted], done)
    except FailedError as error:
        if os.environ.get("CI"):  # a machine that tests must not pass by leaving tests out
            raise refusal(checkout, f"{', '.join(wanted)} could not be installed", cause_of(error.output)) from None
        return f"{skipped} ({cause_of(error.output)})"
    return f"installed {', '.join(wanted)}"


def as_root() -> Sequence[str] | None:
    """What to put before a command so that root runs it, or None when nobody here may."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return ["sudo", "-n"] if allowed.returncode == 0 else None


def done(output: str) -> float:
    """apt reports the download, then the installation, each as a percentage: `dlstatus:1:37.5:...`, `pmstatus:...`."""
    return sum(_last_percent(kind, output) for kind in ("dlstatus", "pmstatus")) / 200


def _last_percent(kind: str, output: str) -> float:
    said = re.findall(rf"^{kind}:[^:]*:([\d.]+):", output, re.MULTILINE)
    return float(said[-1]) if said else 0.0
