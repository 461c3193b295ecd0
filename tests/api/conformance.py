"""Whether what is answered is what the OpenAPI document says, asked with thousands of made-up requests."""

from collections.abc import Iterable, Iterator
from typing import Any

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

SEED = 4711
DOCUMENT = "/api/v1/openapi.json"


def settings_of_run(headers: dict[str, str], examples: int) -> SchemathesisConfig:
    """The same requests each time. What is well formed may still be refused: a day can be over, a studio gone.

    One check is off, since it cannot call an application in its own process (schemathesis 4.32 hands over what only a
    network call takes): that tokens are asked for. tests/test_access.py asks every address without one.
    """
    refusable = ["2xx", "401", "403", "404", "409", "422"]
    checks = {"positive_data_acceptance": {"expected-statuses": refusable}, "ignored_auth": {"enabled": False}}
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": headers,
            "workers": 1,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "max-examples": examples, "database": "none"},
            "checks": checks,
            "phases": {"stateful": {"enabled": False}},
        }
    )


def departures(
    app: Flask, headers: dict[str, str], examples: int, without: Iterable[str] = ()
) -> tuple[int, list[str]]:
    """How many requests were sent, and where the answers depart from the document, a few lines each."""
    served = _alone(app)
    schema = schemathesis.openapi.from_wsgi(
        DOCUMENT, served, headers=headers, config=settings_of_run(headers, examples)
    )
    for path in without:
        schema = schema.exclude(path=path)
    sent, found = 0, []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            sent += len(event.recorder.interactions)
            found += _failures(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event.value if isinstance(event, events.NonFatalError) else event.exception))
    return sent, found


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                request = event.recorder.cases[case_id].value.as_curl_command()
                yield f"{check.name}: {check.failure_info.failure.message}\n{request[:600]}"


def _alone(app: Flask) -> Any:
    """The application with each request in a context of its own: see tests.conftest.Browser."""

    def served(environ: dict[str, Any], start_response: Any) -> Any:
        with app.app_context():
            return app(environ, start_response)

    return served
