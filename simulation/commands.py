"""`studionett fleet`: run the simulated studios, and break one of them."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import httpx
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from config import settings
from models.heartbeat import Heart
from simulation.bridge import FAULTS
from simulation.fault_player import Player
from simulation.fleet import Fleet, covering_network
from simulation.inventory import Inventory, booked_soon, read_inventory
from simulation.sockets import FleetError
from simulation.studio import Fault, SiteLine, Timings

RELOAD_S = 10
ANSWER_S = 5
# Seconds until somebody in the room has seen what the panel asks and pressed.
PRESS = (4.0, 25.0)


@click.group("fleet", cls=AppGroup, invoke_without_command=True)
@click.option("--ring", nargs=2, type=click.FloatRange(0, 60), default=(0.2, 1.0), show_default=True, metavar="S S")
@click.option("--quiet", is_flag=True, help="Play no faults on the demonstration's studios.")
@click.option("--seed", default=1, show_default=True, help="The same seed plays the same faults.")
@click.pass_context
@with_appcontext
def fleet(context: click.Context, ring: tuple[float, float], quiet: bool, seed: int) -> None:
    """Serve the studios of the inventory on loopback. A called studio answers after --ring FROM TO seconds."""
    if context.invoked_subcommand is not None:
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        control = parse_address(settings().fleet_control)
        script = None if quiet or settings().fleet_quiet else seed
        asyncio.run(serve(app, control, Timings(ring=ring, press=PRESS), script))
    except FleetError as error:
        raise click.ClickException(str(error)) from None


@fleet.command("fault")
@click.argument("words", nargs=-1, required=True, metavar="[CODE] FAULT")
@click.option("--site", metavar="NAME", help="The line of a whole site instead of one studio: `line` or `clear`.")
@click.option("--bridge", metavar="NAME", help="A bridge instead of a studio: dead, busy, slow or clear.")
@with_appcontext
def fault(words: tuple[str, ...], site: str | None, bridge: str | None) -> None:
    """Let the studio CODE of the running fleet suffer a fault; `clear` heals it.

    \b
    FAULT is dead, busy, declines, slow, drops, lies,
    camera-unplugged, microphone-unplugged,
    unregistered or lossy.
    """
    *codes, kind = words
    whose = {"site": site} if site else {"bridge": bridge} if bridge else {}
    faults: list[str] = list(SiteLine if site else FAULTS if bridge else Fault)
    if kind not in faults or len(codes) != (0 if whose else 1) or (site and bridge):
        who = "--site NAME" if site else "--bridge NAME" if bridge else "CODE"
        raise click.UsageError(f"Say {who} and one of {', '.join(faults)}.")
    answer = _told_to_fleet({**(whose or {"code": codes[0]}), "fault": kind})
    who = f"{answer['site']}, {_studios(answer['studios'])}" if site else bridge or codes[0]
    click.echo(f"{who}: {kind}.")


def _told_to_fleet(content: dict[str, str]) -> dict[str, Any]:
    """Send the fault to the running fleet; its answer."""
    host, port = parse_address(settings().fleet_control)
    try:
        # A proxy of the environment has no business with a loopback address.
        with httpx.Client(trust_env=False, timeout=ANSWER_S) as client:
            response = client.post(f"http://{host}:{port}/fault", json=content)
            answer: dict[str, Any] = response.json()
    except httpx.TransportError:
        raise click.ClickException(f"No fleet is running at {host}:{port}; start it with `studionett fleet`.") from None
    except ValueError:
        raise click.ClickException(f"What answers at {host}:{port} is no fleet.") from None
    if response.status_code != 200:
        raise click.ClickException(answer["error"])
    return answer


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT`; `FleetError`'s sentence goes to the person who set it."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise click.ClickException(f"STUDIONETT_FLEET_CONTROL is {text!r}; it must be like 127.1.0.1:8079.")
    return host, int(port)


async def serve(app: Flask, control: tuple[str, int], timings: Timings, script: int | None) -> None:
    """Serve until SIGINT or SIGTERM; look for new studios in the inventory now and then.

    `script` is the seed of the script of faults, None for no faults.
    """
    with _stop_signals() as stop:
        inventory = await asyncio.to_thread(_read, app)
        port = app.config["STUDIONETT"].trap_port
        fleet = Fleet(inventory.specs, control, timings, traps_to=("127.0.0.1", port) if port else None)
        await fleet.start()
        heart = Heart("fleet", app.app_context, lambda: _figures(fleet))
        heart.start()
        try:
            click.echo(serving_line(inventory, control))
            async with _playing(app, fleet, script):
                await _follow(app, fleet, stop)
        finally:
            await fleet.stop()
            await asyncio.to_thread(heart.stop)
    click.echo("Fleet: stopped.")


async def _follow(app: Flask, fleet: Fleet, stop: asyncio.Event) -> None:
    said = ""
    while not await _within(stop, RELOAD_S):
        news = await _reload(app, fleet)
        # A trouble that lasts is told once, not every ten seconds.
        if news and news != said:
            click.echo(f"Fleet: {news}")
        said = news


@contextlib.asynccontextmanager
async def _playing(app: Flask, fleet: Fleet, script: int | None) -> AsyncIterator[None]:
    """Faults come and go meanwhile, where the demonstration is installed and nobody wanted quiet."""
    if script is None:
        yield
        return

    async def soon() -> frozenset[str]:
        return await asyncio.to_thread(_booked_soon, app)

    zone = ZoneInfo(app.config["STUDIONETT"].zone)
    playing = asyncio.create_task(Player(fleet, soon, click.echo, zone).play(script))
    try:
        yield
    finally:
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing


def _booked_soon(app: Flask) -> frozenset[str]:
    """None while the database is away: then the script goes on without knowing."""
    try:
        with app.app_context():
            return booked_soon(datetime.now(UTC))
    except sa.exc.SQLAlchemyError:
        return frozenset()


def _figures(fleet: Fleet) -> dict[str, int]:
    """For the heartbeat, which asks from a thread of its own: copies are taken of what may change meanwhile."""
    studios = list(fleet.studios.values())
    calls = sum(len(studio.calls) for studio in studios)
    return {"studios": len(studios), "bridges": len(fleet.bridges), "calls": calls}


def serving_line(inventory: Inventory, control: tuple[str, int]) -> str:
    specs = inventory.studios
    where = f" on {covering_network(spec.address for spec in specs)}" if specs else ""
    services = [
        f"{name} {sum(port is not None for port in ports)}"
        for name, ports in (
            ("xAPI", [spec.http_port for spec in specs]),
            ("SIP", [spec.sip_port for spec in specs]),
            ("SNMP", [spec.snmp_port for spec in specs]),
        )
    ]
    skipped = f"; {inventory.skipped} elsewhere" if inventory.skipped else ""
    bridges = f", bridges {len(inventory.bridges)}" if inventory.bridges else ""
    return (
        f"Fleet: {_studios(len(specs))}{where} ({', '.join(services)}{skipped}){bridges}, "
        f"control at {control[0]}:{control[1]}."
    )


async def _reload(app: Flask, fleet: Fleet) -> str:
    """Follow the inventory and say what is new. A database that is away for a moment does not end the fleet."""
    try:
        inventory = await asyncio.to_thread(_read, app)
        begun, ended = await fleet.update(inventory.specs)
    except FleetError as error:
        return str(error)
    return f"{begun} begun, {ended} ended; {_studios(len(inventory.studios))} now." if begun or ended else ""


def _studios(count: int) -> str:
    return "1 studio" if count == 1 else f"{count} studios"


def _read(app: Flask) -> Inventory:
    with app.app_context():
        return read_inventory()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
