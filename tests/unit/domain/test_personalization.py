from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.html_places import placed
from chalicelib.domain.jinja_syntax import parse_jinja
from chalicelib.domain.personalization import (
    FIELDS,
    Links,
    Literal,
    Template,
    Variable,
    Vocabulary,
    parse,
    render,
    render_subject,
)
from chalicelib.domain.template_check import Problem, ProblemKind, check
from tests.unit.domain.message_builders import (
    ANNA,
    COLUMNS,
    CUSTOMS,
    odd_people,
    odd_text,
    rich_subjects,
    templates,
    unhurried,
)

RICH = Vocabulary(CUSTOMS, COLUMNS)


def in_html(source: str) -> Template:
    return placed(parse(source), source)


PERSON = Person("anna@mail.example", "Anna", "Berg", "Maria", "one", "two", "three")


def test_each_variable_reads_its_column() -> None:
    source = "[email] [firstName] [lastName] [secondName] [param1] [param2] [param3]"
    expected = "anna@mail.example Anna Berg Maria one two three"
    assert render(parse(source), PERSON) == expected
    assert render(in_html(source), PERSON) == expected
    assert render_subject(parse(source), PERSON) == expected


def test_a_template_is_pieces() -> None:
    assert parse("Hi [firstName|friend]!") == (Literal("Hi "), Variable("firstName", "friend"), Literal("!"))
    assert parse("") == ()


@pytest.mark.parametrize("typed", ["[unsubscribe]", "[Unsubscribe]", "[ UNSUBSCRIBE ]", "[unsubscribe|x]"])
def test_the_unsubscribe_variable_is_the_link_or_its_fallback(typed: str) -> None:
    template = in_html(typed)
    assert render(template, PERSON, Links("https://x.example/u/1")) == "https://x.example/u/1"
    assert render(parse(typed), PERSON) == ("x" if "|" in typed else "")


@pytest.mark.parametrize(
    "typed", ["[firstName]", "[firstname]", "[FIRSTNAME]", "[ firstName ]", "[\xa0firstName\xa0| x ]"]
)
def test_case_and_spaces_in_the_brackets_do_not_matter(typed: str) -> None:
    assert render(parse(typed), PERSON) == "Anna"


@pytest.mark.parametrize("empty", ["", " ", "\t\r\n", "\xa0", "\x00", "\u202e"])
def test_the_fallback_is_for_a_field_with_nothing_to_read(empty: str) -> None:
    person = Person("a@b.example", first_name=empty)
    assert render(parse("Dear [firstName| friend ]!"), person) == "Dear friend!"
    assert render(parse("Dear [firstName]!"), person) == "Dear !"
    assert render(parse("Dear [firstName|]!"), person) == "Dear !"


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "[if mso]",
            "[endif]",
            "a[class]{}",
            "[5 €]",
            "[unknown]",
            "[]",
            "[[",
            "[firſtName]",
            "[first Name]",
        ),
        *(
            "[firstName",
            "[firstName|",
            "[firstName|a\nb]",
            "firstName]",
            "[firstName[",
            "[param4]",
            "[param]",
        ),
    ],
)
def test_all_else_in_brackets_stays_as_typed(typed: str) -> None:
    assert parse(typed) == (Literal(typed),)


def test_a_variable_within_other_brackets_is_one() -> None:
    assert render(parse("[[firstName]]"), PERSON) == "[Anna]"
    assert render(parse("[lastName|[firstName]]"), PERSON) == "[lastName|Anna]"


def test_values_are_not_looked_at_for_variables() -> None:
    person = Person("a@b.example", first_name="[lastName]", last_name="[firstName]")
    assert render(parse("[firstName][lastName]"), person) == "[lastName][firstName]"


def test_a_value_is_text_in_html_and_the_fallback_is_html() -> None:
    template = in_html("[firstName|<b>you</b>]")
    person = Person("a@b.example", first_name="<i>\"A\" & 'B'</i>")
    assert render(template, person) == "&lt;i&gt;&quot;A&quot; &amp; &#x27;B&#x27;&lt;/i&gt;"
    assert render(template, Person("a@b.example")) == "<b>you</b>"


def test_a_value_equal_to_the_fallback_is_still_escaped() -> None:
    assert render(in_html("[firstName|<]"), Person("a@b.example", first_name="<")) == "&lt;"


def test_line_breaks_of_a_value_stay_in_the_body_and_not_in_the_subject() -> None:
    person = Person("a@b.example", p1="one\r\ntwo\u2028three")
    assert render(parse("[param1]"), person) == "one\ntwo\nthree"
    assert render_subject(parse("[param1]"), person) == "one two three"


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name for name, _ in attrs]))


@unhurried
@given(odd_people)
def test_no_value_adds_a_tag_or_an_attribute(person: Person) -> None:
    template = in_html("<p title=\"[firstName]\">[lastName]<b id='[param1]'>[param2]</b></p>")
    assert _Tags(render(template, person)).seen == [("p", ["title"]), ("b", ["id"])]


