"""Variables as an author writes them: what is refused says where, what looks wrong is told with its place."""

from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.contact import Person
from chalicelib.flow.contacts import add_contacts
from tests.doors.test_mail_kinds import NEW, call, change
from tests.fakes.world import ACCOUNT, World

GREETING = {"name": "Greeting", "options": ["Hi [firstName]", "Good day"]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.add_line()
    monkeypatch.setattr(wiring, "campaign_ports", lambda: made.campaign_ports)
    monkeypatch.setattr(wiring, "contact_ports", lambda: made.contact_ports)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def create(**fields: object) -> tuple[int, dict[str, Any]]:
    return call("POST", "/campaigns", {**NEW, **fields})


def error_of(problem: dict[str, Any]) -> tuple[str, str, str]:
    (error,) = problem["errors"]
    return error["field"], error["code"], error["message"]


def with_columns(world: World, *columns: str) -> str:
    """A campaign with one contact who has them all."""
    _, made = create()
    person = Person("a@mail.example", extra=tuple((column, "x") for column in columns))
    add_contacts(ACCOUNT, made["campaign_id"], [person], world.contact_ports)
    return str(made["campaign_id"])


def test_variables_are_shown_as_they_were_given_and_stay_until_they_are_replaced(world: World) -> None:
    assert world
    status, made = create(html="<p>[greeting]</p>", variables=[{**GREETING, "name": " Greeting "}])
    assert (status, made["variables"], made["warnings"]) == (201, [GREETING], [])
    _, changed = change(made["campaign_id"], {"subject": "New"})
    assert (changed["variables"], changed["content_version"]) == ([GREETING], 2)
    _, changed = change(made["campaign_id"], {"variables": []})
    assert (changed["variables"], changed["content_version"]) == ([], 3)


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ([{**GREETING, "name": ""}], "variables[0].name"),
        ([{**GREETING, "name": "  "}], "variables[0].name"),
        ([{**GREETING, "name": "a|b"}], "variables[0].name"),
        ([{**GREETING, "name": "a]b"}], "variables[0].name"),
        ([{**GREETING, "name": "{{x}}"}], "variables[0].name"),
        ([{**GREETING, "name": "x" * 65}], "variables[0].name"),
        ([{**GREETING, "name": "FirstName"}], "variables[0].name"),
        ([{**GREETING, "name": "unsubscribe"}], "variables[0].name"),
        ([GREETING, {**GREETING, "name": "GREETING"}], "variables"),
        ([{**GREETING, "name": f"v{number}"} for number in range(21)], "variables"),
        ([{**GREETING, "options": []}], "variables[0].options"),
        ([{**GREETING, "options": ["x"] * 51}], "variables[0].options"),
        ([{**GREETING, "options": ["x", "x" * 1_001]}], "variables[0].options[1]"),
        ([{**GREETING, "options": ["[firstName]" * 11]}], "variables[0].options[0]"),
        ([{**GREETING, "weights": [1, 2]}], "variables[0].weights"),
        ("Greeting", "variables"),
    ],
)
def test_variables_that_cannot_be_are_refused_by_name(world: World, variables: object, field: str) -> None:
    status, problem = create(variables=variables)
    assert status == 422
    assert error_of(problem)[0] == field
    one = world.add_campaign(0).campaign_id
    assert change(one, {"variables": variables})[0] == 422


@pytest.mark.parametrize(
    ("fields", "field", "code", "place"),
    [
        ({"html": "<p>\n{{ firstNam }}"}, "html", "html_variable_unknown", "Line 2, column 4"),
        ({"subject": "Hi {{ x }}"}, "subject", "subject_variable_unknown", "Line 1, column 7"),
        ({"text": "Hi\n\n{% if x %}"}, "text", "text_variable_unknown", "Line 3, column 7"),
        (
            {"html": "{% for n in range(10 ** 9) %}x{% endfor %}"},
            "html",
            "html_statement_not_allowed",
            "Line 1, column 1",
        ),
        ({"html": "{{ ''.__class__ }}"}, "html", "html_expression_not_allowed", "Line 1, column 1"),
        ({"subject": "{{ firstName.__class__ }}"}, "subject", "subject_expression_not_allowed", "Line 1"),
        ({"text": "{{ 9 ** 9 ** 9 }}"}, "text", "text_expression_not_allowed", "Line 1, column 1"),
        ({"html": "<b>{{ firstName </b>"}, "html", "html_tag_unclosed", "Line 1, column 4"),
        ({"html": "a\n {% if param1 %}"}, "html", "html_if_unclosed", "Line 2, column 2"),
    ],
)
def test_jinja2_that_cannot_be_is_refused_with_its_place_when_it_is_saved(
    world: World, fields: dict[str, str], field: str, code: str, place: str
) -> None:
    one = world.add_campaign(0).campaign_id
    for status, problem in (create(**fields), change(one, fields)):
        found = error_of(problem)
        assert (status, found[:2]) == (422, (field, code))
        assert place in found[2]
    assert world.campaigns.get(ACCOUNT, one).content_version == 1


def test_ten_megabytes_of_html_are_refused(world: World) -> None:
    assert world
    status, problem = create(html="x" * 10_000_000)
    assert (status, problem["code"]) == (413, "too_large")
    options = ["[firstName] " + "x" * 900] * 50
    variables = [{"name": f"v{number}", "options": options} for number in range(10)]
    status, problem = create(variables=variables)
    assert (status, error_of(problem)[:2]) == (422, ("html", "too_large"))


def test_what_looks_like_a_variable_and_is_none_is_told_with_its_place(world: World) -> None:
    assert world
    _, made = create(subject="[firstNme]!", html="<p>Hi\n[firstName, how are you", text="[if mso] [9.99]")
    shown = {(w["field"], w["code"], w["line"], w["column"], w["suggestion"]) for w in made["warnings"]}
    assert shown == {
        ("subject", "variable_misspelt", 1, 1, "[firstName]"),
        ("html", "variable_unclosed", 2, 1, "[firstName]"),
    }


def test_html_that_gmail_would_cut_is_told(world: World) -> None:
    assert world
    _, made = create(html="<p>" + "x" * 105_000)
    (warning,) = made["warnings"]
    assert (warning["field"], warning["code"], warning["line"]) == ("html", "clipped_by_gmail", None)


def test_columns_of_contacts_are_shown_and_are_variables_from_then_on(world: World) -> None:
    status, problem = create(html="{{ City }}")
    assert (status, error_of(problem)[1]) == (422, "html_variable_unknown")
    one = with_columns(world, "Город", "City")
    status, shown = change(one, {"html": "{{ City|upper }} [ город |here]"})
    assert (status, shown["columns"], shown["warnings"]) == (200, ["City", "Город"], [])
    _, shown = change(one, {"html": "[Citty]"})
    assert shown["warnings"][0]["suggestion"] == "[City]"


def test_more_columns_than_a_campaign_can_know_are_refused_by_name(world: World) -> None:
    one = with_columns(world, *(f"c{number}" for number in range(250)))
    for first in (250, 500):
        extra = {f"c{number}": "x" for number in range(first, first + 250)}
        body = {"contacts": [{"email": f"p{first}@mail.example", "extra": extra}]}
        status, answer = call("POST", "/campaigns/{campaign_id}/contacts", body, campaign_id=one)
        if first == 250:
            assert status in (200, 201)
    assert (status, error_of(answer)[:2]) == (422, ("extra", "too_many_columns"))
