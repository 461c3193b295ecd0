"""The XML that a Cisco codec answers (xAPI reference guide CE9): status trees and command results."""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from simulation.snmp_objects import MODEL, SOFTWARE
from simulation.studio import Call, CallState, Fault, SimulatedStudio

CAMERA = "Precision 60"
PACKETS_A_SECOND = 50
LOST_SHARE = 0.12
_DECLARATION = b'<?xml version="1.0"?>\n'


def to_bytes(root: Element) -> bytes:
    return _DECLARATION + tostring(root)


def status(studio: SimulatedStudio, location: str) -> Element | None:
    """The part of the status tree at a location such as `/Status/Call`; None where the tree has no such branch."""
    first, _, rest = location.strip("/").partition("/")
    branches = [part for part in rest.split("/") if part]
    if first != "Status" or (branches and branches[0] not in _SECTIONS):
        return None
    root = Element("Status", product="Cisco Codec", version=SOFTWARE, apiVersion="4")
    for name, section in _SECTIONS.items():
        if not branches or branches[0] == name:
            root.extend(section(studio))
    for depth in range(1, len(branches)):
        _keep_only(root, branches[: depth + 1])
    return root


def result(name: str, ok: bool, **values: object) -> Element:
    root = Element("Command")
    node = SubElement(root, f"{name}Result", status="OK" if ok else "Error")
    for key, value in values.items():
        _leaf(node, key, value)
    return root


def press_event(studio: SimulatedStudio, feedback_id: str, option: int) -> Element:
    """What a codec posts when a button of a question is pressed."""
    root = Element("Event")
    _leaf(SubElement(root, "Identification"), "SystemName", studio.spec.name)
    node = root
    for name in ("UserInterface", "Message", "Prompt", "Response"):
        node = SubElement(node, name, item="1")
    _leaf(node, "FeedbackId", feedback_id)
    _leaf(node, "OptionId", option)
    return root


def call_history(studio: SimulatedStudio) -> Element:
    """The last calls, newest first, each with why it ended."""
    root = result("CallHistoryGet", True)
    for index, call in enumerate(reversed(studio.history)):
        entry = SubElement(root[0], "Entry", item=str(index))
        _leaf(entry, "CallHistoryId", call.call_id)
        _leaf(entry, "CallId", call.call_id)
        _leaf(entry, "CallbackNumber", call.remote)
        _leaf(entry, "RemoteNumber", _without_scheme(call.remote))
        _leaf(entry, "DisplayName", call.display_name)
        _leaf(entry, "Direction", call.direction)
        _leaf(entry, "BookingId", call.booking_id)
        _leaf(entry, "Duration", call.seconds_connected(datetime.now(UTC)))
        _leaf(entry, "EndTimeUTC", f"{call.ended_at:%Y-%m-%dT%H:%M:%SZ}")
        _leaf(entry, "DisconnectCauseType", call.cause)
    return root


def _call(call: Call) -> Element:
    node = Element("Call", item=str(call.call_id), status="")
    answered = call.state is CallState.CONNECTED
    automatic = "Autoanswered" if call.direction == "Incoming" else "Answered"
    _leaf(node, "AnswerState", automatic if answered else "Unanswered")
    _leaf(node, "CallType", "Video")
    _leaf(node, "CallbackNumber", call.remote)
    _leaf(node, "DeviceType", "Endpoint")
    _leaf(node, "Direction", call.direction)
    _leaf(node, "DisplayName", call.display_name or _without_scheme(call.remote))
    _leaf(node, "Duration", call.seconds_connected(datetime.now(UTC)))
    if call.booking_id:
        _leaf(node, "BookingId", call.booking_id)
    _leaf(node, "Protocol", "sip")
    _leaf(node, "RemoteNumber", _without_scheme(call.remote))
    _leaf(node, "Status", call.state)
    return node


def _calls(studio: SimulatedStudio) -> list[Element]:
    return [_call(call) for call in _told(studio)]


def _told(studio: SimulatedStudio) -> list[Call]:
    return [] if studio.fault is Fault.LIES else list(studio.calls.values())


def _audio(studio: SimulatedStudio) -> list[Element]:
    audio = Element("Audio")
    connectors = SubElement(SubElement(audio, "Input"), "Connectors")
    microphone = SubElement(connectors, "Microphone", item="1")
    _leaf(microphone, "ConnectionStatus", "Connected" if studio.microphone_connected else "NotConnected")
    _leaf(SubElement(audio, "Microphones"), "Mute", "On" if studio.muted else "Off")
    _leaf(audio, "Volume", 70)
    return [audio]


