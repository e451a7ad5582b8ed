"""The models of a campaign's custom variables, and of what its author should look at again."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from chalicelib.blueprints.api.models import Input, Output
from chalicelib.domain.content_check import ContentWarning
from chalicelib.domain.custom_variables import (
    MAX_NAME,
    MAX_OPTION,
    MAX_OPTION_VARIABLES,
    MAX_OPTIONS,
    MAX_VARIABLES,
    CustomVariable,
)
from chalicelib.domain.personalization import NAMES, Literal, folded, parse

_TAKEN = {folded(name) for name in NAMES}


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name.replace(" ", "").replace("_", "").replace("-", "").isalnum():
        raise ValueError("A name is made of letters, digits, spaces, - and _.")
    if folded(name) in _TAKEN:
        raise ValueError(f"{name} is a variable already. Choose a name other than: {', '.join(NAMES)}.")
    return name


def _option(value: str) -> str:
    if sum(not isinstance(piece, Literal) for piece in parse(value)) > MAX_OPTION_VARIABLES:
        raise ValueError(f"An option has at most {MAX_OPTION_VARIABLES} variables in it.")
    return value


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_name)]
Option = Annotated[str, Field(max_length=MAX_OPTION), AfterValidator(_option)]


class Variable(Input):
    """A custom variable. Each recipient gets one of its options, always the same one."""

    name: Name
    options: list[Option] = Field(
        min_length=1,
        max_length=MAX_OPTIONS,
        description="Plain text; may have system variables and columns in brackets.",
    )

    @classmethod
    def of(cls, variable: CustomVariable) -> Self:
        """A variable as it is shown."""
        return cls(name=variable.name, options=list(variable.options))


def _distinct(value: list[Variable]) -> list[Variable]:
    if len({folded(variable.name) for variable in value}) != len(value):
        raise ValueError("Give each variable a name of its own; small and big letters are the same.")
    return value


Variables = Annotated[list[Variable], Field(max_length=MAX_VARIABLES), AfterValidator(_distinct)]


def customs(variables: list[Variable]) -> tuple[CustomVariable, ...]:
    """The variables as the domain has them."""
    return tuple(CustomVariable(variable.name, tuple(variable.options)) for variable in variables)


class WarningShown(Output):
    """A place to look at again; it is sent as it is."""

    field: str
    code: str
    text: str
    line: int | None
    column: int | None
    suggestion: str | None

    @classmethod
    def of(cls, warning: ContentWarning) -> Self:
        """A warning as it is shown."""
        return cls(
            field=warning.field,
            code=warning.code,
            text=warning.text,
            line=warning.line,
            column=warning.column,
            suggestion=warning.suggestion,
        )
