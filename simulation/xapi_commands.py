"""`POST /putxml`: the commands of a Cisco codec that Studionett uses. An error is an answer too, with HTTP 200."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from simulation.studio import RefusedCommand, SimulatedStudio
from simulation.xapi_documents import call_history, result

LONGEST_BOOKING_ID = 255
LONGEST_NUMBER = 255


def carry_out(studio: SimulatedStudio, body: bytes) -> Element | None:
    """Read `<Command>`, do it, and answer. None: this is no command document."""
    try:
        document = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    if document.tag != "Command":
        return None
    path, node = _innermost(document)
    command = _COMMANDS.get("/".join(path))
    if command is None or node is None:
        return result("".join(path), False, Reason="Unknown command")
    return command(studio, node)


def _innermost(document: Element) -> tuple[list[str], Element | None]:
    """The command's name is the path to the node that says command="True", else the longest known path."""
    path: list[str] = []
    node = document
    while len(node):
        node = node[0]
        path.append(node.tag)
        if node.get("command") == "True" or "/".join(path) in _COMMANDS:
            return path, node
    return path, None


def _text(node: Element, name: str) -> str:
    return (node.findtext(name) or "").strip()


def _dial(studio: SimulatedStudio, node: Element) -> Element:
    number, protocol, booking_id = _text(node, "Number"), _text(node, "Protocol"), _text(node, "BookingId")
    if not number or len(number) > LONGEST_NUMBER:
        return result("Dial", False, Cause=1, Description="Invalid number")
    if protocol.lower() not in {"", "sip", "auto"} or len(booking_id) > LONGEST_BOOKING_ID:
        return result("Dial", False, Cause=2, Description="Bad usage: invalid or missing parameters")
    try:
        call = studio.dial(number, booking_id)
    except RefusedCommand as refusal:
        return result("Dial", False, Cause=17, Description=refusal)
    return result("Dial", True, CallId=call.call_id, ConferenceId=call.conference_id)


def _disconnect(studio: SimulatedStudio, node: Element) -> Element:
    """Without a number the codec ends its only call; of several it wants to know which."""
    wanted = _text(node, "CallId")
    if not wanted and len(studio.calls) == 1:
        wanted = str(next(iter(studio.calls)))
    try:
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 11):
            raise RefusedCommand("No active call" if not studio.calls else "Bad usage: invalid or missing CallId")
        studio.hang_up(int(wanted))
    except RefusedCommand as refusal:
        return result("CallDisconnect", False, Cause=3, Description=refusal)
    return result("CallDisconnect", True)


def _disconnect_all(studio: SimulatedStudio, node: Element) -> Element:
    for call_id in list(studio.calls):
        studio.hang_up(call_id)
    return result("CallDisconnectAll", True)


def _mute(studio: SimulatedStudio, node: Element) -> Element:
    studio.muted = True
    return result("AudioMicrophonesMute", True)


def _unmute(studio: SimulatedStudio, node: Element) -> Element:
    studio.muted = False
    return result("AudioMicrophonesUnmute", True)


_COMMANDS: dict[str, Callable[[SimulatedStudio, Element], Element]] = {
    "Dial": _dial,
    "Call/Disconnect": _disconnect,
    "Call/DisconnectAll": _disconnect_all,
    "CallHistory/Get": lambda studio, node: call_history(studio),
    "Audio/Microphones/Mute": _mute,
    "Audio/Microphones/Unmute": _unmute,
}
