"""What is plugged in at a Cisco codec, whether it is registered, and what its calls lose, as its status tells it.

Source: Cisco "API Reference Guide" of CE9 to RoomOS 11, chapter "Status commands".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

CAMERAS = "/Status/Cameras"
MICROPHONES = "/Status/Audio/Input/Connectors"
REGISTRATION = "/Status/SIP"
MEDIA = "/Status/MediaChannels"


@dataclass(frozen=True)
class Peripherals:
    """Whether each camera and microphone is connected, by the codec's numbers. Empty: it doesn't tell."""

    cameras: Mapping[str, bool] = field(default_factory=dict)
    microphones: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Media:
    """What comes in over the calls that are up: the share of packets that got lost since they began, and the worst
    jitter in milliseconds."""

    loss_percent: float
    jitter_ms: float


def registered_of(root: Element) -> bool | None:
    """Whether the codec's SIP server knows it; None where it has none, or does not tell."""
    words = [(each.findtext("Status") or "").strip().lower() for each in root.iterfind("SIP/Registration")]
    if "registered" in words:
        return True
    return False if "failed" in words or "deregister" in words else None


def media_of(root: Element) -> Media | None:
    """None where no channel tells; what is no number is left out."""
    incoming = [
        channel.find("Netstat")
        for channel in root.iterfind("MediaChannels/Call/Channel")
        if (channel.findtext("Direction") or "").strip().lower() == "incoming"
    ]
    told = [each for each in incoming if each is not None]
    lost, packets = (sum(_number(each, name) for each in told) for name in ("Loss", "Packets"))
    if not told or lost + packets == 0:
        return None
    return Media(round(100 * lost / (lost + packets), 2), float(max(_number(each, "Jitter") for each in told)))


def _number(element: Element, name: str) -> int:
    text = (element.findtext(name) or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


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
