"""Every text is there in every language that is promised complete. `script/messages` brings the catalogues in line."""

import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
COMPLETE = ["nb"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


def catalogue(language: str) -> Catalog:
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def test_the_catalogues_hold_just_the_texts_of_the_code():
    checked = subprocess.run(["script/messages", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, "run script/messages and translate what is new: " + checked.stderr[-300:]


@pytest.mark.parametrize("language", COMPLETE)
def test_every_text_is_translated(language):
    missing = [message.id for message in messages(language) if not all(texts(message.string)) or message.fuzzy]
    assert not missing


@pytest.mark.parametrize("language", COMPLETE)
def test_a_translation_keeps_the_placeholders(language):
    differing = [
        message.id
        for message in messages(language)
        for string in texts(message.string)
        if set(PLACEHOLDER.findall(string)) != set(PLACEHOLDER.findall(texts(message.id)[-1]))
    ]
    assert not differing
