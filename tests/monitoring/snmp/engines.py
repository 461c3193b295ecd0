"""Both engines for the tests, each opened in a loop of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from monitoring.snmp.engine import SnmpEngine
from monitoring.snmp.gufo_engine import GufoEngine
from monitoring.snmp.pysnmp_engine import PysnmpEngine

T = TypeVar("T")
Work = Callable[[SnmpEngine], Awaitable[T]]
ENGINES: tuple[type[SnmpEngine], ...] = (PysnmpEngine, GufoEngine)


def with_engine(kind: Callable[[], SnmpEngine], work: Work[T]) -> T:
    async def run() -> T:
        engine = kind()
        try:
            return await work(engine)
        finally:
            engine.close()

    return asyncio.run(run())
