"""A reason of ours that tells what to do about it."""

from collections.abc import Mapping

from chalicelib.domain.delivery import Reason
from chalicelib.domain.smtp_replies import printable


def advised(advice: Mapping[str, str], code: str, said: str = "") -> Reason:
    """Our reason ``code`` with its sentence of advice, and what the other side said, made safe to show."""
    return Reason(code, advice[code], reply_text=printable(said) or None)
