"""`POST /putxml`: the commands of a Cisco codec that Studionett uses. An error is an answer too, with HTTP 200."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from simulation.studio import Question, RefusedCommand, SimulatedStudio
from simulation.xapi_documents import call_history, result

LONGEST_BOOKING_ID = 255
LONGEST_NUMBER = 255
MOST_BUTTONS = 5
FEEDBACK_SLOTS = {"1", "2", "3", "4"}
MOST_EXPRESSIONS = 15

Command = Callable[[SimulatedStudio, Element], Element]


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


def _microphones(muted: bool) -> Command:
    def carry_out(studio: SimulatedStudio, node: Element) -> Element:
        studio.muted = muted
        return result(f"AudioMicrophones{'Mute' if muted else 'Unmute'}", True)

    return carry_out


def _camera(off: bool) -> Command:
    def carry_out(studio: SimulatedStudio, node: Element) -> Element:
        studio.camera_off = off
        return result(f"VideoInputMainVideo{'Mute' if off else 'Unmute'}", True)

    return carry_out


def _ask(studio: SimulatedStudio, node: Element) -> Element:
    buttons = [_text(node, f"Option.{number}") for number in range(1, MOST_BUTTONS + 1)]
    text = _text(node, "Text")
    if not text:
        return result("PromptDisplay", False, Cause=2, Description="Bad usage: invalid or missing parameters")
    offered = tuple(button for button in buttons if button)
    studio.ask(Question(_text(node, "Title"), text, offered, _text(node, "FeedbackId")))
    return result("PromptDisplay", True)


def _alert(studio: SimulatedStudio, node: Element) -> Element:
    text = _text(node, "Text")
    if not text:
        return result("AlertDisplay", False, Cause=2, Description="Bad usage: invalid or missing parameters")
    studio.alerts.append(text)
    return result("AlertDisplay", True)


def _register(studio: SimulatedStudio, node: Element) -> Element:
    slot, url = _text(node, "FeedbackSlot"), _text(node, "ServerUrl")
    expressions = tuple((found.text or "").strip() for found in node.iter("Expression"))
    if slot not in FEEDBACK_SLOTS or not url.startswith(("http://", "https://")) or len(expressions) > MOST_EXPRESSIONS:
        return result("HttpFeedbackRegister", False, Cause=2, Description="Bad usage: invalid or missing parameters")
    studio.feedback[slot] = (url, expressions)
    return result("HttpFeedbackRegister", True)


_COMMANDS: dict[str, Command] = {
    "Dial": _dial,
    "Call/Disconnect": _disconnect,
    "Call/DisconnectAll": _disconnect_all,
    "CallHistory/Get": lambda studio, node: call_history(studio),
    "Audio/Microphones/Mute": _microphones(True),
    "Audio/Microphones/Unmute": _microphones(False),
    "Video/Input/MainVideo/Mute": _camera(True),
    "Video/Input/MainVideo/Unmute": _camera(False),
    "UserInterface/Message/Prompt/Display": _ask,
    "UserInterface/Message/Alert/Display": _alert,
    "HttpFeedback/Register": _register,
}
