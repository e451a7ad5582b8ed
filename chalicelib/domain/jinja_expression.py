"""Expressions of Jinja2, from a list of what is allowed: values, comparisons, if/else and a few filters.

Jinja2 parses, and what it finds is turned into functions here; its own compiler never runs. What isn't on the
list can't be written: no loops, calls, attributes or arithmetic, so no expression is longer than the values
and texts in it, and none reaches anything but them.
"""

import re
from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import Draw
from chalicelib.domain.personalization import Column, Custom, Link, Variable, Vocabulary, plain, text_value

MAX_EXPRESSION = 1_000  # characters between the braces
MAX_TRUNCATED = 10_000  # characters

Evaluate = Callable[[Person, Draw], object]
"""What an expression comes to for one person: text, a number, True, False or None."""

Field = Variable | Column | Custom


class Formula(NamedTuple):
    """An expression as a function, and the values of which it inserts the first that has words."""

    evaluate: Evaluate
    inserts: tuple[Field, ...]


_ENVIRONMENT = Environment(autoescape=False)  # noqa: S701 - parses only; values are escaped where they are put
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": eq,
    "ne": ne,
    "lt": lt,
    "lteq": le,
    "gt": gt,
    "gteq": ge,
}
_DATES = ("%d.%m.%Y", "%d.%m.%Y %H:%M")
_DIRECTIVE = re.compile("%(.)", re.DOTALL)
_DIRECTIVES = {
    "d": "{0.day:02}",
    "m": "{0.month:02}",
    "Y": "{0.year:04}",
    "y": "{1:02}",
    "H": "{0.hour:02}",
    "M": "{0.minute:02}",
    "%": "%",
}


