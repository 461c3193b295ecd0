"""SNMP agents for the tests: real sockets on loopback addresses of their own, answering as each test says."""

import os
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from monitoring.snmp.engine import Target

SX80 = b"Cisco Codec\nSoftW: ce9.10.0.1ab2c3d\nMCU: Cisco TelePresence SX80\nDate: 2019-10-25\nS/N: FTT1234567"
UPTIME = "1.3.6.1.2.1.1.3.0"
DESCRIPTION = "1.3.6.1.2.1.1.1.0"

# The packets to send back for a request, each with where to send it from (None: the agent's own socket).
Behaviour = Callable[[bytes], list[bytes]]


def value_of(oid: str) -> Any:
    if oid == DESCRIPTION:
        return v2c.OctetString(SX80)
    if oid == UPTIME:
        return v2c.TimeTicks(4242)
    return v2c.NoSuchObject("") if oid.startswith("1.3.6.1.9") else v2c.Counter32(7)


def answering(request: bytes) -> list[bytes]:
    return [response(request)]


def silent(request: bytes) -> list[bytes]:
    return []


def response(request: bytes, request_id: int | None = None) -> bytes:
    """A whole answer to `request`, or to another request's number."""
    at = request.index(b"\xa0") + 1
    at += 1 + (request[at] & 0x7F if request[at] & 0x80 else 0)
    length, at = request[at + 1], at + 2
    if length != 4:  # numbers differ in length: few of them are this short
        return _encode(request, request_id)
    number = request[at : at + 4] if request_id is None else request_id.to_bytes(4, "big")
    template, to = _template(request[:at], request[at + 4 :])
    return template[:to] + number + template[to + 4 :]


def asked_for(request: bytes) -> list[str]:
    asked, _ = decoder.decode(request, asn1Spec=v2c.Message())
    return [str(oid) for oid, _ in v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(asked))]


def telling(request: bytes, values: dict[str, int | str]) -> bytes:
    """An answer with numbers and object identifiers for what is told, and as always for what is not of a vendor."""

    def value(oid: str) -> Any:
        if oid in values:
            told = values[oid]
            return v2c.Integer(told) if isinstance(told, int) else v2c.ObjectIdentifier(told)
        return v2c.NoSuchObject("") if oid.startswith("1.3.6.1.4.1") else value_of(oid)

    return _encode(request, value=value)


def refusing(request: bytes) -> bytes:
    """An answer with an error and nothing else, as some agents give to a question with one object they don't know."""
    return _encode(request, error=5)


@lru_cache(maxsize=64)
def _template(before: bytes, after: bytes) -> tuple[bytes, int]:
    encoded = [_encode(before + number.to_bytes(4, "big") + after) for number in (0x5A5A5A5A, 0x25A5A5A5)]
    return encoded[0], next(at for at, (a, b) in enumerate(zip(*encoded, strict=True)) if a != b)


def _encode(
    request: bytes, request_id: int | None = None, value: Callable[[str], Any] = value_of, error: int = 0
) -> bytes:
    asked, _ = decoder.decode(request, asn1Spec=v2c.Message())
    pdu = v2c.apiMessage.get_pdu(asked)
    if request_id is not None:
        v2c.apiPDU.set_request_id(pdu, request_id)
    answer = v2c.apiPDU.get_response(pdu)
    oids = [str(oid) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
    v2c.apiPDU.set_varbinds(answer, [(oid, v2c.null if error else value(oid)) for oid in oids])
    if error:
        v2c.apiPDU.set_error_status(answer, error)
        v2c.apiPDU.set_error_index(answer, 1)
    message = v2c.apiMessage.get_response(asked)
    v2c.apiMessage.set_pdu(message, answer)
    encoded: bytes = encoder.encode(message)
    return encoded


class Agents:
    """Any number of agents, served by one thread. `asked` counts the requests that each host got."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.asker: Any = None  # whence the last request came
        self._behaviours: dict[str, Behaviour] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._waker = os.pipe()
        self._selector.register(self._waker[0], selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, host: str, behaviour: Behaviour = answering, key: int = 1) -> Target:
        udp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind((host, 0))
        self._behaviours[host] = behaviour
        self._selector.register(udp, selectors.EVENT_READ, host)
        os.write(self._waker[1], b".")
        return Target(key, host, udp.getsockname()[1])

    def become(self, host: str, behaviour: Behaviour) -> None:
        self._behaviours[host] = behaviour

    def close(self) -> None:
        self._stopping.set()
        os.write(self._waker[1], b".")
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            if key.data:
                key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        for end in self._waker:
            os.close(end)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._selector.select():
                if key.data:
                    self._answer(key.fileobj, key.data)
                else:
                    os.read(self._waker[0], 100)

    def _answer(self, udp: Any, host: str) -> None:
        try:
            request, sender = udp.recvfrom(65535)
        except OSError:
            return
        self.asked[host] += 1
        self.asker = sender
        for packet in self._behaviours[host](request):
            udp.sendto(packet, sender)


@contextmanager
def agents() -> Iterator[Agents]:
    served = Agents()
    try:
        yield served
    finally:
        served.close()
