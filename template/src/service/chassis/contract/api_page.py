"""/docs in development: the OpenAPI document to read, without scripts and without the internet."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.chassis.contract.guards import public

router = APIRouter(dependencies=[public("in development only; shows no data")])
STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "summary{cursor:pointer;padding:.4rem 0}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}"
    "code,b{font-family:ui-monospace,monospace}b{display:inline-block;min-width:4.5rem}"
    "details>*:not(summary){margin-left:1.5rem}"
)
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# A row of a table, as HTML already.
Row = tuple[str, str, str, str]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BOUNDS = ("const", "enum", "format", "minLength", "maxLength", "minimum", "maximum")


@router.get("/docs", include_in_schema=False)
async def show(request: Request) -> HTMLResponse:
    """Rendered when asked for, so that it shows what is served."""
    html = page(request.app.openapi())
    return HTMLResponse(html, headers={"content-security-policy": POLICY})


def page(document: Mapping[str, Any]) -> str:
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>",
        f"<p>{escape(document['info'].get('description', ''))}</p>",
        "<p>For machines: <a href=/openapi.json>/openapi.json</a></p><h2>Routes</h2>",
        *_operations(document["paths"]),
        "<h2>Shapes</h2>",
        *(_shape(*named) for named in sorted(document["components"]["schemas"].items())),
    ]
    return "\n".join(parts)


def _operations(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method in METHODS:
            if method in methods:
                yield _operation(method, path, methods[method])


def _operation(method: str, path: str, said: Mapping[str, Any]) -> str:
    summary = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {_text(said, 'summary')}"
    taken = list(_parameters(said))
    if "requestBody" in said:
        taken += _bodies(said["requestBody"], "body")
    answered = [
        row for status, answer in said["responses"].items() for row in _bodies(answer, status)
    ]
    tables = _table("It takes", taken) + _table("It answers", answered)
    return _fold(summary, f"<p>{_text(said, 'description')}</p>{tables}")


def _parameters(said: Mapping[str, Any]) -> Iterator[Row]:
    for each in said.get("parameters", ()):
        must = "required" if each.get("required") else ""
        yield escape(each["name"]), escape(each["in"]), _kind(each.get("schema", {})), must


def _bodies(said: Mapping[str, Any], name: str) -> Iterator[Row]:
    for media, content in said.get("content", {"": {}}).items():
        kind = _kind(content["schema"]) if "schema" in content else ""
        yield escape(name), escape(media), kind, _text(said, "description")


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    fields = [
        (escape(field), _kind(said), _text(said, "description"), "required" * (field in required))
        for field, said in schema.get("properties", {}).items()
    ]
    inside = _table("Fields", fields) or f"<p>{_kind(schema)}</p>"
    return _fold(f"<code id='{escape(name)}'>{escape(name)}</code>", inside)


def _kind(schema: Mapping[str, Any]) -> str:
    """A word for a type, or a link to the shape of that name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(map(_kind, schema[choice]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = [f"{name} {schema[name]}" for name in BOUNDS if name in schema]
    return escape(", ".join([str(schema.get("type", "anything")), *bounds]))


def _text(said: Mapping[str, Any], name: str) -> str:
    return escape(said.get(name, ""))


def _fold(summary: str, inside: str) -> str:
    return f"<details><summary>{summary}</summary>{inside}</details>"


def _table(title: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    return f"<table><tr><th colspan=4>{title}{lines}</table>"