def _cameras(studio: SimulatedStudio) -> list[Element]:
    """A camera that is unplugged keeps its number and tells nothing else of itself."""
    cameras = Element("Cameras")
    camera = SubElement(cameras, "Camera", item="1")
    connected = studio.camera_connected
    _leaf(camera, "Connected", connected)
    _leaf(camera, "Manufacturer", "Cisco" if connected else "")
    _leaf(camera, "Model", CAMERA if connected else "")
    return [cameras]


def _media_channels(studio: SimulatedStudio) -> list[Element]:
    """One channel of sound each way for each call; what is lost is told of what comes in."""
    channels = Element("MediaChannels")
    for call in _told(studio):
        seconds = call.seconds_connected(datetime.now(UTC))
        if call.state is not CallState.CONNECTED:
            continue
        node = SubElement(channels, "Call", item=str(call.call_id))
        for number, direction in enumerate(("Incoming", "Outgoing"), start=1):
            channel = SubElement(node, "Channel", item=str(number))
            _leaf(channel, "Direction", direction)
            _leaf(channel, "Type", "Audio")
            netstat = SubElement(channel, "Netstat")
            sent = (seconds + 1) * PACKETS_A_SECOND
            lost = round(sent * LOST_SHARE) if studio.fault is Fault.LOSSY and direction == "Incoming" else 0
            _leaf(netstat, "Jitter", 90 if lost else 2)
            _leaf(netstat, "Loss", lost)
            _leaf(netstat, "Packets", sent - lost)
    return [channels]


def _sip(studio: SimulatedStudio) -> list[Element]:
    sip = Element("SIP")
    registration = SubElement(sip, "Registration", item="1")
    failed = studio.fault is Fault.UNREGISTERED
    _leaf(registration, "Reason", "408 Request Timeout" if failed else "")
    _leaf(registration, "Status", "Failed" if failed else "Registered" if studio.phone else "Inactive")
    _leaf(registration, "URI", _without_scheme(studio.spec.uri))
    return [sip]


def _system_unit(studio: SimulatedStudio) -> list[Element]:
    unit = Element("SystemUnit")
    module = SubElement(SubElement(unit, "Hardware"), "Module")
    _leaf(module, "SerialNumber", studio.spec.serial)
    _leaf(unit, "ProductId", MODEL)
    _leaf(unit, "ProductPlatform", MODEL.rpartition(" ")[2])
    _leaf(unit, "ProductType", "Cisco Codec")
    _leaf(SubElement(unit, "Software"), "Version", SOFTWARE)
    calls = _told(studio)
    connected = sum(call.state is CallState.CONNECTED for call in calls)
    state = SubElement(unit, "State")
    _leaf(state, "NumberOfActiveCalls", connected)
    _leaf(state, "NumberOfInProgressCalls", len(calls) - connected)
    _leaf(unit, "Uptime", int((datetime.now(UTC) - studio.started).total_seconds()))
    return [unit]


def _user_interface(studio: SimulatedStudio) -> list[Element]:
    interface = Element("UserInterface")
    _leaf(SubElement(interface, "ContactInfo"), "Name", studio.spec.name)
    return [interface]


def _video(studio: SimulatedStudio) -> list[Element]:
    video = Element("Video")
    _leaf(SubElement(video, "Input"), "MainVideoMute", "On" if studio.camera_off else "Off")
    return [video]


_SECTIONS = {
    "Audio": _audio,
    "Call": _calls,
    "Cameras": _cameras,
    "MediaChannels": _media_channels,
    "SIP": _sip,
    "SystemUnit": _system_unit,
    "UserInterface": _user_interface,
    "Video": _video,
}


def _keep_only(root: Element, branches: list[str]) -> None:
    """Cut every node beside the branch that was asked for."""
    for parent in root.iterfind("/".join(branches[:-1])):
        for child in [child for child in parent if child.tag != branches[-1]]:
            parent.remove(child)


def _leaf(parent: Element, name: str, value: object) -> None:
    # What came by SIP may hold characters that no XML can; a codec shows only what can be printed.
    SubElement(parent, name).text = "".join(letter for letter in str(value) if letter.isprintable())


def _without_scheme(uri: str) -> str:
    return uri.partition(":")[2] if uri.lower().startswith("sip:") else uri
