"""Cells of CSV files we write, which people open in spreadsheet programs (OWASP, CSV injection)."""

_FORMULA = (*"=+-@\t\r\n", *"＝＋－＠")  # the last four are full width
_MARK = "'"


def harmless(value: str) -> str:
    """A value that a spreadsheet program won't take for a formula: marked by an apostrophe if it could be."""
    return f"{_MARK}{value}" if value.startswith(_FORMULA) else value


def marked(value: str) -> str:
    """As ``harmless``, but ``unmarked`` can take it back: an apostrophe of the value's own is marked too."""
    return f"{_MARK}{value}" if value.startswith((*_FORMULA, _MARK)) else value


def unmarked(cell: str) -> str:
    """The value that ``marked`` made this cell of."""
    own = cell.removeprefix(_MARK)
    return own if own != cell and own.startswith((*_FORMULA, _MARK)) else cell
