"""The environment that every function gets, with names of nothing."""

from collections.abc import Mapping
from dataclasses import fields

from chalicelib.settings import Queues, Tables


def environment(**more: str) -> Mapping[str, str]:
    """All tables and queues, and what a test tells besides."""
    tables = {f"TABLE_{field.name.upper()}": field.name for field in fields(Tables)}
    queues = {f"QUEUE_{field.name.upper()}": field.name for field in fields(Queues)}
    return {**tables, **queues, **more}
