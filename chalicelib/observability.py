"""Logging: one JSON line per event, with ids and codes, and never an address, a name, a text or a secret."""

import json
import traceback


def log(event: str, *, error: BaseException | None = None, **ids: str | int | float | None) -> None:
    """Print one line. Of an error only its type and place are logged: its text may quote what we must not."""
    line: dict[str, object] = {"event": event, **ids}
    if error is not None:
        line["error"] = type(error).__name__
        line["code"] = getattr(error, "response", {}).get("Error", {}).get("Code")
        line["at"] = [
            f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]
        ]
    print(json.dumps(line), flush=True)  # noqa: T201  (Lambda takes what is printed as the log)
