"""One way to declare a route: registered with Chalice, guarded, and described in the OpenAPI document."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from chalice import Blueprint
from chalice.app import Request, Response
from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.blueprints.api.audited import audited
from chalicelib.blueprints.api.cursors import is_list, paged
from chalicelib.blueprints.api.headers import guarded, preflight
from chalicelib.blueprints.api.problems import Unacceptable, problem_of, response, unexpected
from chalicelib.blueprints.api.repeats import Once
from chalicelib.blueprints.api.requests import Call, Nothing, check_scope, read_call, read_caller
from chalicelib.blueprints.authorizer import authorize
from chalicelib.domain.access import Scope
from chalicelib.errors import NotFound, PostlineError
from chalicelib.flow.admission import Caller
from chalicelib.observability import log

B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
Handler = Callable[..., BaseModel | None]
PublicHandler = Callable[..., Response]

LONGEST_ID = 253
"""Characters of an id in a path. No domain name is longer, and DynamoDB takes no key of over 1,024 bytes."""


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
    secret: bool = False
    audit: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody we don't know: the headers that matter, and where it comes from."""

    languages: str
    user_agent: str
    source_ip: str


ROUTES: list[Route] = []
_NOTHING = "-"  # what a recipient's link names with more characters than that: no token, no file
_WRONG = 400
_PREFLIGHTED: set[str] = set()


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
    secret: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a route. The handler gets the call and then the path's ids, and returns the answer's model.

    Callers need ``scope``; None is READ for GET and WRITE for every other method. ``newcomers``: people who
    signed in and belong to no account yet are let in, and nobody needs a scope. ``audit`` is what a call is
    in the audit trail: ``campaign_launched``. ``secret``: the answer holds a text that is shown this once,
    and is kept for no repetition.
    """
    needed = None if newcomers else scope or (Scope.READ if method == "GET" else Scope.WRITE)

    def register(handler: Handler) -> Handler:
        name = handler.__name__
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        told = (body, query, answer, status, problems, needed)
        declared = Route(method, path, name, summary, *told, audit=audit, secret=secret)
        ROUTES.append(declared)
        carry_out = audited(handler, audit) if audit else handler
        carry_out = paged(carry_out, path) if is_list(query) else carry_out

        def view(**ids: str) -> Response:
            request = blueprint.current_request
            return guarded(_answer(declared, carry_out, request, ids), request)

        decorate = blueprint.route(
            path,
            methods=[method],
            name=name,
            authorizer=authorize,
            content_types=["application/json", "*/*"],
        )
        decorate(view)
        _answer_preflights(blueprint, path)
        return handler

    return register


def _answer_preflights(blueprint: Blueprint, path: str) -> None:
    """Let browsers ask what pages of other origins may do here; nobody proves who they are for that."""
    if path in _PREFLIGHTED:
        return
    _PREFLIGHTED.add(path)

    def view(**ids: str) -> Response:  # noqa: ARG001
        request = blueprint.current_request
        methods = [declared.method for declared in ROUTES if declared.path == path]
        return guarded(_told("preflight", lambda: preflight(request, methods)), request)

    name = f"preflight{len(_PREFLIGHTED)}"
    blueprint.route(path, methods=["OPTIONS"], name=name, content_types=["*/*"])(view)


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
            known = {name: _NOTHING if _is_no_id(part) else part for name, part in parts.items()}
            try:
                return handler(visit, **known)
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


def _answer(declared: Route, handler: Handler, request: Request, ids: dict[str, str]) -> Response:
    def carry_out(call: Call[Any, Any]) -> Response:
        return _told(declared.name, lambda: _success(handler(call, **ids), declared.status))

    def respond() -> Response:
        caller = read_caller(request)
        owner = caller.account_id or f"person#{caller.actor.id}"  # of no account: who acts for themselves
        _slow_down(owner)  # before anything is looked at: what is refused costs us as much
        caller = _permitted(caller, declared.scope)
        call = read_call(request, caller, declared.body, declared.query)
        _refuse_what_is_no_id(ids)
        if declared.method != "POST":
            return carry_out(call)
        once = Once(declared.path, ids, secret=declared.secret)
        return once.answer(request, owner, lambda: carry_out(call))

    answer = _told(declared.name, respond)
    if answer.status_code < _WRONG:
        log("request_answered", handler=declared.name)
    return answer


def _permitted(caller: Caller, needed: Scope | None) -> Caller:
    """The caller with what they may do; raises Forbidden for one who lacks the scope.

    The gateway remembers for a minute what somebody may do. For ADMIN that is too long: who was removed would
    make a key in it, or a friend an owner, and stay. So for ADMIN it is looked up again.
    """
    if needed is None:
        return caller
    check_scope(caller, needed)
    if needed is not Scope.ADMIN:
        return caller
    caller = replace(caller, scopes=caller.scopes & wiring.scopes_now(caller.account_id, caller.actor))
    check_scope(caller, needed)
    return caller


def _slow_down(account_id: str) -> None:
    """Raise Unacceptable for an account that asks too often."""
    if wait := wiring.request_rate().wait(account_id):
        text = f"Your account makes too many requests. Try again in {wait} seconds."
        raise Unacceptable(429, "throttled", text, wait)


def _told(name: str, answer: Callable[[], Response]) -> Response:
    """The answer, or the problem document of what was raised instead."""
    try:
        return answer()
    except PostlineError as error:
        problem = problem_of(error)
        log("request_refused", handler=name, code=problem.code)
        return response(problem, error.retry_after)
    except Exception as error:  # noqa: BLE001  (the caller gets a problem document, never a stack)
        log("request_failed", handler=name, error=error)
        return response(unexpected())


def _refuse_what_is_no_id(parts: dict[str, str]) -> None:
    """Raise NotFound for a part of the path that nothing can have as its id."""
    if any(map(_is_no_id, parts.values())):
        raise NotFound("object")


def _is_no_id(part: str) -> bool:
    return len(part) > LONGEST_ID


def _success(answer: BaseModel | None, status: int) -> Response:
    if answer is None:
        return Response(body="", status_code=status, headers={})
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json"}
    revision = getattr(answer, "revision", None)
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return Response(body=answer.model_dump_json(by_alias=True), status_code=status, headers=headers)
