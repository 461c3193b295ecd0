"""All studios and bridges of an inventory, served from one event loop, each on its own loopback address."""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulation.bridge import BridgeSpec, SimulatedBridge
from simulation.control import Control
from simulation.feedback import Feedback
from simulation.http_replies import Receive, Scope, Send
from simulation.http_server import HttpServer
from simulation.open_files import TooFewFilesError, make_room
from simulation.pexip import Pexip
from simulation.sip_phone import SipPhone
from simulation.snmp_agent import SnmpAgent
from simulation.sockets import FleetError, open_tcp, open_udp
from simulation.studio import SimulatedStudio, StudioSpec, Timings
from simulation.xapi import Xapi

log = logging.getLogger(__name__)

Address = tuple[str, int]


Spec = StudioSpec | BridgeSpec


@dataclass(slots=True)
class _Served:
    """What is open for one device."""

    device: SimulatedStudio | SimulatedBridge
    datagrams: list[asyncio.DatagramTransport] = field(default_factory=list)
    http: asyncio.Server | None = None
    http_address: Address = ("", 0)


class Fleet:
    """Studios by code in `studios`, bridges by name in `bridges`. `control` is the (host, port) of the control address,
    None for none; with `tls` all but that is steered encrypted. `traps_to` is the (host, port) to which studios send
    their traps, None for nowhere."""

    def __init__(
        self,
        specs: Iterable[Spec],
        control: Address | None = None,
        timings: Timings | None = None,
        tls: ssl.SSLContext | None = None,
        traps_to: Address | None = None,
    ) -> None:
        self._tls = tls
        self._traps_to = traps_to
        self._specs = list(specs)
        self._control_address = control
        self._timings = timings or Timings()
        self._served: dict[Spec, _Served] = {}
        self._feedback = Feedback()
        studios: dict[Address, SimulatedStudio] = {}
        bridges: dict[Address, SimulatedBridge] = {}
        self._studios_at, self._bridges_at = studios, bridges
        self._xapi, self._pexip = Xapi(studios), Pexip(bridges)
        self._control = Control(lambda: self.studios, lambda: self.bridges)
        self._http = HttpServer(self._app)

    @property
    def studios(self) -> dict[str, SimulatedStudio]:
        devices = [served.device for served in self._served.values()]
        return {device.spec.code: device for device in devices if isinstance(device, SimulatedStudio)}

    @property
    def bridges(self) -> dict[str, SimulatedBridge]:
        devices = [served.device for served in self._served.values()]
        return {device.spec.name: device for device in devices if isinstance(device, SimulatedBridge)}

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
        for spec in list(self._served):
            self._end(spec)
        await self._http.stop()

    async def update(self, specs: Iterable[Spec]) -> tuple[int, int]:
        """Serve exactly these: begin what is new or changed, end what is gone. Returns how many of each."""
        wanted = list(dict.fromkeys(specs))
        _refuse_shared_addresses(wanted)
        try:
            make_room(len(wanted), sum(_sockets(spec) for spec in wanted))
        except TooFewFilesError as error:
            raise FleetError(str(error)) from None
        ended = self._served.keys() - set(wanted)
        for spec in ended:
            self._end(spec)
        # A datagram socket is closed in the loop's next turn, and a changed device may want its address again.
        await asyncio.sleep(0)
        begun = [spec for spec in wanted if spec not in self._served]
        for spec in begun:
            await self._begin(spec)
        return len(begun), len(ended)

    async def _begin(self, spec: Spec) -> None:
        try:
            if isinstance(spec, BridgeSpec):
                await self._begin_bridge(spec)
            else:
                await self._begin_studio(spec)
        except FleetError:
            self._end(spec)
            raise

    async def _begin_bridge(self, spec: BridgeSpec) -> None:
        bridge = SimulatedBridge(spec, self._timings)
        served = self._served[spec] = _Served(bridge)
        bridge.phone = phone = SipPhone(bridge)
        served.datagrams.append(await _listen(phone, spec.address, spec.sip_port))
        served.http_address = (spec.api_address, spec.http_port)
        served.http = await self._http.listen(open_tcp(*served.http_address), self._tls)
        self._bridges_at[served.http_address] = bridge

    async def _begin_studio(self, spec: StudioSpec) -> None:
        studio = SimulatedStudio(spec, self._timings)
        self._feedback.follow(studio)
        served = self._served[spec] = _Served(studio)
        if spec.sip_port:
            studio.phone = phone = SipPhone(studio)
            served.datagrams.append(await _listen(phone, spec.address, spec.sip_port))
        if spec.snmp_port:
            served.datagrams.append(await _listen(SnmpAgent(studio, self._traps_to), spec.address, spec.snmp_port))
        if spec.http_port:
            served.http_address = (spec.address, spec.http_port)
            served.http = await self._http.listen(open_tcp(*served.http_address), self._tls)
            self._studios_at[served.http_address] = studio

    def _end(self, spec: Spec) -> None:
        served = self._served.pop(spec)
        served.device.hang_up_all()
        for transport in served.datagrams:
            transport.close()
        if served.http:
            self._http.quit(served.http)
            self._studios_at.pop(served.http_address, None)
            self._bridges_at.pop(served.http_address, None)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = tuple(scope["server"])
        parts = {self._control_address: self._control} | dict.fromkeys(self._bridges_at, self._pexip)
        part = parts.get(server, self._xapi)
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


def _refuse_shared_addresses(specs: Iterable[Spec]) -> None:
    taken: dict[tuple[str, str, int], str] = {}
    for spec in specs:
        name, services = _services(spec)
        for service, address, port in services:
            other = taken.setdefault((service, address, port), name) if port else name
            if other != name:
                raise FleetError(f"{other} and {name} share {address}:{port} for {service}.")


def _services(spec: Spec) -> tuple[str, list[tuple[str, str, int | None]]]:
    """Whose they are, and what is served where; a port of None: it is not."""
    if isinstance(spec, BridgeSpec):
        return spec.name, [("SIP", spec.address, spec.sip_port), ("HTTP", spec.api_address, spec.http_port)]
    ports = (("SIP", spec.sip_port), ("SNMP", spec.snmp_port), ("HTTP", spec.http_port))
    return spec.code, [(service, spec.address, port) for service, port in ports]


def _sockets(spec: Spec) -> int:
    ports = (spec.http_port, spec.sip_port, spec.snmp_port) if isinstance(spec, StudioSpec) else (1, 1)
    return sum(port is not None for port in ports)