@unhurried
@given(odd_people, st.integers(0, 2))
def test_no_column_option_or_expression_adds_a_tag_or_an_attribute(person: Person, place: int) -> None:
    source = (
        "<p title=\"[Город]\">[Gruß]<b id='{{ Город|upper }}'>{{ lastName|default(param1)|truncate(40) }}</b>"
        '{% if param2 %}<i class="{{ Gruß or param3 }}">{{ param2 if param3 != 1 else Город }}</i>'
        "{% endif %}</p>"
    )
    template = placed(parse_jinja(source, RICH, is_html=True), source)
    inner = [("i", ["class"])] if render(parse("[param2]"), person) else []
    seen = _Tags(render(template, person, draw=lambda _name, _count: place)).seen
    assert seen == [("p", ["title"]), ("b", ["id"]), *inner]


@unhurried
@given(odd_text)
def test_whatever_brings_a_value_into_a_text_it_is_never_looked_at_for_a_template(value: str) -> None:
    option = Vocabulary((CustomVariable("option", ("[param1]", "[Город]")),), COLUMNS)
    person = Person("a@b.example", p1=value, extra=(("Город", value),))
    source = "[param1]\0[Город]\0{{ param1 }}\0{{ Город or 1 }}\0[option]\0{{ option if 1 }}"
    template = parse_jinja(source, option, is_html=False)
    clean = render(parse("[param1]"), person)
    said = render(template, person, draw=lambda _name, _count: 1).split("\0")
    assert said == [clean, clean, clean, clean or "1", clean, clean]


@unhurried
@given(odd_text)
def test_what_html_shows_is_what_the_text_says(value: str) -> None:
    person = Person("a@b.example", p1=value)
    assert unescape(render(in_html("[param1]"), person)) == render(parse("[param1]"), person)


@unhurried
@given(templates, odd_people)
def test_a_subject_is_one_clean_line(source: str, person: Person) -> None:
    subject = render_subject(parse(source), person)
    assert subject.split("\n") == subject.splitlines() or not subject
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in subject)
    assert not set(subject) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@unhurried
@given(rich_subjects, odd_people, st.integers(0, 2))
def test_a_subject_of_columns_options_and_expressions_is_one_clean_line(
    source: str, person: Person, place: int
) -> None:
    template = parse_jinja(source, RICH, is_html=False)
    subject = render_subject(template, person, lambda _name, _count: place)
    assert subject.split("\n") == subject.splitlines() or not subject
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in subject)


@unhurried
@given(templates)
def test_pieces_tell_the_whole_template(source: str) -> None:
    said = "".join(piece.text for piece in parse(source) if isinstance(piece, Literal))
    variables = [piece for piece in parse(source) if isinstance(piece, Variable)]
    assert len(said) <= len(source) - 7 * len(variables)
    assert {piece.name for piece in variables} <= set(FIELDS)
    if not variables:
        assert said == source


@unhurried
@given(odd_text)
def test_a_value_keeps_no_character_that_breaks_a_message(value: str) -> None:
    rendered = render(parse("[param1]"), Person("a@b.example", p1=value))
    rendered.encode()
    assert not set(rendered) & set("\x00\r\x0b\x85\u2028\u202e")
    assert rendered == rendered.strip()


@pytest.mark.parametrize(
    ("typed", "kind", "suggestion"),
    [
        ("[firstNme]", ProblemKind.MISSPELT, "[firstName]"),
        ("[first_name]", ProblemKind.MISSPELT, "[firstName]"),
        ("[First Name|you]", ProblemKind.MISSPELT, "[firstName|you]"),
        ("[lastName:friend]", ProblemKind.MISSPELT, "[lastName|friend]"),
        ("[mail]", ProblemKind.MISSPELT, "[email]"),
        ("[first<b>Name</b>]", ProblemKind.FORMATTED, "[firstName]"),
        ("[firstName|", ProblemKind.UNCLOSED, "[firstName]"),
        ("[firstName, hello", ProblemKind.UNCLOSED, "[firstName]"),
    ],
)
def test_what_was_meant_as_a_variable_is_reported(typed: str, kind: ProblemKind, suggestion: str) -> None:
    assert check(typed) == [Problem(1, 1, kind, typed, suggestion)]


def test_a_problem_has_its_place() -> None:
    problems = check("Dear [firstName],\r\n\r\n  see [lastNam] and\r[parm1]")
    assert [(problem.line, problem.column, problem.found) for problem in problems] == [
        (3, 7, "[lastNam]"),
        (4, 1, "[parm1]"),
    ]


@pytest.mark.parametrize(
    "fine",
    ["[firstName|x] [ EMAIL ]", "[if mso]", "<![endif]-->", "a[class] [href='x']", "[1] [x]", "[", "[]"],
)
def test_what_was_meant_as_typed_is_not_reported(fine: str) -> None:
    assert check(fine) == []


@unhurried
@given(templates)
def test_no_template_is_an_error(source: str) -> None:
    assert all(problem.line >= 1 and problem.column >= 1 for problem in check(source))


def test_a_template_of_nothing_but_brackets_is_looked_at_in_part() -> None:
    assert len(check("[firstNme]" * 5000)) == 2000
    assert render(parse("[" * 100_000), ANNA) == "[" * 100_000
