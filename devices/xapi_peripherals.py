"""What is plugged in at a Cisco codec, as its status tells it (API reference guides CE9 to RoomOS 11)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

CAMERAS = "/Status/Cameras"
MICROPHONES = "/Status/Audio/Input/Connectors"


@dataclass(frozen=True)
class Peripherals:
    """Whether each camera and microphone is connected, by the codec's numbers. Empty: it doesn't tell."""

    cameras: Mapping[str, bool] = field(default_factory=dict)
    microphones: Mapping[str, bool] = field(default_factory=dict)


def cameras_of(root: Element) -> dict[str, bool]:
    return _connected(root, "Cameras/Camera", "Connected", {"true": True, "false": False})


def microphones_of(root: Element) -> dict[str, bool]:
    """An analogue socket can't tell ("Unknown"), and is left out."""
    words = {"connected": True, "notconnected": False}
    return _connected(root, "Audio/Input/Connectors/Microphone", "ConnectionStatus", words)


def _connected(root: Element, path: str, name: str, words: Mapping[str, bool]) -> dict[str, bool]:
    """What stands in none of the words, or was just taken away ("ghost"), is not told at all."""
    found: dict[str, bool] = {}
    for number, element in enumerate(root.iterfind(path), start=1):
        word = (element.findtext(name) or "").strip().lower()
        if word in words and element.get("ghost") != "True":
            found[(element.get("item") or str(number))[:10]] = words[word]
    return found
