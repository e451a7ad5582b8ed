import pytest

from chalicelib.domain.contact import Person
from chalicelib.domain.email import Content, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.html_places import placed
from chalicelib.domain.jinja_syntax import parse_jinja
from chalicelib.domain.message_links import LinkUse
from chalicelib.domain.personalization import Links, Vocabulary, render
from chalicelib.domain.template_error import TemplateSyntaxError
from tests.unit.domain.message_builders import SENDER

VOCABULARY = Vocabulary(columns=("Город", "Company name"))
ANNA = Person(
    "anna@mail.example", "Anna", "", "", "1 250,5", "2026-03-01", "x" * 50, extra=(("Город", "<Пермь>"),)
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('Dear {{ firstName|default("friend") }}', "Dear Anna"),
        ('{{ lastName|default("friend") }} {{ lastname or firstName }}', "friend Anna"),
        ("{{ firstName if param1 else 'nobody' }}{{ lastName if lastName }}", "Anna"),
        ("{% if param1 > 1000 %}big{% elif param1 %}small{% else %}none{% endif %}!", "big!"),
        ("{% if lastName %}a{% elif secondName %}b{% else %}[firstName]{% endif %}", "Anna"),
        ("{% if firstName == 'Anna' and not lastName %}yes{% endif %}", "yes"),
        ("{% if lastName < 3 or lastName >= 3 %}a number{% endif %}", ""),
        ("{% if 1000 < param1 <= 1250.5 %}in{% endif %}{% if param1 != -1 %}!{% endif %}", "in!"),
        ("{% if 'nn' in firstName and 'z' not in firstName %}in{% endif %}", "in"),
        ("{{ Город|upper }}|[город]", "<ПЕРМЬ>|<Пермь>"),
        ('{{ param2|date("%d.%m.%y") }} {{ firstName|date("%d") }}', "01.03.26 Anna"),
        ('{{ "31.12.2026 18:05"|date("%H:%M, %Y-%m-%d %%") }}', "18:05, 2026-12-31 %"),
        ("{{ param3|truncate(5) }} {{ firstName|truncate(5) }}", "xxxx… Anna"),
        ("{{ firstName|lower|capitalize }}{{ ' a b '|trim|title }}", "AnnaA B"),
        ("a {{- firstName -}} b {%- if lastName -%} c {%- endif -%} d", "aAnnabd"),
        ("{{ '}}' }}{{ \"%}\" }}", "}}%}"),
        ("{# no comment #}{#a{color:red}}", "{# no comment #}{#a{color:red}}"),
        ("{{ none }}{{ 3 }}{{ true }}", "3True"),
        (r"{{ 'a\r\nb\x00\u202a\ud800' }}", "a\nb\u202a\ufffd"),
    ],
)
def test_what_expressions_come_to(source: str, expected: str) -> None:
    assert render(parse_jinja(source, VOCABULARY, is_html=False), ANNA) == expected


def test_values_in_html_are_data_and_an_editors_quotes_are_quotes() -> None:
    def html(source: str) -> str:
        return render(placed(parse_jinja(source, VOCABULARY, is_html=True), source), ANNA)

    assert html("{{ Город }}") == "&lt;Пермь&gt;"
    assert html("{{ lastName|default(&quot;<b>you</b>&quot;) }}") == "&lt;b&gt;you&lt;/b&gt;"
    assert html("{% if&nbsp;param1 &gt; 3 %}<b>yes</b>{% endif %}") == "<b>yes</b>"


