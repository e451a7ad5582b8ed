"""The OpenAPI 3.1 document, made from the declared routes and the models they use.

https://spec.openapis.org/oas/v3.1.0
"""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.blueprints.api.cursors import is_list
from chalicelib.blueprints.api.problems import CONTENT_TYPE, Problem
from chalicelib.blueprints.api.requests import Nothing, RawMessage
from chalicelib.blueprints.api.routing import Route
from chalicelib.domain.repeat import LONGEST_KEY

_TITLES = {
    400: "The request isn't understood, or its cursor is not of this list.",
    401: "No API key or sign-in was sent.",
    403: "The key or sign-in is unknown, expired or revoked, or lacks the scope; or there is no such route.",
    404: "There is nothing of this id in the account.",
    409: "The state doesn't allow it (`allowed` says what it allows), or its key is in use.",
    412: "It was changed since it was read.",
    413: "The body is too large.",
    415: "The body isn't of the type that this route takes.",
    422: "One or several fields are wrong; all of them are listed.",
    429: "Too many requests; Retry-After tells when to ask again.",
    500: "A fault of the service.",
}
_OF_A_LINK = {
    302: "Where the file is for the next minutes.",
    404: "Not done: the link is of a contact that is gone, or never was one.",
    410: "The link has expired.",
    503: "Not done; please repeat the request.",
}
_OUTDATED = 412
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag of the campaign as you have seen it; refused with 412 if it was changed since.",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "description": (
        "A text of your own, new for each request. Repeated within 24 hours with the same key, a request is"
        " not carried out again: the first answer comes again, with Idempotency-Replayed: true."
    ),
}
_ALWAYS = (401, 403, 422, 429, 500)
_WITH_BODY = (400, 413, 415)


def openapi_document(routes: list[Route], version: str) -> dict[str, Any]:
    """The whole document as JSON types."""
    definitions = _definitions(routes)
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, definitions)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Postline", "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "pl_<id>_<secret>"}
            },
        },
        "security": [{"apiKey": []}],
    }


def _definitions(routes: list[Route]) -> dict[str, Any]:
    inputs = {model for route in routes for model in (route.body, route.query) if model is not Nothing}
    inputs -= {RawMessage}
    answers = {route.answer for route in routes if route.answer} | {Problem}
    wanted = [(model, "validation") for model in sorted(inputs, key=lambda m: m.__name__)]
    wanted += [(model, "serialization") for model in sorted(answers, key=lambda m: m.__name__)]
    _, schema = models_json_schema(wanted, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


def _operation(route: Route, definitions: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [
            *_path_parameters(route.path),
            *_query_parameters(route.query, definitions),
            *([_IF_MATCH] if _OUTDATED in route.problems else []),
            *([_IDEMPOTENCY_KEY] if _is_repeatable(route) else []),
        ],
        "responses": {str(route.status): _success(route), **_failures(route)},
    }
    operation["security"] = [] if route.public else [{"apiKey": [route.scope] if route.scope else []}]
    if route.body is not Nothing:
        required = any(field.is_required() for field in route.body.model_fields.values())
        content = _content(route.body)
        operation["requestBody"] = {"required": required, "content": content}
    return operation


def _is_repeatable(route: Route) -> bool:
    return route.method == "POST" and not route.public


def _content(body: type[BaseModel]) -> dict[str, Any]:
    if issubclass(body, RawMessage):
        return {media_type: {} for media_type in body.MEDIA_TYPES}
    return {"application/json": _schema(body)}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(model: type[BaseModel], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if model is Nothing:
        return []
    described = definitions[model.__name__]
    required = described.get("required", ())
    return [
        {"name": name, "in": "query", "schema": schema, **({"required": True} if name in required else {})}
        for name, schema in described["properties"].items()
    ]


def _success(route: Route) -> dict[str, Any]:
    if route.public and route.answer is None:
        return {"description": "Done.", "content": {route.media_type: {}}}
    if route.answer is None:
        return {"description": "Done."}
    return {"description": "Done.", "content": {"application/json": _schema(route.answer)}}


def _failures(route: Route) -> dict[str, Any]:
    if route.public:
        content: dict[str, Any] = {route.media_type: {}}
        return {str(s): {"description": _OF_A_LINK[s], "content": content} for s in route.problems}
    statuses = {*_ALWAYS, *route.problems, *(_WITH_BODY if route.body is not Nothing else ())}
    if is_list(route.query):
        statuses.add(400)
    if _is_repeatable(route):
        statuses.add(409)
    if "{" in route.path:
        statuses.add(404)
    content = {CONTENT_TYPE: _schema(Problem)}
    return {str(s): {"description": _TITLES[s], "content": content} for s in sorted(statuses)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
