"""What a Cisco codec shows and asks those in its room, and how its microphones and camera are switched off.

Source: API reference guides CE9 to RoomOS 11, `UserInterface Message`, `Audio Microphones`, `Video Input MainVideo`,
`HttpFeedback`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from devices.errors import BadAnswer
from devices.xapi_xml import command, parse

MUTED = ("/Status/Audio/Microphones/Mute", "/Status/Video/Input/MainVideoMute")
# A codec has four slots; the third is what Cisco's own management suite takes.
FEEDBACK_SLOT = "2"
PRESSES = "/Event/UserInterface/Message/Prompt/Response"


@dataclass(frozen=True)
class Prompt:
    """A question with one button. `feedback_id` comes back with the press; it stands for `seconds` at most."""

    title: str
    text: str
    button: str
    feedback_id: str
    seconds: int


@dataclass(frozen=True)
class Press:
    """What was pressed: of which prompt, and which of its buttons, from 1."""

    feedback_id: str
    option: str


def mute_commands(muted: bool) -> list[bytes]:
    word = "Mute" if muted else "Unmute"
    return [command(f"Audio/Microphones/{word}"), command(f"Video/Input/MainVideo/{word}")]


def is_muted(answers: Sequence[Element]) -> bool | None:
    """From the answers to MUTED: both off, both on, or (None) neither."""
    words = [_word(root, location) for root, location in zip(answers, MUTED, strict=True)]
    return words[0] if len(set(words)) == 1 else None


def prompt_command(prompt: Prompt) -> bytes:
    parameters = {
        "Title": prompt.title,
        "Text": prompt.text,
        "Option.1": prompt.button,
        "FeedbackId": prompt.feedback_id,
        "Duration": str(prompt.seconds),
    }
    return command("UserInterface/Message/Prompt/Display", **parameters)


def alert_command(title: str, text: str, seconds: int) -> bytes:
    return command("UserInterface/Message/Alert/Display", Title=title, Text=text, Duration=str(seconds))


def feedback_command(url: str) -> bytes:
    return command("HttpFeedback/Register", FeedbackSlot=FEEDBACK_SLOT, ServerUrl=url, Expression_1=PRESSES)


def press_of(body: bytes) -> Press | None:
    """The press in what a codec posts; None where it posts something else. BadAnswer for what is no XML."""
    found = parse(body).find("UserInterface/Message/Prompt/Response")
    if found is None:
        return None
    return Press((found.findtext("FeedbackId") or "").strip(), (found.findtext("OptionId") or "").strip())


def _word(root: Element, location: str) -> bool:
    word = (root.findtext(location.removeprefix("/Status/")) or "").strip().lower()
    if word not in ("on", "off"):
        raise BadAnswer(f"no {location}")
    return word == "on"
