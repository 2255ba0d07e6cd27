"""The page /api/docs, rendered here: Swagger's own page needs scripts and styles our CSP forbids."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class DocumentedOperation:
    method: str
    path: str
    summary: str
    description: SafeString
    needs_sign_in: bool
    parameters: list[dict[str, Any]]
    body: list[str]
    body_description: SafeString
    responses: list[tuple[str, SafeString]]
    examples: list[str]


class ServerRenderedDocs(DocsBase):
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema(path_params=kwargs)
        return render(
            request,
            "api_docs.html",
            {"operations": operations(schema), "openapi_url": self.get_openapi_url(api, kwargs)},
        )


def operations(schema: dict[str, Any]) -> list[DocumentedOperation]:
    return [
        _operation(method.upper(), path, details)
        for path, methods in sorted(schema["paths"].items())
        for method, details in methods.items()
    ]


def _operation(method: str, path: str, details: dict[str, Any]) -> DocumentedOperation:
    body = details.get("requestBody", {})
    return DocumentedOperation(
        method=method,
        path=path,
        summary=details.get("summary", ""),
        description=as_html(details.get("description", "")),
        needs_sign_in=bool(details.get("security")),
        parameters=[_parameter(parameter) for parameter in details.get("parameters", [])],
        body=sorted(body.get("content", {})),
        body_description=as_html(body.get("description", "")),
        responses=sorted(
            (str(code), inline(it.get("description", ""))) for code, it in details["responses"].items()
        ),
        examples=[example["source"] for example in details.get("x-codeSamples", [])],
    )


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "required": parameter.get("required", False),
        "type": schema.get("type") or " or ".join(it.get("type", "…") for it in schema.get("anyOf", [])),
        "choices": schema.get("enum", []),
        "default": schema.get("default"),
        "description": inline(parameter.get("description") or schema.get("description", "")),
    }


def as_html(text: str) -> SafeString:
    """Paragraphs and `code`: what descriptions use of Markdown."""
    paragraphs = (inline(part) for part in text.split("\n\n") if part.strip())
    return format_html_join("", "<p>{}</p>", ((paragraph,) for paragraph in paragraphs))


def inline(text: str) -> SafeString:
    return mark_safe(CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()))))
