"""What the API says of itself: ninja's description of each operation, and what holds for all of them.

Routers declare nothing of this: the errors follow from who may call and from what is sent, the needs from the
rules of `accounts.api_auth.auth`. An operation with a further error names its status alone,
`openapi_extra={"responses": {410: {}}}`.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from ninja.openapi.schema import BODY_CONTENT_TYPES, OpenAPISchema
from ninja.operation import Operation
from ninja.security.base import AuthBase

from accounts.api_auth import in_words

STRING = {"type": "string"}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                "code": {**STRING, "description": "The machine's word for it."},
                "message": {**STRING, "description": "What went wrong."},
                "hint": {**STRING, "description": "The next step."},
                "fields": {
                    "type": "object",
                    "additionalProperties": STRING,
                    "description": "What was wrong with which input; absent where it was not the input.",
                },
            },
        }
    },
}
MEANINGS = {
    400: "The body is malformed.",
    401: "Nobody is signed in: no access token or session, or one that no longer holds.",
    403: "A scope, a permission or, with a session, the CSRF token is missing.",
    404: "There is no such thing, or none that you may see.",
    409: "It does not go together with what is there.",
    410: "It was there, and is gone for good.",
    413: "The body is larger than the server takes.",
    415: "The body comes in a form or an encoding that the server does not take.",
    416: "The download has ended before that.",
    422: "The input is wrong; the message says why.",
    429: "Too much in too short a time; Retry-After says when to send it again.",
    502: "Another server, of git or of a model, did not answer as it should; the message says why.",
    504: "The provider of the model did not answer in time.",
    503: "Not at this moment; the message says why, and Retry-After when to send it again.",
    507: "The server's disk is full; the message says what to do.",
}
FILE_NAMES = {"application/x-ndjson": "session.jsonl", "application/json": "body.json"}


class Schema(OpenAPISchema):
    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        permission = _permission(operation)
        if permission:
            details["x-permission"] = permission
        if details.get("security"):
            details["description"] = "\n\n".join(
                filter(None, [details.get("description"), _needs(details["security"], permission)])
            )
        answers = {status: {} for status in _errors(operation, details)} | details["responses"]
        details["responses"] = {
            int(status): _answer(int(status), answers[status]) for status in sorted(answers)
        }
        return details

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        """With the scopes that a token must have, all of them; one entry for each choice of scopes."""
        names = super().operation_security(operation)
        rules = [rule for rule in operation.auth_callbacks if isinstance(rule, AuthBase)]
        return names and [
            dict.fromkeys(scheme, scopes)
            for scheme, rule in zip(names, rules, strict=True)
            for scopes in getattr(rule, "choices", [[]])
        ]

    def get_paths(self) -> dict[str, Any]:
        return {
            path: {
                method: {**details, **_example(method, path, details)} for method, details in methods.items()
            }
            for path, methods in super().get_paths().items()
        }

    def get_components(self) -> dict[str, Any]:
        components: dict[str, Any] = super().get_components()
        return {**components, "schemas": {**components["schemas"], "Error": ERROR}}


def _permission(operation: Operation) -> str:
    permissions = {getattr(rule, "permission", None) for rule in operation.auth_callbacks}
    return ", ".join(sorted(filter(None, permissions)))


def _needs(security: list[dict[str, list[str]]], permission: str) -> str:
    choices = [scopes for scheme in security for scopes in scheme.values() if scopes]
    token = f"an access token with the scope {in_words(choices)}" if choices else "an access token"
    staff = f", of staff with the permission {permission}" if permission else ""
    return f"Needs {token}, or a signed-in browser{staff}."


def _errors(operation: Operation, details: dict[str, Any]) -> Iterator[int]:
    yield from (503, 507)  # api_errors.server_trouble
    if operation.auth_callbacks:
        yield from (401, 403)
    sources = {model.__ninja_param_source__ for model in operation.models}
    if "path" in sources:
        yield 404
    if sources:
        yield 422
    if sources & set(BODY_CONTENT_TYPES):
        yield from (400, 413)
    elif "requestBody" in details:  # raw, which the operation reads itself
        yield from (413, 415, 422)


def _answer(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status < 400:
        return answer
    schema = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {"description": MEANINGS.get(status, ""), "content": {"application/json": schema}, **answer}


def _example(method: str, path: str, details: dict[str, Any]) -> dict[str, Any]:
    source = " \\\n  ".join(_curl(method.upper(), f"{settings.AGNES_URL}{path}", details))
    return {"x-codeSamples": [{"lang": "Shell", "label": "curl", "source": source}]}


def _curl(method: str, url: str, details: dict[str, Any]) -> Iterator[str]:
    yield "curl" if method == "GET" else f"curl --request {method}"
    if details.get("security"):
        yield '--header "Authorization: Bearer $AGNES_TOKEN"'
    for content_type in details.get("requestBody", {}).get("content", {}):
        yield f'--header "Content-Type: {content_type}"'
        yield f"--data-binary @{FILE_NAMES.get(content_type, 'body')}"
    needed = [it["name"] for it in details["parameters"] if it["in"] == "query" and it["required"]]
    yield f'"{url}{"?" if needed else ""}{"&".join(f"{name}=…" for name in needed)}"'
