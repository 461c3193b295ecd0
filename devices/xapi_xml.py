"""Commands to and answers from Cisco codecs as XML (API reference guides CE9 to RoomOS 11): bytes in, values out."""

from dataclasses import dataclass
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

from devices.errors import (
    Ambiguous,
    BadAnswer,
    Busy,
    CapacityFull,
    DeviceError,
    NoAnswer,
    RateLimited,
    Rejected,
    UnknownNumber,
)

# Looked for in what an error says, in this order, without regard to case. The first group are the disconnect cause
# types of the API reference; the rest are the words of descriptions, which differ between software versions.
ERROR_WORDS: tuple[tuple[str, type[DeviceError]], ...] = (
    ("localbusy", Busy),
    ("remotebusy", Busy),
    ("remotenoanswer", NoAnswer),
    ("unknownremotesite", UnknownNumber),
    ("networkrejected", Rejected),
    ("too many sessions", RateLimited),
    ("maximum number of calls", Busy),  # of a room's few lines: somebody is talking
    ("capacity", CapacityFull),
    ("no free", CapacityFull),
    ("busy", Busy),
    ("no answer", NoAnswer),
    ("unknown number", UnknownNumber),
    ("invalid number", UnknownNumber),
    ("not found", UnknownNumber),
)
ERROR_ELEMENTS = ("Cause", "CauseType", "Description", "Error", "Reason")


@dataclass(frozen=True)
class CodecCall:
    """A call as the codec sees it. `duration` is in seconds; `booking_id` is missing on older software."""

    call_id: str
    status: str
    direction: str
    remote_number: str
    booking_id: str | None
    duration: int | None


def dial_command(number: str, booking_id: str) -> bytes:
    return command("Dial", Number=number, Protocol="Sip", BookingId=booking_id)


def disconnect_command(call_id: str) -> bytes:
    return command("Call/Disconnect", CallId=call_id)


def history_command() -> bytes:
    return command("CallHistory/Get", Limit="20", DetailLevel="Full")


def command(path: str, **parameters: str) -> bytes:
    """A command document. A parameter such as `Expression_1` stands for the first of several that share the name."""
    root = element = ElementTree.Element("Command")
    for name in path.split("/"):
        element = ElementTree.SubElement(element, name)
    element.set("command", "True")
    for name, value in parameters.items():
        shared, _, number = name.partition("_")
        parameter = ElementTree.SubElement(element, shared, {"item": number} if number else {})
        parameter.text = value
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def parse(body: bytes) -> ElementTree.Element:
    """The answer's root. BadAnswer for what is no XML, declares a document type, or defines entities."""
    try:
        root: ElementTree.Element = fromstring(body, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadAnswer(f"no XML: {error}") from error
    return root


def call_id_of(root: ElementTree.Element) -> str:
    """The CallId of an accepted Dial; a refusal raises. Accepted without a CallId: it rings, we can't say which."""
    result = _result(root, "DialResult")
    call_id = _text(result, "CallId")
    if not call_id:
        raise Ambiguous("accepted without a CallId")
    return call_id


def check_done(root: ElementTree.Element) -> None:
    """Any command's result: the first element below the root, whatever its name."""
    if root.tag != "Command" or not len(root):
        raise BadAnswer(f"no result in <{root.tag}>")
    if root[0].get("status") != "OK":
        raise error_of(root[0])


def check_disconnected(root: ElementTree.Element) -> None:
    _result(root, "CallDisconnectResult", "DisconnectResult")


def calls_of(root: ElementTree.Element) -> list[CodecCall]:
    """The calls of a /Status/Call answer; none means idle."""
    if root.tag == "EmptyResult":
        return []
    if root.tag != "Status":
        raise BadAnswer(f"<{root.tag}> where <Status> was expected")
    refusal = root.find(".//Status[@status='Error']")
    if refusal is None and root.get("status") == "Error":
        refusal = root
    if refusal is not None:
        return _none_or_refused(refusal)
    # An element marked as ghost tells that the call has just ended.
    return [_call(element) for element in root.iter("Call") if element.get("ghost") != "True"]


def cause_of(root: ElementTree.Element, call_id: str) -> str:
    """Why a call of the history ended, by its CallId; nothing where it isn't there."""
    result = _result(root, "CallHistoryGetResult")
    entry = next((entry for entry in result.iter("Entry") if _text(entry, "CallId") == call_id), None)
    return "" if entry is None else _text(entry, "DisconnectCauseType")


def error_of(element: ElementTree.Element) -> DeviceError:
    """The error behind `status="Error"`, by what its Cause, Description, Error or Reason says."""
    said = " ".join(text for name in ERROR_ELEMENTS for text in _texts(element, name))
    lower = said.lower()
    for words, kind in ERROR_WORDS:
        if words in lower:
            return kind(said)
    return Rejected(said or f"status {element.get('status')}")


def _none_or_refused(refusal: ElementTree.Element) -> list[CodecCall]:
    """A codec that never had a call since its start may know no path Status/Call: that is idle."""
    error = error_of(refusal)
    if "no match on" in error.detail.lower():
        return []
    raise error


def _result(root: ElementTree.Element, *names: str) -> ElementTree.Element:
    """The command's own result; its name differs between software versions."""
    result = next((element for element in root.iter() if element.tag in names), None)
    if result is None:
        result = _refusal_without_name(root)
    if result is None:
        raise BadAnswer(f"no <{names[0]}> in <{root.tag}>")
    if result.get("status") != "OK":
        raise error_of(result)
    return result


def _refusal_without_name(root: ElementTree.Element) -> ElementTree.Element | None:
    """Old software answers an unknown command with <Unknown status="Error"> instead of the command's own result."""
    return next((element for element in root.iter() if element.get("status") == "Error"), None)


def _call(element: ElementTree.Element) -> CodecCall:
    call_id = element.get("item") or _text(element, "CallId")
    if not call_id:
        raise BadAnswer("a <Call> without a number")
    return CodecCall(
        call_id=call_id,
        status=_text(element, "Status"),
        direction=_text(element, "Direction"),
        remote_number=_text(element, "RemoteNumber"),
        booking_id=_text(element, "BookingId") or None,
        duration=_seconds(_text(element, "Duration")),
    )


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _texts(element: ElementTree.Element, name: str) -> list[str]:
    return [text.strip() for found in element.iter(name) if (text := found.text)]
