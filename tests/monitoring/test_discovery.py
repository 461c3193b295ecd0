"""An address is asked who it is: simulated equipment of each vendor, a wrong key, and nobody."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from models import Role, Studio, db
from simulation.fleet import Fleet
from simulation.studio import Kind
from tests import factories
from tests.monitoring.test_vendors import pytestmark as on_sqlite
from tests.simulation.fleets import a_studio
from tests.studios.booking.pages import in_english, text_of

pytestmark = on_sqlite


@pytest.fixture
def technician(client_for) -> FlaskClient:
    return in_english(client_for(factories.account(role=Role.TECHNICIAN)))


@pytest.fixture
def fleet() -> Iterator[dict[Kind, object]]:
    specs = {kind: a_studio(f"D{number}", kind=kind, http_port=None) for number, kind in enumerate(Kind)}
    played, loop = Fleet(list(specs.values())), asyncio.new_event_loop()
    loop.run_until_complete(played.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield specs
    asyncio.run_coroutine_threadsafe(played.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def discover(client: FlaskClient, spec, **changes: str):
    asked = {"host": spec.address, "port": str(spec.snmp_port), "version": "2c", "credential": "", **changes}
    return client.post("/inventory/discover", data=asked)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.CISCO_ROOM, ("Cisco", "Cisco Room")),
        (Kind.POLY_GROUP, ("Poly", "Poly RealPresence Group", "camera, microphone, calls")),
        (Kind.CISCO_CTS, ("Cisco TelePresence CTS",)),
        (Kind.POLY_HDX, ("Poly HDX", "loss, jitter")),
    ],
)
def test_who_answers_is_told_with_what_it_can_tell(technician, fleet, kind, words):
    answer = discover(technician, fleet[kind])
    assert answer.status_code == 200
    assert all(word in text_of(answer) for word in words)


def test_what_was_found_fills_in_a_new_studio(technician, fleet):
    spec = fleet[Kind.CISCO_ROOM]
    address = (
        discover(technician, spec).text.split("/inventory/studios/new?")[-1].partition('"')[0].replace("&amp;", "&")
    )
    form = technician.get(f"/inventory/studios/new?{address}").text
    assert f'value="{spec.address}"' in form
    assert f'value="https://{spec.address}"' in form


def test_an_address_that_a_studio_has_already_says_so(technician, fleet):
    spec = fleet[Kind.POLY_HDX]
    studio: Studio = factories.studio(name="The one that has it")
    factories.endpoint(studio, spec.address)
    assert "The one that has it" in text_of(discover(technician, spec))


def test_nobody_is_told_as_nobody(technician, fleet):
    spec = fleet[Kind.POLY_HDX]
    nobody = discover(technician, spec, host="127.202.99.99")
    assert (nobody.status_code, "Nobody answers there" in text_of(nobody)) == (422, True)
    assert 'value="127.202.99.99"' in nobody.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": ""}, "Type an IP address"),
        ({"host": "10.0.0.256"}, "Type an IP address"),
        ({"host": "no.such.host.invalid"}, "no host of that name"),
        ({"port": "70000"}, "A port is a number"),
        ({"version": "4"}, "Choose a version"),
        ({"version": "3"}, "needs a credential"),
        ({"credential": "nobody's"}, "does not fit"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(technician, fleet, changes, words):
    answer = discover(technician, fleet[Kind.POLY_HDX], **changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert db.session.query(Studio).count() == 0
