"""All studios of an inventory, served from one event loop, each on its own loopback address."""

import asyncio
import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulation.control import Control
from simulation.feedback import Feedback
from simulation.http_replies import Receive, Scope, Send
from simulation.http_server import HttpServer
from simulation.open_files import TooFewFilesError, make_room
from simulation.sip_phone import SipPhone
from simulation.snmp_agent import SnmpAgent
from simulation.sockets import FleetError, open_tcp, open_udp
from simulation.studio import SimulatedStudio, StudioSpec, Timings
from simulation.xapi import Xapi

log = logging.getLogger(__name__)

Address = tuple[str, int]


@dataclass(slots=True)
class _Served:
    """What is open for one studio."""

    studio: SimulatedStudio
    datagrams: list[asyncio.DatagramTransport] = field(default_factory=list)
    http: asyncio.Server | None = None


class Fleet:
    """Studios by code in `studios`. `control` is the (host, port) of the control address, None for none."""

    def __init__(self, specs: Iterable[StudioSpec], control: Address | None = None, timings: Timings | None = None):
        self._specs = list(specs)
        self._control_address = control
        self._timings = timings or Timings()
        self._served: dict[str, _Served] = {}
        self._by_address: dict[Address, SimulatedStudio] = {}
        self._xapi = Xapi(self._by_address)
        self._feedback = Feedback()
        self._control = Control(lambda: self.studios)
        self._http = HttpServer(self._app)

    @property
    def studios(self) -> dict[str, SimulatedStudio]:
        return {code: served.studio for code, served in self._served.items()}

    async def start(self) -> None:
        """Open everything; `FleetError` with a sentence, and nothing left open, if that cannot be."""
        try:
            if self._control_address:
                await self._http.listen(open_tcp(*_loopback(self._control_address)))
            await self.update(self._specs)
        except FleetError:
            await self.stop()
            raise

    async def stop(self) -> None:
        for code in list(self._served):
            self._end(code)
        await self._http.stop()

    async def update(self, specs: Iterable[StudioSpec]) -> tuple[int, int]:
        """Serve exactly these: begin what is new or changed, end what is gone. Returns how many of each."""
        wanted = {spec.code: spec for spec in specs}
        _refuse_shared_addresses(wanted.values())
        try:
            make_room(len(wanted))
        except TooFewFilesError as error:
            raise FleetError(str(error)) from None
        ended = [code for code, served in self._served.items() if wanted.get(code) != served.studio.spec]
        for code in ended:
            self._end(code)
        # A datagram socket is closed in the loop's next turn, and a changed studio may want its address again.
        await asyncio.sleep(0)
        begun = [spec for code, spec in wanted.items() if code not in self._served]
        for spec in begun:
            await self._begin(spec)
        return len(begun), len(ended)

    async def _begin(self, spec: StudioSpec) -> None:
        studio = SimulatedStudio(spec, self._timings)
        self._feedback.follow(studio)
        served = self._served[spec.code] = _Served(studio)
        try:
            await self._open(served)
        except FleetError:
            self._end(spec.code)
            raise

    async def _open(self, served: _Served) -> None:
        studio, spec = served.studio, served.studio.spec
        if spec.sip_port:
            phone = SipPhone(studio)
            studio.phone = phone
            served.datagrams.append(await _listen(phone, spec.address, spec.sip_port))
        if spec.snmp_port:
            served.datagrams.append(await _listen(SnmpAgent(studio), spec.address, spec.snmp_port))
        if spec.http_port:
            served.http = await self._http.listen(open_tcp(spec.address, spec.http_port))
            self._by_address[(spec.address, spec.http_port)] = studio

    def _end(self, code: str) -> None:
        served = self._served.pop(code)
        studio = served.studio
        for call_id in list(studio.calls):
            studio.hang_up(call_id)
        for transport in served.datagrams:
            transport.close()
        if served.http:
            self._http.quit(served.http)
            self._by_address.pop((studio.spec.address, studio.spec.http_port or 0), None)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        part = self._control if tuple(scope["server"]) == self._control_address else self._xapi
        try:
            await part(scope, receive, send)
        except Exception:
            # The web server is told to be quiet; a fault of ours is not to be.
            log.exception("A request to %s could not be answered", scope["server"])
            raise


def covering_network(addresses: Iterable[str]) -> str:
    """The smallest network that holds all addresses, in whole octets, for people to recognise."""
    found = [ipaddress.IPv4Address(address) for address in addresses]
    for prefix in (24, 16):
        network = ipaddress.IPv4Network((min(found), prefix), strict=False)
        if max(found) in network:
            return str(network)
    return "127.0.0.0/8"


async def _listen(protocol: asyncio.DatagramProtocol, address: str, port: int) -> asyncio.DatagramTransport:
    opened = open_udp(address, port)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=opened)
    return transport


def _loopback(address: Address) -> Address:
    """Whoever can reach the control address can break every studio, so it stays on this machine."""
    try:
        safe = ipaddress.IPv4Address(address[0]).is_loopback
    except ValueError:
        safe = False
    if not safe:
        raise FleetError(f"The fleet's control address {address[0]} is not a loopback address such as 127.1.0.1.")
    return address


def _refuse_shared_addresses(specs: Iterable[StudioSpec]) -> None:
    taken: dict[tuple[str, str, int], str] = {}
    for spec in specs:
        for service, port in (("SIP", spec.sip_port), ("SNMP", spec.snmp_port), ("HTTP", spec.http_port)):
            if not port:
                continue
            other = taken.setdefault((service, spec.address, port), spec.code)
            if other != spec.code:
                raise FleetError(f"{other} and {spec.code} share {spec.address}:{port} for {service}.")
