"""The route that describes all routes."""

from functools import cache
from typing import Any

from chalice import Blueprint
from pydantic import RootModel

from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import ROUTES, route

description = Blueprint(__name__)

VERSION = "0.1.0"


class OpenApi(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


@route(description, "GET", "/openapi.json", Nothing, Nothing, OpenApi)
def read_openapi(call: Call[Nothing, Nothing]) -> OpenApi:  # noqa: ARG001
    """Read this description of the API."""
    return _document()


@cache
def _document() -> OpenApi:
    return OpenApi(openapi_document(ROUTES, VERSION))
