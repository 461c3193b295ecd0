"""Which engine polls: gufo by default, pysnmp where gufo can't be had or isn't wanted."""

from monitoring.snmp.engine import SnmpEngine
from monitoring.snmp.pysnmp_engine import PysnmpEngine

AUTO, GUFO, PYSNMP = "auto", "gufo", "pysnmp"


class EngineMissing(Exception):
    """The engine that was asked for isn't installed; the message says what to do."""


def engine_named(name: str) -> type[SnmpEngine]:
    """What opens the engine, inside the loop that it is to belong to."""
    if name == PYSNMP:
        return PysnmpEngine
    try:
        # Here and not above: it is compiled code, which not every machine has a build of.
        from monitoring.snmp.gufo_engine import GufoEngine, try_out

        try_out()
    except (ImportError, AttributeError, TypeError) as error:
        if name == AUTO:
            return PysnmpEngine
        raise EngineMissing(f"STUDIONETT_SNMP_ENGINE is gufo, but gufo-snmp cannot be used: {error}.") from None
    return GufoEngine
