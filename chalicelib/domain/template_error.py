"""What is wrong with a template, and where."""


class TemplateSyntaxError(ValueError):
    """A template that can't be. ``line`` and ``column`` count characters from 1."""

    def __init__(self, code: str, text: str, source: str, place: int) -> None:
        """``place`` is the character of the source, from 0, whose line breaks are ``\\n``."""
        before = source[:place]
        self.code = code
        self.line = before.count("\n") + 1
        self.column = place - before.rfind("\n")
        super().__init__(f"Line {self.line}, column {self.column}: {text}")