class ExpressionError(ValueError):
    """An expression that can't be. ``text`` says what to write, ``about`` is the word it is about, if one."""

    def __init__(self, code: str, text: str, about: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.about = about


def compile_expression(source: str, vocabulary: Vocabulary) -> Formula:
    """Turn what stands between the braces into a function. Raises ExpressionError."""
    if len(source) > MAX_EXPRESSION:
        raise ExpressionError(
            "expression_too_long", f"An expression has at most {MAX_EXPRESSION:,} characters."
        )
    try:
        node = _parsed(source)
        return Formula(_compiled(node, vocabulary), _inserted(node, vocabulary))
    except TemplateSyntaxError as error:
        raise ExpressionError("expression_syntax", f"Jinja2 says: {error.message}.") from error
    except RecursionError as error:
        raise ExpressionError(
            "expression_too_deep", "Write it with fewer brackets within another."
        ) from error


def words_of(evaluate: Evaluate, person: Person, draw: Draw) -> str:
    """What is inserted: nothing for None, and text that every reader can carry."""
    value = evaluate(person, draw)
    return "" if value is None else plain(str(value))


def holds(evaluate: Evaluate, person: Person, draw: Draw) -> bool:
    """Whether a test holds: an empty field doesn't."""
    return bool(evaluate(person, draw))


def _parsed(source: str) -> nodes.Expr:
    body = _ENVIRONMENT.parse(f"{{{{ {source}\n}}}}").body
    found = body[0].nodes if len(body) == 1 and isinstance(body[0], nodes.Output) else []
    if len(found) != 1 or isinstance(found[0], nodes.TemplateData):
        raise ExpressionError("expression_syntax", "Write one expression between the braces.")
    return found[0]


def _compiled(node: nodes.Expr, vocabulary: Vocabulary) -> Evaluate:
    compile_node = _NODES.get(type(node))
    if compile_node is None:
        raise _not_allowed(node)
    return compile_node(node, vocabulary)


def _inserted(node: nodes.Expr, vocabulary: Vocabulary) -> tuple[Field, ...]:
    """The values of a node that was compiled; of an if, and of and, its author thought of what is empty."""
    match node:
        case nodes.Name():
            value = vocabulary.make(node.name)
            return (value,) if isinstance(value, Variable | Column | Custom) else ()
        case nodes.Or():
            return _inserted(node.left, vocabulary) + _inserted(node.right, vocabulary)
        case nodes.Filter(node=nodes.Expr() as filtered):
            instead = node.args[:1] if node.name in ("default", "d") else []
            parts = (_inserted(part, vocabulary) for part in (filtered, *instead))
            return tuple(value for part in parts for value in part)
        case _:
            return ()


def _not_allowed(node: nodes.Expr) -> ExpressionError:
    names: dict[type[nodes.Expr], str] = {
        nodes.Call: "Calls",
        nodes.Getattr: "Attributes",
        nodes.Getitem: "Parts of values",
        nodes.Test: "Tests (“is …”)",
        nodes.List: "Lists",
        nodes.Dict: "Dictionaries",
    }
    what = names.get(
        type(node), "Arithmetic" if isinstance(node, nodes.BinExpr) else "This kind of expression"
    )
    text = f"{what} can't be used: only names, texts, numbers, comparisons, and/or/not, if/else and filters."
    return ExpressionError("expression_not_allowed", text)


def _name(node: nodes.Name, vocabulary: Vocabulary) -> Evaluate:
    value = vocabulary.make(node.name)
    if isinstance(value, Link):
        raise ExpressionError(
            "expression_not_allowed",
            f"Write [{node.name}] for the link: it can't be in an expression.",
            node.name,
        )
    if value is None:
        close = get_close_matches(node.name.lower(), [name.lower() for name in vocabulary.names()], n=1)
        written = next((name for name in vocabulary.names() if [name.lower()] == close), None)
        hint = f" Did you mean {written}?" if written else ""
        text = f"There is no variable {node.name[:60]}, and no contact has a column of that name.{hint}"
        raise ExpressionError("variable_unknown", text, node.name)
    return partial(text_value, value)


def _constant(node: nodes.Const, _vocabulary: Vocabulary) -> Evaluate:
    value: object = node.value
    return lambda _person, _draw: value


def _negative(node: nodes.Neg, vocabulary: Vocabulary) -> Evaluate:
    if not isinstance(node.node, nodes.Const) or not isinstance(node.node.value, int | float):
        raise _not_allowed(node)
    return _constant(nodes.Const(-node.node.value), vocabulary)


def _compare(node: nodes.Compare, vocabulary: Vocabulary) -> Evaluate:
    first = _compiled(node.expr, vocabulary)
    rest = [(operand.op, _compiled(operand.expr, vocabulary)) for operand in node.ops]

    def evaluate(person: Person, draw: Draw) -> bool:
        left = first(person, draw)
        for operator, operand in rest:
            right = operand(person, draw)
            if not _is_so(operator, left, right):
                return False
            left = right
        return True

    return evaluate


def _is_so(operator: str, left: object, right: object) -> bool:
    """A field is text: beside a number it is read as one, and what is no number is then like no other."""
    if operator in ("in", "notin"):
        return (str(left) in str(right)) is (operator == "in")
    if _is_number(left) is not _is_number(right):
        left, right = _number(left), _number(right)
        if left is None or right is None:
            return operator == "ne"
    elif not _is_number(left):
        left, right = str(left), str(right)
    return _COMPARE[operator](left, right)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float | None:
    try:
        return float(str(value).replace("\u00a0", "").replace(" ", "").replace(",", "."))
    except ValueError:
        return None


def _and(node: nodes.And, vocabulary: Vocabulary) -> Evaluate:
    left, right = _compiled(node.left, vocabulary), _compiled(node.right, vocabulary)
    return lambda person, draw: left(person, draw) and right(person, draw)


def _or(node: nodes.Or, vocabulary: Vocabulary) -> Evaluate:
    left, right = _compiled(node.left, vocabulary), _compiled(node.right, vocabulary)
    return lambda person, draw: left(person, draw) or right(person, draw)


def _not(node: nodes.Not, vocabulary: Vocabulary) -> Evaluate:
    inner = _compiled(node.node, vocabulary)
    return lambda person, draw: not inner(person, draw)


def _if(node: nodes.CondExpr, vocabulary: Vocabulary) -> Evaluate:
    test, then = _compiled(node.test, vocabulary), _compiled(node.expr1, vocabulary)
    otherwise = _compiled(node.expr2, vocabulary) if node.expr2 else lambda _person, _draw: ""
    return lambda person, draw: (then if test(person, draw) else otherwise)(person, draw)


def _filter(node: nodes.Filter, vocabulary: Vocabulary) -> Evaluate:
    make = _FILTERS.get(node.name)
    if make is None:
        text = f"There is no filter {node.name[:60]}. There are: {', '.join(_FILTERS)}."
        raise ExpressionError("filter_unknown", text, node.name)
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise ExpressionError("filter_arguments", f"{node.name} takes plain arguments only.", node.name)
    return make(_compiled(node.node, vocabulary), node, vocabulary)


def _default(value: Evaluate, node: nodes.Filter, vocabulary: Vocabulary) -> Evaluate:
    """As ``or``: an empty field is one that is missing."""
    if not 1 <= len(node.args) <= 2:  # noqa: PLR2004 - Jinja2's own second argument asks for what we always do
        raise ExpressionError("filter_arguments", 'Write default("what to say instead").', node.name)
    instead = _compiled(node.args[0], vocabulary)

    def evaluate(person: Person, draw: Draw) -> object:
        found = value(person, draw)
        return instead(person, draw) if found in ("", None) else found

    return evaluate


def _text_filter(
    change: Callable[[str], str], value: Evaluate, node: nodes.Filter, _vocabulary: Vocabulary
) -> Evaluate:
    if node.args:
        raise ExpressionError("filter_arguments", f"{node.name} takes no arguments.", node.name)
    return lambda person, draw: change(words_of(value, person, draw))


def _truncate(value: Evaluate, node: nodes.Filter, _vocabulary: Vocabulary) -> Evaluate:
    length = _only_constant(node)
    if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= MAX_TRUNCATED:
        raise ExpressionError(
            "filter_arguments", "Write truncate(40): so many characters at most.", node.name
        )

    def evaluate(person: Person, draw: Draw) -> str:
        text = words_of(value, person, draw)
        return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"

    return evaluate


def _date(value: Evaluate, node: nodes.Filter, _vocabulary: Vocabulary) -> Evaluate:
    pattern = _only_constant(node)
    if not isinstance(pattern, str) or not set(_DIRECTIVE.findall(pattern)) <= set(_DIRECTIVES):
        known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
        raise ExpressionError("filter_arguments", f'Write date("%d.%m.%Y"); there are: {known}.', node.name)

    def evaluate(person: Person, draw: Draw) -> str:
        text = words_of(value, person, draw)
        at = _instant(text.strip())
        return text if at is None else _DIRECTIVE.sub(lambda found: _date_part(found[1], at), pattern)

    return evaluate


def _date_part(letter: str, at: datetime) -> str:
    return _DIRECTIVES[letter].format(at, at.year % 100)


def _instant(text: str) -> datetime | None:
    """A day, or day and time, as ISO 8601 or with dots has it; no other way of writing is unambiguous."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for pattern in _DATES:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - a wall-clock time, shown as it came
        except ValueError:
            continue
    return None


def _only_constant(node: nodes.Filter) -> object:
    argument = node.args[0] if len(node.args) == 1 else None
    return argument.value if isinstance(argument, nodes.Const) else None


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


_NODES: dict[type[nodes.Expr], Callable[..., Evaluate]] = {
    nodes.Name: _name,
    nodes.Const: _constant,
    nodes.Neg: _negative,
    nodes.Compare: _compare,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.CondExpr: _if,
    nodes.Filter: _filter,
}
_FILTERS: dict[str, Callable[[Evaluate, nodes.Filter, Vocabulary], Evaluate]] = {
    "default": _default,
    "d": _default,
    "upper": partial(_text_filter, str.upper),
    "lower": partial(_text_filter, str.lower),
    "title": partial(_text_filter, str.title),
    "capitalize": partial(_text_filter, _capitalised),
    "trim": partial(_text_filter, str.strip),
    "truncate": _truncate,
    "date": _date,
}
