"""A checkout of its own for each test, with as much in it as the test needs."""

import sys
from pathlib import Path

import pytest
from bootstrap.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Nothing but an environment with the real programs, and stamps and a log of its own."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.prefix) / "bin")
    return Checkout(tmp_path)


def program(place: Path, script: str) -> Path:
    """An executable shell script."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place
