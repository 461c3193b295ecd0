"""The booking page: what is refused and how, and that nothing typed is lost."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from models import Closure, Conference, Purpose, Reservation, Role, db
from tests import factories
from tests.studios.booking.pages import (
    MOST_QUERIES,
    Network,
    SignIn,
    chosen_in,
    counted_queries,
    in_english,
    instant,
    last_sunday_of_october,
    text_of,
    tomorrow,
    typed,
    value_of,
)


@pytest.fixture
def dialect() -> str:
    """What the page makes of what is typed does not hang on the database; what it reads and stores is tried on both
    elsewhere."""
    return "sqlite"


def booked() -> list[Conference]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Conference).order_by(Conference.id)))


def test_a_coordinator_books_and_sees_the_conference(coordinator: FlaskClient, network: Network) -> None:
    answer = coordinator.post("/book", data=typed("TRO-1", "BOD-1", "BOD-2"))
    [conference] = booked()
    assert (answer.status_code, answer.location) == (303, f"/conferences/{conference.reference}")
    assert conference.starts_at == instant(tomorrow(), 9)
    assert conference.ends_at == instant(tomorrow(), 10)
    assert (conference.title, conference.purpose) == ("Lung meeting", Purpose.CLINICAL)
    assert conference.organisation_id == network.unn.id
    assert conference.organiser_id == network.coordinator.id
    seated = [party.reservation.studio.code for party in conference.parties if party.reservation]
    assert seated == ["TRO-1", "BOD-1", "BOD-2"]
    assert f"{conference.reference} is booked" in text_of(coordinator.get(answer.location))


def test_a_typed_end_wins_over_the_duration(coordinator: FlaskClient) -> None:
    coordinator.post("/book", data=typed(end="10:15"))
    assert booked()[0].ends_at == instant(tomorrow(), 10, 15)


def test_a_conference_may_pass_midnight_and_the_year(coordinator: FlaskClient) -> None:
    new_years_eve = tomorrow().replace(month=12, day=31)
    coordinator.post("/book", data=typed(date=f"{new_years_eve:%d.%m.%Y}", start="23:30", end="00:30"))
    [conference] = booked()
    assert conference.starts_at == instant(new_years_eve, 23, 30)
    assert conference.ends_at == instant(new_years_eve + timedelta(days=1), 0, 30)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "Give the conference a title."),
        ({"title": "x" * 10_000}, "The title has 10000 characters; it can have at most 80."),
        ({"title": "Lung\x00meeting"}, "The title has characters that cannot be shown."),
        ({"purpose": "party"}, "Choose what the conference is for."),
        ({"studio": ["TRO-1"]}, "Choose at least 2 studios."),
        ({"studio": []}, "Choose at least 2 studios."),
        ({"studio": ["TRO-1", "NOWHERE-7"]}, "There is no studio with the code NOWHERE-7."),
        ({"studio": ["TRO-1", "B\x00D"]}, "There is no studio with the code B\x00D."),
        ({"studio": [f"S-{n}" for n in range(200)]}, "There is no studio with the code S-0."),
        ({"date": ""}, "Type a date such as"),
        ({"date": "31.02.2027"}, "Type a date such as"),
        ({"date": "\x00"}, "Type a date such as"),
        ({"date": "01.01.2020"}, "The start has passed."),
        ({"date": "01.01.2098"}, "A conference can be booked at most 400 days ahead."),
        ({"start": "25:00"}, "Type a start such as 09:30."),
        ({"duration": ""}, "Type how many minutes it lasts, such as 45."),
        ({"duration": "-5"}, "Type how many minutes it lasts, such as 45."),
        ({"duration": "800"}, "A conference can last at most 12 hours."),
        ({"end": "quarter past"}, "Type an end such as 10:15"),
        ({"end": "08:30"}, "The end must come after the start."),
        ({"end": "09:00"}, "The end must come after the start."),
        ({"date": "28.03.2027", "start": "02:30"}, "02:30 does not exist on March 28, 2027"),
        ({"date": "28.03.2027", "start": "01:30", "end": "02:30"}, "02:30 does not exist on March 28, 2027"),
        ({"date": "31.10.2027", "start": "02:30"}, "02:30 comes twice on October 31, 2027"),
        ({"date": "31.10.2027", "start": "01:30", "end": "02:30"}, "02:30 comes twice on October 31, 2027"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence_and_stays_as_typed(
    coordinator: FlaskClient, changes: dict[str, object], sentence: str
) -> None:
    sent = typed(**changes)
    answer = coordinator.post("/book", data=sent)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    for name in ("title", "date", "start", "duration", "end"):
        assert value_of(answer, name) == sent[name]
    assert chosen_in(answer) == sent["studio"][:51]
    assert booked() == []


def test_an_empty_request_is_told_all_that_it_lacks(coordinator: FlaskClient) -> None:
    answer = coordinator.post("/book", data={})
    assert answer.status_code == 422
    for lacking in ("title", "purpose", "find", "date", "start", "duration"):
        assert f'<a href="#{lacking}">' in answer.text
    assert 'role="alert"' in answer.text


def test_a_clash_names_studio_time_reference_owner_and_telephone_but_no_title(
    coordinator: FlaskClient, neighbour: FlaskClient
) -> None:
    neighbour.post("/book", data=typed("BOD-1", "BOD-2", title="A secret matter", start="09:30"))
    answer = coordinator.post("/book", data=typed())
    said = text_of(answer)
    [theirs] = booked()
    assert answer.status_code == 409
    assert "NLSH Bodø, Studio 1 is busy 09:30–10:30" in said
    assert f"{theirs.reference} , NLSH." in said
    assert "75 44 55 66" in said
    assert "secret" not in answer.text
    assert "block--clash" in answer.text
    assert value_of(answer, "title") == "Lung meeting"
    assert chosen_in(answer) == ["TRO-1", "BOD-1"]


def test_a_closure_is_named_with_its_reason(coordinator: FlaskClient, network: Network) -> None:
    day = tomorrow()
    db.session.add(
        Closure(site_id=network.bodo_1.site_id, starts_at=instant(day, 8), ends_at=instant(day, 12), reason="Painting")
    )
    db.session.commit()
    answer = coordinator.post("/book", data=typed())
    assert answer.status_code == 409
    assert "NLSH Bodø, Studio 1 is out of use" in text_of(answer)
    assert "Painting" in answer.text


def test_the_night_when_the_clocks_are_set_back_asks_which_hour_is_meant(coordinator: FlaskClient) -> None:
    day = last_sunday_of_october()
    night = {"date": f"{day:%d.%m.%Y}", "start": "02:00", "duration": "30"}
    asked = coordinator.post("/book", data=typed(**night))
    assert asked.status_code == 422
    assert 'name="start_clock"' in asked.text
    for clock in ("summer", "winter"):
        assert coordinator.post("/book", data=typed(**night, start_clock=clock)).status_code == 303
    summer, winter = booked()
    assert winter.starts_at - summer.starts_at == timedelta(hours=1)
    assert summer.ends_at - summer.starts_at == timedelta(minutes=30)


def test_from_half_past_one_to_half_past_three_that_night_is_three_hours(coordinator: FlaskClient) -> None:
    night = f"{last_sunday_of_october():%d.%m.%Y}"
    coordinator.post("/book", data=typed(date=night, start="01:30", end="03:30"))
    [conference] = booked()
    assert conference.ends_at - conference.starts_at == timedelta(hours=3)


def test_a_coordinator_books_only_for_an_organisation_of_their_own(
    coordinator: FlaskClient, network: Network, client_for: SignIn
) -> None:
    refused = coordinator.post("/book", data=typed(organisation="NLSH"))
    assert refused.status_code == 422
    assert "Choose an organisation that you may book for." in text_of(refused)
    administrator = in_english(client_for(factories.account(role=Role.ADMINISTRATOR)))
    assert administrator.post("/book", data=typed()).status_code == 422
    assert administrator.post("/book", data=typed(organisation="nlsh")).status_code == 303
    assert booked()[0].organisation_id == network.nlsh.id


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.MANAGER])
def test_those_who_do_not_book_have_no_booking_page(network: Network, client_for: SignIn, role: Role) -> None:
    client = client_for(factories.account(role=role))
    assert client.get("/book").status_code == 403
    assert client.post("/book", data=typed()).status_code == 403
    assert booked() == []


def test_an_address_fills_in_the_form(coordinator: FlaskClient) -> None:
    answer = coordinator.get("/book?studio=TRO-2&studio=BOD-1&date=2027-01-05&start=13:10&duration=45&title=Kidneys")
    assert chosen_in(answer) == ["TRO-2", "BOD-1"]
    filled = {name: value_of(answer, name) for name in ("date", "start", "duration", "title")}
    assert filled == {"date": "05.01.2027", "start": "13:10", "duration": "45", "title": "Kidneys"}


def test_the_timeline_shows_others_time_without_their_title(coordinator: FlaskClient, neighbour: FlaskClient) -> None:
    neighbour.post("/book", data=typed("BOD-1", "BOD-2", title="A secret matter", start="12:00"))
    page = coordinator.get("/book", query_string=typed())
    assert "Busy 12:00–13:00" in text_of(page)
    assert "secret" not in page.text
    assert "block--busy from-60 to-72" in page.text
    assert "block--mine from-24 to-36" in page.text


def test_buffers_are_shown_as_time_that_the_rooms_are_held(coordinator: FlaskClient, network: Network) -> None:
    network.tromso_1.setup_minutes = network.tromso_1.clear_down_minutes = 10
    db.session.commit()
    page = coordinator.get("/book", query_string=typed())
    assert "The rooms are held 08:50–10:10" in text_of(page)
    assert "block--buffer from-22 to-24" in page.text
    coordinator.post("/book", data=typed())
    held = db.session.scalars(db.select(Reservation).filter_by(studio_id=network.tromso_1.id)).one()
    assert held.starts_at == instant(tomorrow(), 8, 50)


def test_a_clash_of_buffers_outside_the_shown_hours_is_seen(coordinator: FlaskClient, network: Network) -> None:
    network.tromso_1.setup_minutes = 30
    db.session.commit()
    early = instant(tomorrow(), 6)
    factories.conference(network.tromso_1, network.tromso_2, start=early, end=early + timedelta(minutes=45))
    page = coordinator.get("/book", query_string=typed(start="07:00"))
    assert "This time is not free for all" in text_of(page)
    assert "UNN Tromsø, Studio 1 is busy 06:00–06:45" in text_of(page)


def test_the_page_takes_at_most_twelve_queries_however_many_studios(
    coordinator: FlaskClient, neighbour: FlaskClient, network: Network
) -> None:
    more = [factories.studio(network.bodo_1.site, code=f"BOD-{n}") for n in range(10, 30)]
    codes = ["BOD-1", *(studio.code for studio in more)]
    neighbour.post("/book", data=typed(*codes))
    with counted_queries() as queries:
        page = coordinator.get("/book", query_string=typed(*codes, "TRO-1"))
    assert text_of(page).count("is busy 09:00–10:00") == len(codes)
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)
    with counted_queries() as queries:
        coordinator.post("/book/draft", data=typed("TRO-1", *codes, find="bodø", update="1"))
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)
