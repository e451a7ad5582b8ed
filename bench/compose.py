"""CPU time of making one message of about 10 KB with six variables: ours, the usual way, and the limit.

The usual way is what most would write: Jinja2 templates compiled once, then an EmailMessage per recipient.
Both make the message's unsubscribe link and opening picture, and sign their tokens; the limit doesn't.
Ours makes also what a message by SMTP has in its header, the token by which a bounce names it, as the sender
does. The limit is joining constant bytes of the same message. The rounds of the three take turns, so that a
slow spell of the machine meets all of them. Process time, so other programs disturb little.
"""

import argparse
import gc
import hmac
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

import jinja2

from chalicelib.domain.contact import Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import first_option
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.email import CompiledMessage, SenderIdentity, compile_message
from chalicelib.domain.header import message_id_for
from chalicelib.domain.ids import new_id
from chalicelib.domain.link_tokens import SECRET_BYTES, SigningKey, TokenRing
from chalicelib.domain.message_links import LinkUse, links_of
from chalicelib.domain.return_path import RETURN_FIELD

SUBJECT = "[firstName], your order [param1] is on its way"
PARAGRAPH = (
    "Our workshop has been busy: the oak tables are oiled, the linen is back in seven colours, and the café"
    " by the window serves soup again — come in when you are near, we would like to see you. "
)
ROW = (
    '<tr><td style="padding:12px 24px;font-family:Helvetica,sans-serif;font-size:15px;color:#333333">'
    '<p style="margin:0 0 12px 0">{}</p><a href="https://shop.example/c/42?item={}">Look</a></td></tr>\n'
)
HTML = (
    "<!doctype html>\n<html><body>\n<table role=presentation>\n"
    "<tr><td><h1>Dear [firstName|friend] [lastName],</h1></td></tr>\n"
    + "".join(ROW.format(PARAGRAPH, item) for item in range(16))
    + "<tr><td><p>Order [param1], total [param2], delivery on [param3].</p>"
    "<p>This message went to [email].</p></td></tr>\n</table>\n</body></html>\n"
)
TEXT = (
    "Dear [firstName|friend] [lastName],\n\n"
    + (PARAGRAPH + "\n\n") * 10
    + "Order [param1], total [param2], delivery on [param3].\nThis message went to [email].\n"
)
JINJA_NAMES = {
    "[firstName|friend]": "{{ first_name or 'friend' }}",
    "[firstName]": "{{ first_name }}",
    "[lastName]": "{{ last_name }}",
    "[param1]": "{{ p1 }}",
    "[param2]": "{{ p2 }}",
    "[param3]": "{{ p3 }}",
    "[email]": "{{ email }}",
}
SENDER = SenderIdentity("Märta of Oak & Linen", "news@shop.example", "hello@shop.example")
FIRST_NAMES = ("Anna", "Jürgen", "Мария", "Seán", "", "Tom")
LAST_NAMES = ("O'Brien", "Müller", "Иванова", "Smith", "Nguyễn", "van der Berg")
START = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
PUBLIC_URL = "https://mail.shop.example"
SECRET = b"k" * SECRET_BYTES
RING = TokenRing([SigningKey(1, SECRET)])
LINK_USE = LinkUse(unsubscribe=True, pixel=True)
USUAL_FOOTER = '<p><a href="{{ unsubscribe }}">Unsubscribe</a></p><img src="{{ picture }}" width=1 height=1>'
Job = Sequence[tuple[Person, str, datetime, MessageTags]]
Way = Callable[[Job], Iterator[bytes]]


