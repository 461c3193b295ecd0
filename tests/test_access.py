"""Who may open what: each route named here, walked by each role. A route that is not named here fails the test."""

import re

import pytest
from flask import Flask

from accounts.rules import Scope
from models import AuditEntry, Role, db
from tests import factories

EVERYONE = frozenset(Role)
BOOKERS = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
CLOSERS = frozenset({Role.COORDINATOR, Role.TECHNICIAN, Role.ADMINISTRATOR})
CARETAKERS = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})
PUBLIC = None

EXPECTED = {
    "about.accessibility": PUBLIC,
    "about.guide": EVERYONE,
    "about.privacy": PUBLIC,
    "accounts.choose_language": PUBLIC,
    "accounts.sign_in": PUBLIC,
    "accounts.sign_out": PUBLIC,
    "accounts.start": EVERYONE,
    "actions.answer": EVERYONE,
    "actions.call": BOOKERS,
    "actions.extend": BOOKERS,
    "actions.hang_up": BOOKERS,
    "actions.join": BOOKERS,
    "actions.release": BOOKERS,
    "actions.replace": BOOKERS,
    "actions.reroute": BOOKERS,
    "actions.restore": BOOKERS,
    "actions.undo": BOOKERS,
    "booking.ask_to_move": BOOKERS,
    "booking.book": BOOKERS,
    "booking.call_now": BOOKERS,
    "booking.cancel": BOOKERS,
    "booking.change": BOOKERS,
    "booking.change_draft": BOOKERS,
    "booking.conference": EVERYONE,
    "booking.conferences": EVERYONE,
    "booking.draft": BOOKERS,
    "booking.drafts": BOOKERS,
    "booking.keep": BOOKERS,
    "booking.keep_group": BOOKERS,
    "booking.live": EVERYONE,
    "booking.throw_away": BOOKERS,
    "booking.throw_group_away": BOOKERS,
    "booking.wait": BOOKERS,
    "calendar.index": EVERYONE,
    "calendar.next_day": EVERYONE,
    "calendar.organisation": EVERYONE,
    "calendar.site": EVERYONE,
    "calendar.studio": EVERYONE,
    "calendar.today_at": EVERYONE,
    "feeds.conference": EVERYONE,
    "closure_pages.listed": EVERYONE,
    "closure_pages.move": CLOSERS,
    "closure_pages.new": CLOSERS,
    "closure_pages.one": EVERYONE,
    "closure_pages.reopen": CLOSERS,
    "discovery.discover": CARETAKERS,
    "feeds.create": EVERYONE,
    "feeds.feed": PUBLIC,
    "feeds.own": EVERYONE,
    "feeds.revoke": EVERYONE,
    "healthz": PUBLIC,
    "incident_pages.acknowledge": CARETAKERS,
    "incident_pages.assign": CARETAKERS,
    "incident_pages.listed": EVERYONE,
    "incident_pages.listed_live": EVERYONE,
    "incident_pages.note": CARETAKERS,
    "incident_pages.one": EVERYONE,
    "incident_pages.one_live": EVERYONE,
    "incident_pages.poll": CARETAKERS,
    "incident_pages.reopen": CARETAKERS,
    "incident_pages.resolve": CARETAKERS,
    "inventory.studio": EVERYONE,
    "inventory.studios": EVERYONE,
    "monitoring.beat": EVERYONE,
    "monitoring.changes": EVERYONE,
    "monitoring.map_live": EVERYONE,
    "monitoring.map_of_places": EVERYONE,
    "monitoring.status": EVERYONE,
    "operation.alarms_now": EVERYONE,
    "operation.now": CARETAKERS,
    "operation.overview": CARETAKERS,
    "programs.overview": EVERYONE,
    "readyz": PUBLIC,
    "panels.pressed": PUBLIC,
    "reports.file": EVERYONE,
    "quality.test": CARETAKERS,
    "reports.index": EVERYONE,
    "reports.organisations": EVERYONE,
    "reports.report": EVERYONE,
    "reports.studios": EVERYONE,
    "static": PUBLIC,
    "requests.answer_offer": BOOKERS,
    "requests.answer_swap": BOOKERS,
    "requests.page": BOOKERS,
    "series_pages.cancel": BOOKERS,
    "series_pages.change": BOOKERS,
    "series_pages.page": BOOKERS,
    "studio_pages.live": EVERYONE,
    "studio_pages.page": EVERYONE,
    "studio_pages.poll": CARETAKERS,
    "tokens.ask_to_revoke": EVERYONE,
    "tokens.create": EVERYONE,
    "tokens.end": EVERYONE,
    "tokens.own": EVERYONE,
    "upkeep.bring_in": ADMINISTRATORS,
    "upkeep.edit": CARETAKERS,
    "upkeep.export": CARETAKERS,
    "upkeep.new": CARETAKERS,
    "upkeep.retire": CARETAKERS,
    "wallboard.pulse": PUBLIC,
    "wallboard.changes": PUBLIC,
    "wallboard.let_in": PUBLIC,
    "wallboard.show": PUBLIC,
}

