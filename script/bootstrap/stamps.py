"""Stamps: what a step was made from, by content, so that it is made again only when that has changed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def digest(sources: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of the files; a file that is missing counts as such."""
    total = hashlib.sha256()
    for source in sorted(sources):
        content = source.read_bytes() if source.exists() else b"missing"
        total.update(f"{source.name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def is_current(stamp: Path, made_from: str) -> bool:
    try:
        return stamp.read_text() == made_from
    except OSError:
        return False


def write(stamp: Path, made_from: str) -> None:
    """Whole or not at all: a set-up killed here is repeated, never believed."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    unfinished = stamp.with_name(stamp.name + ".new")
    unfinished.write_text(made_from)
    os.replace(unfinished, stamp)