def test_what_a_contact_brings_is_never_a_template() -> None:
    person = Person("a@b.example", "{{ 7 * 7 }}{% if 1 %}[param1]", p1="x")
    assert render(parse_jinja("{{ firstName }}", VOCABULARY, is_html=False), person) == person.first_name


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("Hi\n  {{ firstNam }}", "variable_unknown", 2, 6),
        ("{{ firstName", "tag_unclosed", 1, 1),
        ("a\r\n{% if firstName ", "tag_unclosed", 2, 1),
        ("{% if firstName %}", "if_unclosed", 1, 1),
        ("x{% endif %}", "statement_unexpected", 1, 2),
        ("{% if firstName %}{% else %}{% elif lastName %}{% endif %}", "statement_unexpected", 1, 29),
        ("{% for n in range(10 ** 9) %}x{% endfor %}", "statement_not_allowed", 1, 1),
        ("{% if %}{% endif %}", "statement_not_allowed", 1, 1),
        ("{% set a = 1 %}", "statement_not_allowed", 1, 1),
        ("{% include 'x' %}", "statement_not_allowed", 1, 1),
        ("{% raw %}", "statement_not_allowed", 1, 1),
        ("{{ firstName.__class__ }}", "expression_not_allowed", 1, 1),
        ("{{ firstName['__class__'] }}", "expression_not_allowed", 1, 1),
        ("{{ ''.__class__.__mro__ }}", "expression_not_allowed", 1, 1),
        ("{{ firstName() }}", "expression_not_allowed", 1, 1),
        ("{{ 9 ** 9 ** 9 }}", "expression_not_allowed", 1, 1),
        ("{{ 'x' * 1000000000 }}", "expression_not_allowed", 1, 1),
        ("{{ firstName ~ lastName }}", "expression_not_allowed", 1, 1),
        ("{{ [firstName] }}", "expression_not_allowed", 1, 1),
        ("{{ -firstName }}", "expression_not_allowed", 1, 1),
        ("{{ firstName is defined }}", "expression_not_allowed", 1, 1),
        ("{{ unsubscribe }}", "expression_not_allowed", 1, 4),
        ("{{ self }}", "variable_unknown", 1, 4),
        ("{{ firstName|attr('x') }}", "filter_unknown", 1, 14),
        ("{{ firstName|upper(1) }}", "filter_arguments", 1, 14),
        ("{{ firstName|default }}", "filter_arguments", 1, 14),
        ("{{ firstName|default(value='x') }}", "filter_arguments", 1, 14),
        ("{{ firstName|date('%1000000000d') }}", "filter_arguments", 1, 14),
        ("{{ firstName|truncate(99999999) }}", "filter_arguments", 1, 14),
        ("{{ }}", "expression_syntax", 1, 1),
        ("{{ a b }}", "expression_syntax", 1, 1),
        ("{{ 1 }}}}{{ }}", "expression_syntax", 1, 10),
        ("{{ " + "(" * 450 + "firstName" + ")" * 450 + " }}", "expression_too_deep", 1, 1),
        ("{{ " + " " * 1_001 + " }}", "expression_too_long", 1, 1),
        ("{% if 1 %}" * 11 + "{% endif %}" * 11, "too_deep", 1, 101),
    ],
)
def test_what_cannot_be_written_is_told_with_its_place(
    source: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(TemplateSyntaxError) as refused:
        parse_jinja(source, VOCABULARY, is_html=False)
    assert (refused.value.code, refused.value.line, refused.value.column) == (code, line, column)
    assert str(refused.value).startswith(f"Line {line}, column {column}: ")


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(TemplateSyntaxError, match="Did you mean firstName"):
        parse_jinja("{{ firstnme }}", VOCABULARY, is_html=False)


def test_ten_thousand_unclosed_tags_take_no_time_to_refuse() -> None:
    with pytest.raises(TemplateSyntaxError):
        parse_jinja("{{ '" * 100_000, VOCABULARY, is_html=True)


def test_a_mail_says_which_part_is_wrong() -> None:
    for content, code in (
        (Content("{{ x }}", "h"), "subject_variable_unknown"),
        (Content("s", "{{ x }}"), "html_variable_unknown"),
        (Content("s", "h", "{{ x }}"), "text_variable_unknown"),
        (Content("s", "<style>{% if param1 %}</style>x{% endif %}"), "text_not_derived"),
    ):
        with pytest.raises(CannotComposeError) as refused:
            compile_message(content, SENDER)
        assert refused.value.reason.code == code


def test_a_link_that_only_some_would_see_does_not_spare_the_others_the_footer() -> None:
    content = Content("s", "{% if param1 %}<a href='[unsubscribe]'>x</a>{% endif %}", "t")
    compiled = compile_message(content, SENDER, link_use=LinkUse(unsubscribe=True))
    links = Links("https://u.example/1")
    assert compiled.preview(Person("a@b.example"), links).html.count("https://u.example/1") == 1
    assert compiled.preview(Person("a@b.example", p1="1"), links).html.count("https://u.example/1") == 2
