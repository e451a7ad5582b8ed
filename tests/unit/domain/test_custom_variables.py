from collections import Counter

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import CustomVariable, draw_for
from chalicelib.domain.email import Content, compile_message
from tests.unit.domain.message_builders import ANNA, CONTENT, SENDER

GREETING = CustomVariable("Greeting", ("Hi [firstName]", "Hello [firstName|you] & co", "Good day"))


def preview(html: str, person: Person = ANNA, contact_id: str = "c1", **content: object) -> str:
    made = Content("s", html, "t", variables=(GREETING,), **content)  # type: ignore[arg-type]
    compiled = compile_message(made, SENDER, columns=("Company name",))
    return compiled.preview(person, draw=draw_for("campaign", contact_id)).html


def test_one_contact_always_gets_the_same_option_whatever_is_around_it() -> None:
    first = preview("[Greeting]")
    assert first == preview("[ greeting |x]")
    assert first.strip() in preview("Well: [GREETING], [param1]!")
    assert {preview("[Greeting]", contact_id=f"c{number}") for number in range(40)} == {
        "Hi Anna\n",
        "Hello Anna &amp; co\n",
        "Good day\n",
    }


def test_recipients_meet_the_options_evenly_and_two_variables_independently() -> None:
    contacts = [draw_for("campaign", f"contact-{number}") for number in range(9_000)]
    counted = Counter((draw("a", 3), draw("b", 3)) for draw in contacts)
    assert len(counted) == 9
    assert all(850 < count < 1_150 for count in counted.values())  # 1,000 each, five deviations either way


def test_campaigns_draw_differently() -> None:
    drawn = [draw_for(campaign, "contact")("a", 50) for campaign in ("one", "two", "three")]
    assert len(set(drawn)) > 1


def test_a_fallback_stands_in_for_an_empty_option_as_the_author_typed_it() -> None:
    content = Content("s", "[pick|<b>none</b>]", "t", variables=(CustomVariable("pick", ("",)),))
    assert compile_message(content, SENDER).preview(ANNA).html == "<b>none</b>\n"


def test_further_columns_are_variables_by_their_own_name() -> None:
    person = Person("a@b.example", extra=(("Company  Name", " Dust & <Sons> "), ("City", "Perm")))
    assert preview("[company name]", person) == "Dust &amp; &lt;Sons&gt;\n"
    assert preview("[City]", person) == "[City]\n"  # the campaign has no such column
    assert preview("[Company Name|a firm]", ANNA) == "a firm\n"


def test_a_systems_name_is_the_systems_even_if_a_column_has_it() -> None:
    person = Person("a@b.example", first_name="Anna", extra=(("firstName", "X"),))
    content = Content("[firstName]", CONTENT.html)
    assert compile_message(content, SENDER, columns=("firstName",)).preview(person).subject == "Anna"
