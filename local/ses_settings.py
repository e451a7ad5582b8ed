"""How SES behaves on this machine: environment variables of `make run` and `make demo-ses`."""

from collections.abc import Mapping
from dataclasses import replace

from local.ses_bridge import Options
from local.ses_publishing import Disorder


class SettingError(Exception):
    """A variable holds what it can't; the text says which, and what it may hold."""


def with_environment(options: Options, environment: Mapping[str, str]) -> Options:
    """The options, with what the environment says in their place. Raises SettingError.

    ``SES_DELAY``, ``SES_DUPLICATES``, ``SES_WINDOW``, ``SES_EARLY`` and ``SES_SEED`` are fields of Disorder,
    ``SES_VERIFY_AFTER`` (seconds) and ``SES_SEND_RATE`` (messages a second) of Options.
    """
    usual = options.disorder
    disorder = Disorder(
        delay=_number(environment, "SES_DELAY", usual.delay),
        duplicates=_number(environment, "SES_DUPLICATES", usual.duplicates),
        window=round(_number(environment, "SES_WINDOW", usual.window)),
        early=_number(environment, "SES_EARLY", usual.early),
        seed=round(_number(environment, "SES_SEED", usual.seed)),
    )
    return replace(
        options,
        disorder=disorder,
        verify_after=_number(environment, "SES_VERIFY_AFTER", options.verify_after),
        send_rate=_number(environment, "SES_SEND_RATE", options.send_rate or 0) or None,
    )


def _number(environment: Mapping[str, str], variable: str, usual: float) -> float:
    text = environment.get(variable, "")
    if not text:
        return usual
    if not text.replace(".", "", 1).isdecimal():
        raise SettingError(f"{variable} is “{text}”; give a number from 0, such as 0.2 or 30.")
    return float(text)
