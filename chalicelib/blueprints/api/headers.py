"""Headers of the answers: what a browser must not do with them, and whose pages may read them.

Pages of other origins read the API only where the deployment names their origin (CORS, the Fetch standard,
https://fetch.spec.whatwg.org/#http-cors-protocol). There are no cookies, so no credentials are allowed.
"""

from collections.abc import Iterable

from chalice.app import Request, Response

from chalicelib import wiring
from chalicelib.blueprints.api.problems import Unacceptable

Headers = dict[str, str | list[str]]

EVERYWHERE: Headers = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
}
_PRIVATE: Headers = {
    **EVERYWHERE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # nothing of it is a page
}
_ASKED_WITH = "Authorization, Content-Type, Idempotency-Key, If-Match"
_READ = "ETag, Idempotency-Replayed, Retry-After"
_REMEMBERED = "600"  # seconds; browsers ask for each path


def guarded(answer: Response, request: Request) -> Response:
    """The answer of the API with the headers that all of them have."""
    origins = wiring.cors_origins()
    answer.headers.update(_PRIVATE)
    if origins:
        answer.headers["Vary"] = "Origin"
    origin = request.headers.get("origin", "")
    if origin in origins:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = _READ
    return answer


def preflight(request: Request, methods: Iterable[str]) -> Response:
    """Tell a browser that these methods may be asked for; raises Unacceptable unless its origin is named."""
    if request.headers.get("origin") not in wiring.cors_origins():
        raise Unacceptable(403, "origin_not_allowed", "Pages of this origin may not use the API.")
    headers: Headers = {
        "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
        "Access-Control-Allow-Headers": _ASKED_WITH,
        "Access-Control-Max-Age": _REMEMBERED,
    }
    return Response(body="", status_code=204, headers=headers)
