"""What a preflight counts as missing, and what it leaves to the author."""

import pytest

from chalicelib.domain.contact import Contact, Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import CustomVariable, draw_for
from chalicelib.domain.preflight import MAX_MISSING, Missing, MissingValues

COLUMNS = ("Город", "Company name")
GREETING = CustomVariable("Greeting", ("Hi [firstName]", "Good [param1|day]"))
EMPTY = CustomVariable("Maybe", ("",))


def look(content: Content, *people: Person, columns: tuple[str, ...] = COLUMNS) -> tuple[Missing, ...]:
    values = MissingValues("camp1", content, columns)
    for number, person in enumerate(people):
        values.look_at(Contact(f"c{number}", person))
    return values.found()


def names(written: str, person: Person) -> dict[str, tuple[str, ...]]:
    """The variables this person lacks in a text, and the fields they stand in."""
    content = Content("Hi", "<p>Hi</p>", written, variables=(GREETING, EMPTY))
    return {missing.variable: missing.fields for missing in look(content, person)}


def test_it_counts_who_lacks_what_and_shows_what_the_first_of_them_would_read() -> None:
    content = Content("[firstName], your [param2]", "<p>[Город]</p>", "[param2]")
    anna, ben = Person("a@b.example", "Anna"), Person("b@b.example", "Ben", p2="coat")
    assert look(content, anna, ben, Person("c@b.example", p2=" ")) == (
        Missing("Город", 3, ("html",), "c0", "Anna, your"),
        Missing("param2", 2, ("subject", "text"), "c0", "Anna, your"),
        Missing("firstName", 1, ("subject",), "c2", ", your"),
    )


@pytest.mark.parametrize(
    ("written", "lacked"),
    [
        ("[firstName] [FIRSTNAME] [firstname]", {"firstName"}),
        ("[firstName|friend] [Город|here]", set()),
        ("[firstName|friend] [firstName]", {"firstName"}),
        ("[email]", set()),
        ("[company  name]", {"Company name"}),
        ("{{ firstName }}", {"firstName"}),
        ("{{ Город|upper|truncate(5) }}", {"Город"}),
        ("{{ firstName|default('friend') }}", set()),
        ("{{ firstName|default(lastName) }}", {"firstName", "lastName"}),
        ("{{ firstName or lastName }}", {"firstName", "lastName"}),
        ("{{ firstName or lastName or 'you' }}", set()),
        ("{{ firstName or email }}", set()),
        ("{{ firstName if param1 else lastName }}", set()),
        ("{{ (firstName if param1) or lastName }}", {"lastName"}),
        ("{% if firstName %}[param1]{% else %}[lastName]{% endif %}", set()),
        ("{% if firstName %}a{% endif %}[lastName]", {"lastName"}),
        ("[Maybe] {{ Maybe }}", set()),
    ],
)
def test_a_fallback_or_a_condition_is_an_answer_to_what_is_empty(written: str, lacked: set[str]) -> None:
    assert names(written, Person("a@b.example")) == dict.fromkeys(lacked, ("text",))


def test_of_a_custom_variable_only_the_option_that_is_drawn_counts() -> None:
    content = Content("Hi", "<p>Hi</p>", "[Greeting]", variables=(GREETING,))
    people = [Person(f"p{number}@b.example") for number in range(40)]
    drawn = [draw_for("camp1", f"c{number}")("greeting", 2) for number in range(40)]
    (missing,) = look(content, *people)
    assert (missing.variable, missing.contacts) == ("firstName", drawn.count(0))
    assert missing.contact_id == f"c{drawn.index(0)}"
    with_one = Content("Hi", "<p>Hi</p>", "{{ Greeting|upper }}", variables=(GREETING,))
    assert look(with_one, *people) == (missing,), "also where an expression inserts it"


def test_the_fallback_of_a_custom_variable_stands_in_for_an_option_that_is_empty() -> None:
    only = CustomVariable("Only", ("[firstName]",))
    for written, lacked in (("[Only]", ["firstName"]), ("[Only|you]", [])):
        content = Content("Hi", "<p>Hi</p>", written, variables=(only,))
        assert [missing.variable for missing in look(content, Person("a@b.example"))] == lacked


def test_a_long_subject_is_shortened_and_there_are_never_too_many_findings() -> None:
    columns = tuple(f"Field {number}" for number in range(150))
    content = Content("[param1]", "<p>x</p>", "".join(f"[{column}]" for column in columns))
    found = look(content, Person("a@b.example", p1="x" * 900), columns=columns)
    assert len(found) == MAX_MISSING
    assert found[0].subject == "x" * 299 + "…"
