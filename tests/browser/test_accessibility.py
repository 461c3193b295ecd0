"""Each page, by role, with and without content and in trouble, against WCAG A and AA as axe-core can tell.

The pages are opened narrow, where most goes wrong, and must not scroll sideways there.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from accounts.people import begin_session
from demonstration import people
from models import (
    Closure,
    Endpoint,
    EndpointStatus,
    Event,
    Health,
    Incident,
    Measurement,
    Role,
    Severity,
    Span,
    db,
    write,
)
from tests import factories
from tests.browser.web import Web

pytestmark = pytest.mark.browser

HOURS = timedelta(hours=8)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
OUTLINE = """() => ({
  lang: document.documentElement.lang, title: document.title,
  levels: [...document.querySelectorAll("h1, h2, h3, h4, h5")].filter(h => h.checkVisibility()).map(h => +h.tagName[1]),
  mains: document.querySelectorAll("main").length,
  skips: document.querySelector("a")?.getAttribute("href") === "#content",
  wide: document.documentElement.scrollWidth > innerWidth,
})"""


@pytest.fixture
def dialect() -> str:
    """What a page looks like does not hang on the database."""
    return "sqlite"


@pytest.fixture
def web(app: Flask) -> Iterator[Web]:
    web = Web(app)
    yield web
    web.stop()


@pytest.fixture
def visit(app: Flask, web: Web, browser: Browser) -> Iterator[Callable[[Role | None], Page]]:
    """A narrow English page, signed in as somebody of the role."""
    contexts = []

    def visit(role: Role | None) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 320, "height": 900}, bypass_csp=True)
        contexts.append(context)
        if role:
            context.add_cookies([{"name": "studionett", "value": cookie(app, role), "url": web.address}])
        return context.new_page()

    yield visit
    for context in contexts:
        context.close()


def cookie(app: Flask, role: Role) -> str:
    """The session cookie of a browser that somebody of the role signed in with."""
    token = write(lambda: begin_session(factories.account(role=role)))
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps({"_user_id": token, "_fresh": True}))


def faults(page: Page, address: str) -> list[str]:
    """What is wrong with the page at an address, in a line each."""
    page.goto(address)
    outline = page.evaluate(OUTLINE)
    levels = outline["levels"]
    found = [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in Axe().run(page, options=RULES).response["violations"]
    ]
    if levels[:1] != [1] or levels.count(1) != 1 or any(b - a > 1 for a, b in pairwise(levels)):
        found.append(f"headings {levels}")
    if outline["lang"] != "en" or outline["mains"] != 1 or not outline["skips"]:
        found.append(f"frame {outline}")
    if not outline["title"].endswith(" – Studionett") or len(outline["title"]) < len("X – Studionett"):
        found.append(f"title {outline['title']!r}")
    if outline["wide"]:
        found.append("scrolls sideways at 320 pixels")
    return found


def all_faults(page: Page, web: Web, addresses: list[str]) -> dict[str, list[str]]:
    found = {address: faults(page, web.address + address) for address in addresses}
    return {address: wrong for address, wrong in found.items() if wrong}


EMPTY = ["/status", "/studios/", "/conferences/", "/reports/", "/help", "/account/tokens", "/api", "/nowhere", "/",
         "/account/feeds", "/calendar/?q=nowhere", "/next-24-hours", "/conferences/?q=nowhere"]  # fmt: skip


# An administrator sees every page; of the others' the frames and the refusals differ.
OF_A_ROLE = ["/", "/status", "/conferences/", "/book", "/operation/processes"]


@pytest.mark.parametrize("role", list(Role))
def test_pages_of_an_installation_with_nothing_in_it_are_accessible(visit, web, role):
    assert not all_faults(visit(role), web, [*EMPTY, *OF_A_ROLE] if role is Role.ADMINISTRATOR else OF_A_ROLE)


def test_pages_for_strangers_and_the_demonstrations_doors_are_accessible(app, visit, web):
    addresses = ["/sign-in", "/privacy", "/accessibility", "/nowhere"]
    assert not all_faults(visit(None), web, addresses)
    factories.organisation("Universitetssykehuset Nord-Norge HF")
    factories.organisation("Nordlandssykehuset HF")
    write(people.keep_accounts)
    assert not all_faults(visit(None), web, addresses)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.TECHNICIAN])
def test_pages_of_a_network_at_work_are_accessible(app, visit, web, role):
    studios = [factories.studio(factories.site(name=f"Sykehuset på Langnes {n}")) for n in range(3)]
    for studio in studios[:2]:
        factories.endpoint(studio)
    soon = datetime.now(UTC) + timedelta(minutes=30)
    held = factories.conference(*studios, start=soon)
    later = factories.conference(studios[0], start=soon + timedelta(days=1))
    reference, code = held.reference, studios[0].code
    booking = [f"/conferences/{later.reference}/{step}" for step in ("change", "cancel")]
    site, owner = studios[0].site_id, studios[0].site.organisation_id
    calendars = [f"/calendar/studio/{code}?view=week", f"/calendar/site/{site}?view=week", f"/sites/{site}/today",
                 f"/calendar/organisation/{owner}?day={later.starts_at:%Y-%m-%d}", "/calendar/?q=langnes"]  # fmt: skip
    db.session.rollback()
    addresses = ["/status", "/studios/", "/conferences/", f"/conferences/{reference}", f"/studios/{code}",
                 "/status?only=faults"]  # fmt: skip
    if role is Role.COORDINATOR:
        clash = f"/book?studio={code}&studio={studios[1].code}&date={soon:%Y-%m-%d}&start={soon:%H:%M}"
        pool = '&party={"any_of":{}}&party={"guest":"sip:a@example.org"}'
        series = f"/book?studio={code}{pool}&repeat=weekly&times=3"
        addresses += ["/studios/?q=nowhere", "/conferences/?from=rubbish", "/studios/NONE", "/", "/next-24-hours",
                      "/book", f"/book?studio={code}", clash, series, f"{series}&view=week", "/drafts/", "/requests/",
                      f"/conferences/{reference}/answer/1", f"/conferences/{reference}/release/1",
                      *calendars, *booking]  # fmt: skip
    assert not all_faults(visit(role), web, addresses)


def test_pages_of_technicians_are_accessible(app, visit, web):
    """With an incident, a closure that hits something, measurements, and forms that were refused."""
    site = factories.site(name="Sykehuset på Langnes")
    ill, well, spare = (factories.studio(site) for _ in range(3))
    for studio in (ill, well, spare):
        factories.endpoint(studio)
    now = datetime.now(UTC)
    meeting = factories.conference(ill, well, start=now + timedelta(minutes=30))
    key = db.session.scalar(db.select(Endpoint.id).where(Endpoint.studio_id == ill.id))
    db.session.execute(
        db.update(EndpointStatus).where(EndpointStatus.endpoint_id == key).values(
            health=Health.DOWN, cause="no-answer", last_poll_at=now, since=now, in_call=False,
            peripherals={"cameras": {"1": False}, "microphones": {"1": True}},
        )
    )  # fmt: skip
    for hours in range(1, 20):
        measured = {
            "polls": 30,
            "misses": hours % 3,
            "round_trip_ms": float(hours),
            "loss_percent": 1.0,
            "jitter_ms": 2.0,
        }
        at = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
        db.session.add(Measurement(span=Span.FIVE_MINUTES, starts_at=at, endpoint_id=key, **measured))
    incident = Incident(studio_id=ill.id, cause="no-answer", severity=Severity.CRITICAL, opened_at=now)
    over = Incident(site_id=site.id, cause="site-outage", severity=Severity.CRITICAL, opened_at=now, resolved_at=now)
    closure = Closure(studio_id=ill.id, starts_at=now + timedelta(minutes=20), ends_at=now + HOURS, reason="Paint")
    db.session.add_all([incident, over, closure])
    db.session.commit()
    told = {"told": ["Tora"], "people": [], "programs": []}
    db.session.add(Event(at=now, kind="incident.told", incident_id=incident.id, studio_id=ill.id, details=told))
    db.session.commit()
    code = ill.code
    addresses = [
        "/status", "/status?only=untaken", "/status/incidents", "/status/incidents?over=1",
        f"/status/incidents/{incident.id}", f"/status/incidents/{over.id}", "/status/places", "/wallboard",
        f"/status/studios/{code}", f"/status/studios/{code}?range=month", "/closures", f"/closures/{closure.id}",
        f"/closures/new?studio={code}", f"/closures/new?site={site.id}", "/inventory/studios/new",
        f"/inventory/studios/{code}", f"/inventory/studios/{code}/retire", "/inventory/import", "/inventory/discover",
        f"/call?studio={code}&q=langnes", f"/conferences/{meeting.reference}",
    ]  # fmt: skip
    db.session.rollback()
    assert not all_faults(visit(Role.ADMINISTRATOR), web, addresses)
    assert not all_faults(visit(None), web, ["/wallboard"])


def test_forms_that_were_refused_are_accessible(app, visit, web):
    page = visit(Role.ADMINISTRATOR)
    code = factories.studio(factories.site(name="Sykehuset på Langnes")).code
    db.session.rollback()
    for address, button in (
        ("/inventory/studios/new", "Add the studio"),
        (f"/closures/new?studio={code}", "Take out of use"),
        ("/inventory/discover", "Ask"),
        ("/call", "Call now"),
    ):
        page.goto(web.address + address)
        page.get_by_role("button", name=button).click()
        wrong = Axe().run(page, options=RULES).response["violations"]
        assert [each["id"] for each in wrong] == []
        assert page.locator("main [role=alert].notice").count() >= 1
