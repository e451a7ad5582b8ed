"""A domain name system in a dictionary."""

from collections.abc import Callable

from chalicelib.domain.dns_answers import Answer, AnswerStatus, Question, RecordType


class FakeDns:
    """Port ``Dns``. ``before_answer`` runs before each answer: where somebody else may come in."""

    def __init__(self) -> None:
        self.records: dict[Question, Answer] = {}
        self.before_answer: Callable[[], object] = lambda: None

    def session(self) -> Callable[[str, RecordType], Answer]:
        return self._answer

    def _answer(self, name: str, kind: RecordType) -> Answer:
        self.before_answer()
        return self.records.get((name, kind), Answer(AnswerStatus.NO_NAME))