def jobs(count: int) -> Job:
    """People with different values: every fourth or so has letters beyond ASCII or something to escape."""
    account_id, campaign_id = new_id(START), new_id(START)
    return [
        (
            Person(
                email=f"reader.{number}@mail{number % 40}.example",
                first_name=FIRST_NAMES[number % 6],
                last_name=LAST_NAMES[number // 6 % 6],
                p1=f"A-{100000 + number}",
                p2=f"{number % 900}.50 €",
                p3=f"{1 + number % 28} March",
            ),
            message_id_for("campaign", f"contact-{number}", 1, "shop.example"),
            START + timedelta(milliseconds=40 * number),
            MessageTags(account_id, campaign_id, f"mfrggzdfmztwq2lknn{number:08}", 1, 1),
        )
        for number in range(count)
    ]


def ours(compiled: CompiledMessage, work: Job) -> Iterator[bytes]:
    """What the sender calls."""
    for person, message_id, date, tags in work:
        links, returns = links_of(tags, compiled.link_use, RING, PUBLIC_URL)
        own = ((RETURN_FIELD, returns),)
        yield compiled.render(person, message_id, date, links, first_option, extra_headers=own, smtputf8=True)


def usual_link(path: str, tags: MessageTags) -> str:
    """A signed link as most would write it, with the ids in clear."""
    ids = f"{tags.account_id}.{tags.campaign_id}.{tags.contact_id}.{tags.generation}.{tags.attempt}"
    return f"{PUBLIC_URL}{path}{ids}.{hmac.new(SECRET, (path + ids).encode(), 'sha256').hexdigest()}"


def to_jinja(source: str, *, autoescape: bool) -> jinja2.Template:
    """The same template in Jinja2's words."""
    for bracket, expression in JINJA_NAMES.items():
        source = source.replace(bracket, expression)
    environment = jinja2.Environment(autoescape=autoescape, keep_trailing_newline=True)  # noqa: S701 - text too
    return environment.from_string(source)


def usual(templates: tuple[jinja2.Template, ...], work: Job) -> Iterator[bytes]:
    """Render three templates, fill in an EmailMessage, serialise it for SMTP."""
    subject, text, html = templates
    for person, message_id, date, tags in work:
        fields = {name: getattr(person, name) for name in Person.__slots__}
        fields |= {"unsubscribe": usual_link("/u/", tags), "picture": usual_link("/o/", tags)}
        message = EmailMessage(policy=policy.SMTP)
        message["Date"] = format_datetime(date)
        message["From"] = f'"{SENDER.from_name}" <{SENDER.from_address}>'
        message["Reply-To"] = SENDER.reply_to
        message["To"] = person.email
        message["Subject"] = subject.render(fields)
        message["Message-ID"] = message_id
        message["List-Unsubscribe"] = f"<{fields['unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text.render(fields))
        message.add_alternative(html.render(fields), subtype="html")
        yield message.as_bytes()


def limit(pieces: list[bytes], work: Job) -> Iterator[bytes]:
    """As many pieces as ours has, all of them encoded beforehand."""
    for _ in work:
        yield b"".join(pieces)


def microseconds(make: Way, work: Job) -> float:
    """CPU time per message of one round."""
    gc.collect()
    start = time.process_time()
    for _ in make(work):  # one at a time, as a sender has them: keeping all would measure fresh memory
        pass
    return (time.process_time() - start) / len(work) * 1e6


def main() -> None:
    """Measure and print; the last line is JSON of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="at least 7")
    rounds = max(7, parser.parse_args().rounds)
    compiled = compile_message(Content(SUBJECT, HTML, TEXT), SENDER, link_use=LINK_USE)
    templates = (
        to_jinja(SUBJECT, autoescape=False),
        to_jinja(TEXT + "\nUnsubscribe: {{ unsubscribe }}\n", autoescape=False),
        to_jinja(HTML + USUAL_FOOTER, autoescape=True),
    )
    (example,) = ours(compiled, jobs(1))
    step = len(example) // len(compiled.body.pieces)
    pieces = [example[at : at + step] for at in range(0, len(example), step)]
    ways: dict[str, tuple[Way, Job]] = {
        "ours": (lambda work: ours(compiled, work), jobs(5000)),
        "Jinja2 + EmailMessage": (lambda work: usual(templates, work), jobs(150)),
        "joined constant bytes": (lambda work: limit(pieces, work), jobs(20000)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}" + (" (warm-up)" if not number else ""), file=sys.stderr)
        for name, (make, work) in ways.items():
            taken[name] += [microseconds(make, work)] if number else []
            if not number:
                microseconds(make, work[:100])
    sizes = f"{len(example):,} bytes ours, {len(next(usual(templates, jobs(1)))):,} the usual way"
    report(taken, sizes)


def report(taken: dict[str, list[float]], sizes: str) -> None:
    """A table for people and a line for programs."""
    print(f"One message: {sizes}; {len(next(iter(taken.values())))} rounds")
    print(f"{'µs of CPU per message':<24}{'min':>10}{'median':>10}")
    for name, values in taken.items():
        print(f"{name:<24}{min(values):>10.1f}{statistics.median(values):>10.1f}")
    own, common, least = (statistics.median(values) for values in taken.values())
    figures = {"us_per_message": own, "us_usual": common, "us_limit": least, "ratio_to_usual": common / own}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
