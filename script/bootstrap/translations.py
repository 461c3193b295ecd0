"""Translations: the message catalogues as the running program reads them."""

from pathlib import Path

from bootstrap import stamps
from bootstrap.checkout import Checkout
from bootstrap.console import StepLine
from bootstrap.programs import run_or_refuse
from bootstrap.step import Step


def steps(checkout: Checkout) -> list[Step]:
    writes = [checkout.venv, *(catalogue.parent for catalogue in _catalogues(checkout))]
    return [Step("Translations", lambda: _ready(checkout), lambda line: compile_all(checkout, line), writes)]


def compile_all(checkout: Checkout, line: StepLine) -> str:
    command = [checkout.tool("pybabel"), "compile", "--directory", "translations"]
    run_or_refuse(checkout, line, command, "The translations could not be compiled")
    stamps.write(_stamp(checkout), _made_from(checkout))
    return ", ".join(sorted(catalogue.parents[1].name for catalogue in _catalogues(checkout)))


def _ready(checkout: Checkout) -> bool:
    catalogues = _catalogues(checkout)
    compiled = all(catalogue.with_suffix(".mo").exists() for catalogue in catalogues)
    return not catalogues or (compiled and stamps.is_current(_stamp(checkout), _made_from(checkout)))


def _catalogues(checkout: Checkout) -> list[Path]:
    return sorted(checkout.root.glob("translations/*/LC_MESSAGES/*.po"))


def _stamp(checkout: Checkout) -> Path:
    return checkout.stamps / "translations"


def _made_from(checkout: Checkout) -> str:
    return stamps.digest(_catalogues(checkout))
