"""Whether what is answered is what the OpenAPI document says, asked with thousands of made-up requests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

SEED = 4711
DOCUMENT = "/api/v1/openapi.json"


@dataclass(frozen=True)
class Known:
    """What leads somewhere at one operation: values of its path and its query by name, and a body."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


class Run(NamedTuple):
    """How many requests were sent, where the answers depart from the document, a few lines each, and the operations
    that were answered with success."""

    sent: int
    departures: list[str]
    reached: set[str]


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
    app: Flask,
    headers: dict[str, str],
    examples: int,
    without: Iterable[str] = (),
    known: Mapping[str, Known] | None = None,
) -> Run:
    """`known`: by operation what leads somewhere, which is sent beside what is made up."""
    served = _alone(app)
    schema = schemathesis.openapi.from_wsgi(
        DOCUMENT, served, headers=headers, config=settings_of_run(headers, examples)
    )
    _give_examples(schema.raw_schema, known or {})
    for path in without:
        schema = schema.exclude(path=path)
    sent, found, reached = 0, [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            sent += len(event.recorder.interactions)
            found += _failures(event)
            reached |= set(_successes(event))
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event.value if isinstance(event, events.NonFatalError) else event.exception))
    return Run(sent, found, reached)


def _give_examples(document: Any, known: Mapping[str, Known]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            given = known.get(operation["operationId"], Known())
            for parameter in operation["parameters"]:
                if parameter["name"] in given.parameters:
                    parameter["example"] = given.parameters[parameter["name"]]
            if given.body is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = given.body


def _successes(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, interaction in event.recorder.interactions.items():
        if interaction.response is not None and interaction.response.status_code < 300:
            yield event.recorder.cases[case_id].value.operation.definition.raw["operationId"]


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
