"""What DNS says, as values: rules read answers and never a network.

The difference that matters: a name that certainly has no such record, and an answer that nobody gave.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MOST_QUESTIONS = 120  # in one check, however records refer to each other


class RecordType(StrEnum):
    """The types of records that are asked for."""

    TXT = "TXT"
    MX = "MX"
    A = "A"
    AAAA = "AAAA"
    PTR = "PTR"


class AnswerStatus(StrEnum):
    """What came of a question."""

    FOUND = "found"
    NO_NAME = "no_name"  # NXDOMAIN (RFC 8020)
    NO_DATA = "no_data"  # the name is there, and no record of this type (RFC 2308, 2.2)
    FAILED = "failed"  # SERVFAIL, REFUSED, silence, nonsense: nothing is known


@dataclass(frozen=True, slots=True)
class Answer:
    """The records' values, in no order: a TXT's strings joined, an MX as ``10 mail.example``.

    Names are lower-case A-labels without the dot at their end.
    """

    status: AnswerStatus
    values: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether nothing is known."""
        return self.status is AnswerStatus.FAILED


Question = tuple[str, RecordType]
UNANSWERED = Answer(AnswerStatus.FAILED)


def found(*values: str) -> Answer:
    """An answer with records."""
    return Answer(AnswerStatus.FOUND, values)


@dataclass(slots=True)
class DnsAnswers:
    """The answers of one check: each question is asked once, and at most MOST_QUESTIONS of them."""

    ask: Callable[[str, RecordType], Answer]
    known: dict[Question, Answer] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Mapping[Question, Answer]) -> "DnsAnswers":
        """Answers that are known beforehand; there is nothing else in the world."""
        return cls(lambda name, kind: answers.get((name, kind), Answer(AnswerStatus.NO_NAME)))

    def get(self, name: str, kind: RecordType) -> Answer:
        """The answer; beyond the bound it is one that nobody gave."""
        question = (name.lower().rstrip("."), kind)
        if question not in self.known:
            if len(self.known) >= MOST_QUESTIONS:
                return UNANSWERED
            self.known[question] = self.ask(*question)
        return self.known[question]

    def addresses(self, name: str) -> Answer:
        """IPv4 and IPv6 addresses together; failed only when neither is known."""
        four, six = self.get(name, RecordType.A), self.get(name, RecordType.AAAA)
        values = four.values + six.values
        if values:
            return found(*values)
        return next((answer for answer in (four, six) if answer.failed), four)
