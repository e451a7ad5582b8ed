"""One way to declare a route: registered with Chalice, guarded, and described in the OpenAPI document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from chalice import Blueprint
from chalice.app import Request, Response
from pydantic import BaseModel

from chalicelib.blueprints.api.audited import audited
from chalicelib.blueprints.api.authorizer import authorize
from chalicelib.blueprints.api.problems import problem_of, response, unexpected
from chalicelib.blueprints.api.requests import Call, Nothing, read_call
from chalicelib.domain.access import Scope
from chalicelib.errors import PostlineError
from chalicelib.observability import log

B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
Handler = Callable[..., BaseModel | None]
PublicHandler = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    """What the OpenAPI document says about one route."""

    method: str
    path: str
    name: str
    summary: str
    body: type[BaseModel]
    query: type[BaseModel]
    answer: type[BaseModel] | None
    status: int
    problems: tuple[int, ...]
    scope: Scope | None = None  # None: it needs none, as public routes and those for newcomers
    public: bool = False
    media_type: str = "application/json"
    audit: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody we don't know: the headers that matter, and where it comes from."""

    languages: str
    user_agent: str
    source_ip: str


ROUTES: list[Route] = []


def route(
    blueprint: Blueprint,
    method: str,
    path: str,
    body: type[B],
    query: type[Q],
    answer: type[BaseModel] | None,
    status: int = 200,
    problems: tuple[int, ...] = (),
    scope: Scope | None = None,
    audit: str | None = None,
    *,
    newcomers: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a route. The handler gets the call and then the path's ids, and returns the answer's model.

    Callers need ``scope``; None is READ for GET and WRITE for every other method. ``newcomers``: people who
    signed in and belong to no account yet are let in, and nobody needs a scope. ``audit`` is what a call is
    in the audit trail: ``campaign_launched``.
    """
    needed = None if newcomers else scope or (Scope.READ if method == "GET" else Scope.WRITE)

    def register(handler: Handler) -> Handler:
        name = handler.__name__
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        told = (body, query, answer, status, problems, needed)
        ROUTES.append(Route(method, path, name, summary, *told, audit=audit))
        carry_out = audited(handler, audit) if audit else handler

        def view(**ids: str) -> Response:
            return _answer(
                carry_out, lambda: read_call(blueprint.current_request, body, query, needed), ids, status
            )

        decorate = blueprint.route(
            path,
            methods=[method],
            name=name,
            authorizer=authorize,
            content_types=["application/json", "*/*"],
        )
        decorate(view)
        return handler

    return register


def public_route(
    blueprint: Blueprint,
    method: str,
    path: str,
    media_type: str,
    otherwise: Callable[[Visit], Response],
    problems: tuple[int, ...] = (),
    answer: type[BaseModel] | None = None,
) -> Callable[[PublicHandler], PublicHandler]:
    """Declare a route that needs no API key: what may be done by it, a token in its path proves.

    The handler gets the visit and the path's parts, and returns the whole answer. When it fails, whoever
    asked gets ``otherwise``. ``answer`` is the model of an answer in JSON.
    """

    def register(handler: PublicHandler) -> PublicHandler:
        name = handler.__name__
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        nothing = (Nothing, Nothing, answer, 200, problems)
        ROUTES.append(Route(method, path, name, summary, *nothing, public=True, media_type=media_type))

        def view(**parts: str) -> Response:
            visit = _visit(blueprint.current_request)
            try:
                return handler(visit, **parts)
            except Exception as error:  # noqa: BLE001  (a recipient never sees a stack)
                log("visit_failed", handler=name, error=error)
                return otherwise(visit)

        blueprint.route(path, methods=[method], name=name, content_types=["*/*"])(view)
        return handler

    return register


def _visit(request: Request) -> Visit:
    identity = request.context.get("identity") or {}
    header = request.headers.get
    return Visit(header("accept-language", ""), header("user-agent", ""), str(identity.get("sourceIp") or ""))


def _answer(
    handler: Handler, read: Callable[[], Call[Any, Any]], ids: dict[str, str], status: int
) -> Response:
    try:
        answer = handler(read(), **ids)
    except PostlineError as error:
        problem = problem_of(error)
        log("request_refused", handler=handler.__name__, code=problem.code)
        return response(problem)
    except Exception as error:  # noqa: BLE001  (the caller gets a problem document, never a stack)
        log("request_failed", handler=handler.__name__, error=error)
        return response(unexpected())
    log("request_answered", handler=handler.__name__)
    return _success(answer, status)


def _success(answer: BaseModel | None, status: int) -> Response:
    if answer is None:
        return Response(body="", status_code=status, headers={})
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json"}
    revision = getattr(answer, "revision", None)
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return Response(body=answer.model_dump_json(by_alias=True), status_code=status, headers=headers)
