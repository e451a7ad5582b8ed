"""The pages behind a message's links, in English and Russian: no script, nothing from elsewhere."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from chalicelib.domain.accept_language import Language

_STYLE = (
    "body{margin:0;background:#f4f4f2;color:#1d1d1f;font:18px/1.5 system-ui,sans-serif}"
    "main{max-width:32rem;margin:12vh auto;padding:0 1.5rem;text-align:center}"
    "h1{font-size:1.6rem;margin:0 0 .75rem}"
    "button{font:inherit;padding:.75rem 2rem;border:0;border-radius:.5rem;background:#1d4ed8;color:#fff;"
    "cursor:pointer}"
    "button:focus-visible{outline:3px solid #1d1d1f;outline-offset:3px}"
    "@media(prefers-color-scheme:dark){body{background:#1b1b1d;color:#f4f4f2}"
    "button{background:#93b4ff;color:#10131a}button:focus-visible{outline-color:#f4f4f2}}"
)
STYLE_SOURCE = f"'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""What a Content-Security-Policy has to allow as style, and nothing else."""


class LinkPage(StrEnum):
    """The pages there are: of the link to unsubscribe, and of links to files."""

    ASK_TO_UNSUBSCRIBE = "ask_to_unsubscribe"
    UNSUBSCRIBED = "unsubscribed"
    NOTHING_TO_UNSUBSCRIBE = "nothing_to_unsubscribe"
    UNSUBSCRIBE_FAILED = "unsubscribe_failed"
    UNSUBSCRIBE_OF_TEST = "unsubscribe_of_test"
    NO_FILE = "no_file"
    FILE_EXPIRED = "file_expired"
    FILE_FAILED = "file_failed"
    FILE_OF_TEST = "file_of_test"


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    button: str = ""


_WORDS = {
    (Language.ENGLISH, LinkPage.ASK_TO_UNSUBSCRIBE): _Words(
        "Unsubscribe", "Do you want to get no more emails from this sender?", "Unsubscribe"
    ),
    (Language.ENGLISH, LinkPage.UNSUBSCRIBED): _Words(
        "You are unsubscribed", "This sender won't write to you again. You can close this page."
    ),
    (Language.ENGLISH, LinkPage.NOTHING_TO_UNSUBSCRIBE): _Words(
        "This link doesn't work any more",
        "You were not unsubscribed by it. Please use the link in a newer email, or write to its sender.",
    ),
    (Language.ENGLISH, LinkPage.UNSUBSCRIBE_FAILED): _Words(
        "That didn't work", "You are not unsubscribed yet. Please try again in a minute.", "Try again"
    ),
    (Language.ENGLISH, LinkPage.UNSUBSCRIBE_OF_TEST): _Words(
        "This is a test message",
        "Its link unsubscribes nobody. In a message to a contact it leads to a button to unsubscribe.",
    ),
    (Language.ENGLISH, LinkPage.NO_FILE): _Words(
        "There is no file here", "The link doesn't work, or not any more. Please ask the sender of the email."
    ),
    (Language.ENGLISH, LinkPage.FILE_EXPIRED): _Words(
        "This link has expired",
        "The file was available for a limited time. Please ask the sender of the email.",
    ),
    (Language.ENGLISH, LinkPage.FILE_FAILED): _Words(
        "That didn't work", "The file can't be fetched right now. Please try again in a minute."
    ),
    (Language.ENGLISH, LinkPage.FILE_OF_TEST): _Words(
        "This is a test message", "In the real one, this link leads its recipient to the file."
    ),
    (Language.RUSSIAN, LinkPage.ASK_TO_UNSUBSCRIBE): _Words(
        "Отписка от рассылки", "Вы больше не хотите получать письма от этого отправителя?", "Отписаться"
    ),
    (Language.RUSSIAN, LinkPage.UNSUBSCRIBED): _Words(
        "Вы отписаны", "Этот отправитель больше не будет вам писать. Страницу можно закрыть."
    ),
    (Language.RUSSIAN, LinkPage.NOTHING_TO_UNSUBSCRIBE): _Words(
        "Ссылка больше не действует",
        "Отписаться по ней не удалось. Откройте ссылку из более нового письма или напишите отправителю.",
    ),
    (Language.RUSSIAN, LinkPage.UNSUBSCRIBE_FAILED): _Words(
        "Не получилось", "Вы ещё не отписаны. Попробуйте снова через минуту.", "Попробовать снова"
    ),
    (Language.RUSSIAN, LinkPage.UNSUBSCRIBE_OF_TEST): _Words(
        "Это тестовое письмо",
        "Ссылка в нём никого не отписывает. В письме контакту она ведёт на страницу с кнопкой отписки.",
    ),
    (Language.RUSSIAN, LinkPage.NO_FILE): _Words(
        "Здесь нет файла", "Ссылка не действует или больше не действует. Обратитесь к отправителю письма."
    ),
    (Language.RUSSIAN, LinkPage.FILE_EXPIRED): _Words(
        "Срок ссылки истёк", "Файл был доступен ограниченное время. Обратитесь к отправителю письма."
    ),
    (Language.RUSSIAN, LinkPage.FILE_FAILED): _Words(
        "Не получилось", "Сейчас файл недоступен. Попробуйте снова через минуту."
    ),
    (Language.RUSSIAN, LinkPage.FILE_OF_TEST): _Words(
        "Это тестовое письмо", "В настоящем письме эта ссылка ведёт получателя к файлу."
    ),
}


def page(which: LinkPage, language: Language) -> str:
    """The page as HTML. Its form posts to the address that it was read at."""
    words = _WORDS[language, which]
    form = f'<form method="post"><button>{escape(words.button)}</button></form>' if words.button else ""
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(words.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(words.title)}</h1>\n<p>{escape(words.text)}</p>\n{form}\n</main>\n</body>\n</html>\n"
    )
