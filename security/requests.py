"""Requests that the served OpenAPI document takes, made from it.

A new route is walked without anybody writing it down here. Only what a schema can't tell is: HINTS says which
text is good for a field of that name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

HINTS: Mapping[str, Any] = {
    "address": "stranger@example.com",
    "any_of": ["vip"],
    "domain": "owner.example",
    "email": "somebody@example.com",
    "emails": ["somebody@example.com"],
    "addresses": ["somebody@example.com"],
    "from_address": "news@owner.example",
    "host": "mail.example.com",
    "port": 993,
    "ses": {"identity": "owner.example"},
    "time_zone": "Europe/Berlin",
    "start_date": "2098-01-01",
    "end_date": "2099-12-31",
    "start_time": "09:00",
    "end_time": "18:00",
    "to": "somebody@example.com",
}
_ALWAYS_GIVEN = {"create_line": ("ses",)}
"""What a route needs although its schema calls it optional."""

MAIL = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Hello\r\n\r\nHello.\r\n"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document describes it."""

    method: str
    path: str
    described: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name in the document."""
        return str(self.described["operationId"])

    @property
    def is_public(self) -> bool:
        """Whether it needs no key."""
        return self.described.get("security") == []

    @property
    def scope(self) -> str | None:
        """The scope that a caller needs, if the document names one."""
        needed = self.described.get("security") or [{}]
        return next((scope for scopes in needed[0].values() for scope in scopes), None)

    def ids(self) -> list[str]:
        """The names of the path's parameters."""
        return [p["name"] for p in self.described["parameters"] if p["in"] == "path"]

    def address(self, ids: Mapping[str, str]) -> str:
        """The path for some ids, with the query that the route needs."""
        given = [p for p in self.described["parameters"] if p["in"] == "query" and p.get("required")]
        query = "&".join(f"{p['name']}={quote(str(self._value(p['schema'], p['name'], ids)))}" for p in given)
        path = self.path.format(**{name: quote(ids[name], safe="") for name in self.ids()})
        return f"{path}?{query}" if query else path

    def body(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """What to send: keyword arguments of `Api.call`."""
        content = self.described.get("requestBody", {}).get("content", {})
        if not content:
            return {}
        if "application/json" not in content:
            return {"raw": MAIL, "headers": {"Content-Type": next(iter(content))}}
        schema = self._resolved(content["application/json"]["schema"])
        wanted = (*schema.get("required", ()), *_ALWAYS_GIVEN.get(self.name, ()))
        properties = schema.get("properties", {})
        return {"body": {name: self._value(properties[name], name, ids) for name in wanted}}

    def ids_in_body(self, ids: Mapping[str, str]) -> Iterator[str]:
        """The names of ids that the body may hold."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema = self._resolved(content.get("application/json", {}).get("schema", {}))
        properties = schema.get("properties", {})
        yield from (n for n in properties if n.removesuffix("s") in ids and "_id" in n)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _value(self, schema: Mapping[str, Any], name: str, ids: Mapping[str, str]) -> Any:
        if name in ids:
            return ids[name]
        if name.removesuffix("s") in ids and name.endswith("s"):
            return [ids[name.removesuffix("s")]]
        if name in HINTS:
            return HINTS[name]
        schema = self._resolved(schema)
        for choices in ("anyOf", "oneOf", "allOf"):
            if choices in schema:
                return self._value(schema[choices][0], name, ids)
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        return self._of_type(schema, name, ids)

    def _of_type(self, schema: Mapping[str, Any], name: str, ids: Mapping[str, str]) -> Any:
        match schema.get("type"):
            case "object":
                properties = schema.get("properties", {})
                return {each: self._value(properties[each], each, ids) for each in schema.get("required", ())}
            case "array":
                return [self._value(schema["items"], name.removesuffix("s"), ids)]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        return "a text that is long enough"[: schema.get("maxLength", 26)]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All routes of a document, in its order."""
    return [
        Operation(method.upper(), path, described, document)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
