"""One line an event, on standard error: of ours (structlog) and of the libraries (logging) alike, in UTC.

No secret and no personal data is logged beyond ids: an exception's text loses the addresses and the values that a
database quotes, and statements are shown without their parameters (`hide_parameters` of the engine).
"""

import logging
import os
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog

from config import LogFormat

PROCESSES = frozenset({"web", "scheduler", "monitor", "fleet"})
# They tell of each request or job at a level that is for us; what goes wrong is told by whoever asked.
QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "apscheduler": logging.ERROR}

TRACEBACKS = frozenset({"exception", "traceback"})
QUOTING = TRACEBACKS | {"error"}

# PostgreSQL's messages quote the row that it refuses.
_QUOTED_VALUES = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)
_MAILBOX = re.compile(r"(?<![\w.+:-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Event], Event]


def configure(form: LogFormat, level: int, process: str, stream: TextIO | None = None) -> None:
    """Once a process, before anything logs. `process` stands in each line, with the process's number."""
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        without_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_written(form, stream)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def without_values(_logger: Any, _method: str, event: Event) -> Event:
    """Nothing names a person, and whatever an exception's text quotes of rows is left out."""
    for name, value in event.items():
        if isinstance(value, str):
            told = _QUOTED_VALUES.sub(r"\1: (left out)", value) if name in QUOTING else value
            event[name] = _MAILBOX.sub("(address)", told)
    return event


def _named(process: str) -> Processor:
    number = os.getpid()

    def name(_logger: Any, _method: str, event: Event) -> Event:
        return {**event, "process": process, "pid": number}

    return name


def _written(form: LogFormat, stream: TextIO) -> list[Any]:
    if form is LogFormat.JSON:
        return [structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False, default=str)]
    renderer = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    return [_on_one_line, renderer]


def _on_one_line(_logger: Any, _method: str, event: Event) -> Event:
    """Whoever chooses a part of a text must not be able to begin a line of the log, or to steer a terminal."""
    for name, value in event.items():
        if isinstance(value, str):
            line = value if name in TRACEBACKS else value.replace("\n", "\\n")
            event[name] = _CONTROL.sub(lambda found: repr(found.group())[1:-1], line)
    return event