# What programs reach: the scope that their token must have, and the roles of its account.
FOR_TOKENS = {
    "api.me": (Scope.READ, EVERYONE),
    "api.openapi": (Scope.READ, EVERYONE),
    "availability.availability": (Scope.READ, EVERYONE),
    "bridges.listed": (Scope.READ, ADMINISTRATORS),
    "bridges.one": (Scope.READ, ADMINISTRATORS),
    "bridges.put": (Scope.OPERATE, ADMINISTRATORS),
    "bridges.retire": (Scope.OPERATE, ADMINISTRATORS),
    "incidents.acknowledge": (Scope.OPERATE, CARETAKERS),
    "incidents.assign": (Scope.OPERATE, CARETAKERS),
    "incidents.listed": (Scope.READ, EVERYONE),
    "incidents.note": (Scope.OPERATE, CARETAKERS),
    "incidents.one": (Scope.READ, EVERYONE),
    "incidents.reopen": (Scope.OPERATE, CARETAKERS),
    "incidents.resolve": (Scope.OPERATE, CARETAKERS),
    "monitoring_status.events": (Scope.READ, EVERYONE),
    "monitoring_status.poll": (Scope.OPERATE, CARETAKERS),
    "monitoring_status.preflights": (Scope.READ, EVERYONE),
    "monitoring_status.status": (Scope.READ, EVERYONE),
    "closures.move": (Scope.OPERATE, CLOSERS),
    "closures.proposed": (Scope.READ, CLOSERS),
    "closures.listed": (Scope.READ, EVERYONE),
    "closures.one": (Scope.READ, EVERYONE),
    "closures.put_back": (Scope.OPERATE, CLOSERS),
    "closures.take_out": (Scope.OPERATE, CLOSERS),
    "conference_actions.accept": (Scope.BOOK, BOOKERS),
    "conference_actions.copy": (Scope.BOOK, BOOKERS),
    "conference_actions.decline": (Scope.BOOK, BOOKERS),
    "conference_actions.events": (Scope.READ, EVERYONE),
    "conference_actions.restore": (Scope.BOOK, BOOKERS),
    "conferences_under_way.call": (Scope.BOOK, BOOKERS),
    "conferences_under_way.extend": (Scope.BOOK, BOOKERS),
    "conferences_under_way.hang_up": (Scope.BOOK, BOOKERS),
    "conferences_under_way.join": (Scope.BOOK, BOOKERS),
    "conferences_under_way.release": (Scope.BOOK, BOOKERS),
    "conferences_under_way.replace": (Scope.BOOK, BOOKERS),
    "conferences_under_way.replacements": (Scope.READ, BOOKERS),
    "conferences_under_way.reroute": (Scope.BOOK, BOOKERS),
    "conferences.book": (Scope.BOOK, BOOKERS),
    "conferences.cancel": (Scope.BOOK, BOOKERS | {Role.EMERGENCY}),
    "conferences.change": (Scope.BOOK, BOOKERS),
    "conferences.listed": (Scope.READ, EVERYONE),
    "conferences.one": (Scope.READ, EVERYONE),
    "drafts.book": (Scope.BOOK, BOOKERS),
    "drafts.keep": (Scope.BOOK, BOOKERS),
    "drafts.listed": (Scope.READ, BOOKERS),
    "drafts.one": (Scope.READ, BOOKERS),
    "drafts.throw_away": (Scope.BOOK, BOOKERS),
    "drafts.write_anew": (Scope.BOOK, BOOKERS),
    "emergencies.book": (Scope.BOOK, frozenset({Role.EMERGENCY})),
    "series.book": (Scope.BOOK, BOOKERS),
    "series.look_ahead": (Scope.READ, BOOKERS),
    "series.one": (Scope.READ, EVERYONE),
    "series_edits.cancel": (Scope.BOOK, BOOKERS),
    "series_edits.change": (Scope.BOOK, BOOKERS),
    "series_edits.look_ahead": (Scope.READ, BOOKERS),
    "studios.listed": (Scope.READ, EVERYONE),
    "studios.one": (Scope.READ, EVERYONE),
    "swaps.accept": (Scope.BOOK, BOOKERS),
    "swaps.ask": (Scope.BOOK, BOOKERS),
    "swaps.decline": (Scope.BOOK, BOOKERS),
    "swaps.listed": (Scope.READ, BOOKERS),
    "swaps.one": (Scope.READ, BOOKERS),
    "swaps.withdraw": (Scope.BOOK, BOOKERS),
    "terms.change": (Scope.OPERATE, ADMINISTRATORS),
    "times.find": (Scope.READ, EVERYONE),
    "waiting.accept": (Scope.BOOK, BOOKERS),
    "waiting.ask": (Scope.BOOK, BOOKERS),
    "waiting.decline": (Scope.BOOK, BOOKERS),
    "waiting.listed": (Scope.READ, BOOKERS),
    "waiting.one": (Scope.READ, BOOKERS),
    "waiting.withdraw": (Scope.BOOK, BOOKERS),
}
BY_SESSION_TOO = {"api.openapi"}
PARTS = {
    "<code>": "nb",
    "<day>": "2026-11-21",
    "<int:number>": "1",
    "<int:position>": "1",
    "<secret>": "none",
    "<signed>": "none",
    "<name>": "north",
    "<path:filename>": "none.css",
    "<reference>": "K-1",
    "<reference:reference>": "K-1",
}


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Each page's route once a method: its endpoint, the method, and an address with made-up parts."""
    return [one for one in _all_addresses(app) if one[0] not in FOR_TOKENS]


