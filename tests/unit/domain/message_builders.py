"""Contents, people and text as odd as Unicode and ill will can make them."""

from datetime import UTC, datetime

import pytest
from hypothesis import reject, settings
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.email import CompiledMessage, Content, SenderIdentity, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.message_links import LinkUse
from chalicelib.domain.personalization import FIELDS

SENDER = SenderIdentity("Oak & Linen", "news@shop.example")
ON_THE_WIRE = ("Oak & Linen", "news@shop.example")
CONTENT = Content("Hello [firstName|friend]", "<p>Dear [firstName],</p>", "Dear [firstName],")
ANNA = Person("anna@mail.example", first_name="Anna")
MESSAGE_ID = "<1@shop.example>"
NOW = datetime(2025, 3, 3, 9, 5, 7, tzinfo=UTC)

unhurried = settings(deadline=None, max_examples=200)

HOSTILE = (
    "Hi =?utf-8?q?a=0D=0ABcc:_v@x.com?=",
    "=?utf-8?b?DQpCY2M6IHZAeC5jb20=?=",
    "a\r\nBcc: v@x.com",
    "a\nBcc: v@x.com\n\n<script>",
    "a\rBcc: v@x.com",
    "a\u2028Bcc: v@x.com",
    "a\x85Bcc: v@x.com",
    "a\x0bb\x0cc\x1cd\x1ee",
    "nul\x00byte",
    "\u202eevil\u2066",
    "\ud800",
    "[email][lastName|x]",
    "[firstName",
    "</p><script>alert(1)</script>",
    "\" onload='x' & <b>",
    "--=_alternative",
    "\r\n--=_alternative--\r\n",
    "\r\n--=_alternative\r\nContent-Type: text/html\r\n\r\n",
    ".",
    "\n.\n",
    "From me",
    "\nFrom me",
    "=3D=\n=",
    "  spaces  between  ",
    "\t",
    "x" * 100,
    "x" * 76,
    "é" * 14,
    "é" * 60,
    "é\né",
    "\U0001f469\u200d\U0001f4bb" * 9,
    "{{ 7 * 7 }} %s \\1 \\g<0>",
    "\xa0",
)

odd_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(), max_size=60),
    st.text(" .=\r\n\t[]aФrom:<\u2028\xa0?", max_size=60),
    st.text("abc def", max_size=300),
)
variables = st.builds(
    "[{}{}]".format, st.sampled_from(sorted(FIELDS)), st.sampled_from(["", "|", "|friend", "|a <b>&amp;"])
)
templates = st.lists(st.one_of(odd_text, variables), max_size=8).map("".join)
odd_people = st.builds(
    Person,
    email=st.sampled_from(["a@b.example", "o'neil+x=1@mail.example", "z@bücher.example"]),
    extra=odd_text.map(lambda text: (("Город", text),)),
    **dict.fromkeys(["first_name", "last_name", "middle_name", "p1", "p2", "p3"], odd_text),
)

COLUMNS = ("Город",)
CUSTOMS = (CustomVariable("Gruß", ("Hallo [firstName]", "Servus <[Город]> & Co\n", "")),)
further = st.sampled_from(
    (
        "[Город|там]",
        "[gruß]",
        "{{ firstName|default('friend') }}",
        '{{ Город|upper if param1 > 3 else "–" }}',
        "{% if secondName %}<b>[secondName]</b>{% elif Gruß %}\n{{ Gruß }}.{% else %}é{% endif %}",
        "{% if param1 == param2 %}{% if param3 %}[param3]{% endif %}{% endif %}",
    )
)
_no_braces = odd_text.map(lambda text: text.replace("{", "("))
rich_templates = st.lists(st.one_of(_no_braces, variables, further), max_size=8).map("".join)
rich_subjects = st.lists(st.one_of(_no_braces, variables, further), max_size=2).map("".join)


def compose(content: Content = CONTENT, person: Person = ANNA, sender: SenderIdentity = SENDER) -> bytes:
    return compile_message(content, sender).render(person, MESSAGE_ID, NOW)


def compiled_if_it_can_be(content: Content, link_use: LinkUse = LinkUse()) -> CompiledMessage:  # noqa: B008
    """The message of a random content; an example is given up where a value can't stand, or half of an if."""
    try:
        return compile_message(content, SENDER, link_use=link_use, columns=COLUMNS)
    except CannotComposeError as refused:
        if not refused.reason.code.startswith(("html_variable_", "text_not_derived")):
            raise
        reject()


def reason_for(content: Content = CONTENT, person: Person = ANNA, sender: SenderIdentity = SENDER) -> object:
    with pytest.raises(CannotComposeError) as refused:
        compose(content, person, sender)
    assert refused.value.reason.text
    return refused.value.reason.code, refused.value.scope
