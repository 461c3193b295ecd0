"""Every text is there in every language that is promised complete. `script/messages` brings the catalogues in line."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
COMPLETE = ["nb"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
JINJA = re.compile(r"{% block main_class %}.*?{% endblock %}|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
MARKED = re.compile(r"""\b(?:_|ngettext)\(\s*(["'])(.*?)\1\s*[,)]""")
SPOKEN = {"aria-label", "alt", "placeholder", "title"}
SAME_EVERYWHERE = {"Studionett", "studionett", "s", "ms", "SNMP v", "v"}  # names, and signs of units
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


class Texts(HTMLParser):
    """What a template writes by itself: texts and spoken attributes that no gettext call stands around."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SPOKEN and value]

    def handle_data(self, data: str) -> None:
        self.found += data.split("\n")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_writes_no_text_of_its_own(template):
    parser = Texts()
    parser.feed(JINJA.sub("", template.read_text()))
    words = {text.strip(" –.,") for text in parser.found if re.search("[^\\W\\d_]", text)}
    assert not words - SAME_EVERYWHERE


@pytest.mark.parametrize("language", COMPLETE)
def test_the_texts_of_the_templates_are_in_the_catalogue(language):
    known = {texts(message.id)[0] for message in messages(language)}
    marked = {text for template in TEMPLATES for _, text in MARKED.findall(template.read_text())}
    assert len(marked) > 100
    assert not marked - known