def addresses_for_tokens(app: Flask) -> list[tuple[str, str, str]]:
    return [one for one in _all_addresses(app) if one[0] in FOR_TOKENS]


def _all_addresses(app: Flask) -> list[tuple[str, str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        address = re.sub(r"<.*?>", lambda part: PARTS[part.group()], str(rule))
        found += [(rule.endpoint, method, address) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return found


@pytest.fixture
def dialect() -> str:
    return "sqlite"  # who may do what does not hang on the database


def test_every_route_says_who_may_use_it(app):
    stated = {name: getattr(view, "allowed_roles", "nothing") for name, view in app.view_functions.items()}
    assert stated == EXPECTED | {name: roles for name, (_scope, roles) in FOR_TOKENS.items()}


def test_every_route_for_programs_says_which_scope_it_takes(app):
    views = app.view_functions.items()
    stated = {name: view.token_scope for name, view in views if hasattr(view, "token_scope")}
    assert stated == {name: scope for name, (scope, _roles) in FOR_TOKENS.items()}
    assert {name for name, view in views if getattr(view, "takes_sessions", False)} == BY_SESSION_TOO


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("scope", Scope)
def test_a_program_gets_in_where_its_role_and_its_scope_may_and_nowhere_else(app, role, scope):
    shown = factories.token(factories.account(role=role), scope)
    client = app.test_client()
    for endpoint, method, address in addresses_for_tokens(app):
        asked, roles = FOR_TOKENS[endpoint]
        status = client.open(address, method=method, headers=shown).status_code
        may = role in roles and scope in (asked, *(Scope if asked is Scope.READ else ()))
        assert (status == 403) != may, f"{role} {scope} {method} {address}"
        assert status not in (401, 500)


def test_programs_are_not_let_in_without_a_token_nor_by_a_session(app, client_for):
    signed_in = client_for(factories.account(role=Role.ADMINISTRATOR))
    for endpoint, method, address in addresses_for_tokens(app):
        assert app.test_client().open(address, method=method).status_code == 401, f"{method} {address}"
        by_session = signed_in.open(address, method=method).status_code
        assert by_session == (200 if endpoint in BY_SESSION_TOO else 401), f"{method} {address}"


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_gets_in_where_it_may_and_nowhere_else(app, client_for, role):
    client = client_for(factories.account(role=role))
    for endpoint, method, address in addresses(app):
        if endpoint == "accounts.sign_out":
            continue
        refused = client.open(address, method=method).status_code == 403
        expected = EXPECTED[endpoint] is not PUBLIC and role not in EXPECTED[endpoint]
        assert refused == expected, f"{role} {method} {address}"


def test_a_stranger_is_shown_to_the_sign_in_page(app):
    client = app.test_client()
    for endpoint, method, address in addresses(app):
        answer = client.open(address, method=method)
        sent_away = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in")
        assert sent_away == (EXPECTED[endpoint] is not PUBLIC), f"{method} {address}"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(app):
    answer = app.test_client().get("/status/changes", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_every_answer_forbids_inline_code_and_foreign_frames(app):
    for address in ("/sign-in", "/nothing", "/healthz", "/static/studionett.css"):
        policy = app.test_client().get(address).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_an_unknown_address_is_a_page_a_part_or_json_as_asked(app):
    client = app.test_client()
    assert "<html" in client.get("/nothing", headers={"Accept": "text/html"}).text
    part = client.get("/nothing", headers={"HX-Request": "true", "Accept": "text/html"})
    assert (part.status_code, "<html" in part.text) == (404, False)
    assert "error" in client.get("/nothing", headers={"Accept": "application/json"}).json


def test_a_refusal_is_in_the_audit_trail(app, client_for):
    account = factories.account(role=Role.TECHNICIAN)
    client_for(account).get("/book")
    entry = db.session.scalars(db.select(AuditEntry)).one()
    assert (entry.account_id, entry.action, entry.object, entry.outcome) == (account.id, "refused", "/book", "refused")


def test_who_sends_a_form_after_the_session_ended_is_told_that_nothing_was_saved(app):
    client = app.test_client()
    client.post("/book", data={"title": "Lung meeting"}, headers={"Accept-Language": "en"})
    assert "not saved" in client.get("/sign-in", headers={"Accept-Language": "en"}).text
