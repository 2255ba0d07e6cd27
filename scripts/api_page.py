"""Write docs/API.md anew, from the OpenAPI description that the server gives at /api/openapi.json.

make docs   (python -m scripts.api_page)

What stands above the mark is written by people, and stays.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "API.md"
MARK = "<!-- made by `make docs` from here on -->\n"
NULL = {"type": "null"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
    django.setup()
    PAGE.write_text(written_anew(PAGE.read_text()))


def written_anew(page: str) -> str:
    by_people, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"{PAGE.name} has lost its line {MARK.strip()}")
    return f"{by_people}{mark}\n{reference()}"


def reference() -> str:
    from agnes.api import api
    from agnes.openapi import MEANINGS

    description = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))
    operations = [
        (path, method, details)
        for path, methods in description["paths"].items()
        for method, details in methods.items()
    ]
    meanings = "".join(f"| {status} | {meaning} |\n" for status, meaning in sorted(MEANINGS.items()))
    sections: dict[str, list[str]] = {}
    for path, method, details in operations:
        lines = list(operation_lines(path, method, details, MEANINGS))
        sections.setdefault(details["tags"][-1], []).append("\n".join(lines))
    schemas = description["components"]["schemas"]
    return "\n".join(
        [
            f"| Status | Meaning |\n|---|---|\n{meanings}",
            *(f"## {capital(tag)}\n\n" + "\n".join(texts) for tag, texts in sections.items()),
            "## Objects\n",
            *("\n".join(schema_lines(name, schemas[name])) for name in sorted(schemas) if name != "Error"),
        ]
    )


def operation_lines(
    path: str, method: str, details: dict[str, Any], meanings: dict[int, str]
) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    yield f"**{details['summary']}.** {details.get('description', '')}".rstrip() + "\n"
    if details["parameters"]:
        yield "| Parameter | In | Type | |\n|---|---|---|---|"
        yield from (parameter_row(parameter) for parameter in details["parameters"])
        yield ""
    if body := details.get("requestBody"):
        yield f"* Body: {body_words(body)}"
    errors = []
    for status, answer in details["responses"].items():
        if int(status) < 400:
            yield f"* {status}: {answer_words(answer)}"
        elif answer["description"] == meanings[int(status)]:
            errors.append(status)
        else:
            yield f"* {status}: {answer['description']}"
    yield f"* Errors: {', '.join(errors)}.\n"


def parameter_row(parameter: dict[str, Any]) -> str:
    words = parameter.get("description", "")
    schema = parameter["schema"]
    default = schema.get("default")
    if default not in (None, "", False) and "default" not in words:
        words = f"{words}; default {default}".removeprefix("; ")
    needed = "" if parameter["in"] == "path" or not parameter["required"] else ", needed"
    return f"| `{parameter['name']}` | {parameter['in']}{needed} | {kind(schema)} | {cell(words)} |"


def body_words(body: dict[str, Any]) -> str:
    kinds = ", ".join(content_words(body["content"]))
    return f"{kinds}. {body['description']}" if body.get("description") else f"{kinds}."


def answer_words(answer: dict[str, Any]) -> str:
    words = answer.get("description", "")
    kinds = ", ".join(content_words(answer.get("content", {})))
    return f"{words.rstrip('.')}: {kinds}." if kinds else f"{words.rstrip('.')}."


def content_words(content: dict[str, Any]) -> Iterator[str]:
    for content_type, body in content.items():
        schema = body.get("schema", {})
        shown = kind(schema) if content_type == "application/json" else f"`{content_type}`"
        yield "`application/json`" if shown == "bytes" else shown


def schema_lines(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if schema.get("description"):
        yield f"{schema['description']}\n"
    if "enum" in schema:
        yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n"
        return
    needed = schema.get("required", [])
    yield "| Field | Type | |\n|---|---|---|"
    for field, details in schema.get("properties", {}).items():
        words = details.get("description", "") or ("" if field in needed else "may be left out")
        yield f"| `{field}` | {kind(details)} | {cell(words)} |"
    yield ""


def kind(schema: dict[str, Any]) -> str:
    """In a few words: `list of Item`, `integer or null`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("allOf"):
        null = " or null" if NULL in choices else ""
        return " or ".join(kind(choice) for choice in choices if choice != NULL) + null
    if schema.get("format") == "binary":
        return "bytes"
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def cell(words: str) -> str:
    return " ".join(words.split()).replace("|", r"\|")


def capital(words: str) -> str:
    return words[0].upper() + words[1:]


if __name__ == "__main__":
    main()
