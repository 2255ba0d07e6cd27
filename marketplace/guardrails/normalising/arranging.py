"""Every upload becomes one plugin whose name is its slug (docs/PLUGINS.md: names)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from marketplace.guardrails import limits
from marketplace.guardrails.archives.source_file import SourceFile
from marketplace.guardrails.citing import cited, reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.normalising.classifying import SKILL_FILE, Classified, classify
from marketplace.guardrails.normalising.slugs import slug_from
from marketplace.guardrails.normalising.texts import as_text
from marketplace.guardrails.records import Kind
from marketplace.plugins.errors import DoesNotLoad
from marketplace.plugins.front_matter import split_front_matter
from marketplace.plugins.json_files import NotJson, decode_json
from marketplace.plugins.manifest import MANIFEST, checked_manifest
from marketplace.plugins.merging import MARKETPLACE
from marketplace.plugins.text import first_paragraph
from marketplace.plugins.values import as_description, as_object
from marketplace.plugins.values import as_text as as_word

_FOLDERS = {Kind.SKILL: "skills", Kind.COMMAND: "commands", Kind.AGENT: "agents"}
_FIX_JSON = "Correct the file; `claude plugin validate` tells where it is wrong."


@dataclass(frozen=True, slots=True)
class Arranged:
    """`files` by their path in the plugin; those that the server wrote read from memory."""

    kind: Kind
    slug: str
    files: dict[str, SourceFile]
    notes: list[str] = field(default_factory=list)


def arrange(
    tree: dict[str, SourceFile], fallback_name: str, wanted_kind: Kind | None, wanted_name: str
) -> Arranged:
    """`fallback_name` is that of what was uploaded, for what does not name itself. Raises Refused."""
    notes = _without_marketplace(tree)
    texts = {
        path: _text(file) for path, file in tree.items() if "/" not in path and path.lower().endswith(".md")
    }
    classified = classify(tree, texts, wanted_kind)
    if wanted_kind not in (None, classified.kind):
        notes.append(f"It was taken for a {classified.kind}, which its files say, not for a {wanted_kind}.")
    if classified.main is None:
        return _plugin(tree, fallback_name, wanted_name, notes)
    return _single(tree, classified, texts[classified.main], fallback_name, wanted_name, notes)


def _text(file: SourceFile) -> str:
    text = as_text(file.read())
    if text is None:
        cure = "Save it as plain text in UTF-8."
        raise Refused([reject("not_text", "It is called .md and holds no text.", cure, file.name)])
    return text


def _without_marketplace(tree: dict[str, SourceFile]) -> list[str]:
    """A marketplace.json says nothing here, but what it would run on the client is refused, not dropped."""
    file = tree.pop(MARKETPLACE, None)
    if file is None:
        return []
    entries = as_object(_json(file)).get("plugins")
    for entry in entries if isinstance(entries, list) else []:
        if as_object(as_object(entry).get("source")).get("source") == "command":
            text = "A plugin's source is a command that runs on the client."
            raise Refused([reject("source_command", text, "Upload the plugin itself.", MARKETPLACE)])
    return ["marketplace.json is left out: a plugin is listed by this server."]


def _json(file: SourceFile) -> Any:
    if file.size > limits.CONFIGURATION_BYTES:
        text = f"It has {file.size} bytes."
        cure = f"Keep it under {limits.CONFIGURATION_BYTES} bytes."
        raise Refused([reject("file_too_large", text, cure, file.name)])
    try:
        return decode_json(file.read())
    except NotJson as error:
        text = f"It is not valid JSON: {error}"
        raise Refused([reject("json_invalid", text, _FIX_JSON, file.name)]) from None


def _plugin(tree: dict[str, SourceFile], fallback: str, wanted: str, notes: list[str]) -> Arranged:
    source = tree.get(MANIFEST)
    if source is None:
        slug = slug_from(wanted, [fallback])
        return Arranged(Kind.PLUGIN, slug, tree | {MANIFEST: _generated({"name": slug})}, notes)
    try:
        manifest = checked_manifest(_json(source), MANIFEST)
    except DoesNotLoad as error:
        raise Refused([reject("does_not_load", f"{error}.", _FIX_JSON, MANIFEST)]) from None
    slug = slug_from(wanted, [manifest["name"]])
    if manifest["name"] == slug:
        return Arranged(Kind.PLUGIN, slug, tree, notes)
    notes.append(f"Its name in plugin.json was {cited(manifest['name'], 80)}; it is now {slug}.")
    return Arranged(Kind.PLUGIN, slug, tree | {MANIFEST: _generated(manifest | {"name": slug})}, notes)


def _generated(manifest: Mapping[str, Any]) -> SourceFile:
    content = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
    return SourceFile(MANIFEST, len(content), False, lambda: content)


def _single(
    tree: dict[str, SourceFile],
    classified: Classified,
    text: str,
    fallback: str,
    wanted: str,
    notes: list[str],
) -> Arranged:
    kind, main = classified
    assert main is not None
    page = split_front_matter(text)
    stem = "" if kind is Kind.SKILL and main.casefold() == SKILL_FILE.casefold() else PurePosixPath(main).stem
    slug = slug_from(wanted, [as_word(page.values.get("name")) or "", stem, fallback])
    description = as_description(page.values.get("description")) or first_paragraph(page.body[:4000])
    manifest = {"name": slug, "description": description[: limits.DESCRIPTION_CHARACTERS]}
    files = {_place(kind, slug, main, path): file for path, file in tree.items()}
    return Arranged(kind, slug, {MANIFEST: _generated(manifest), **files}, notes)


def _place(kind: Kind, slug: str, main: str, path: str) -> str:
    """A skill is a folder, and all that came with it stays beside it. The other kinds are one file."""
    if kind is Kind.SKILL:
        return f"skills/{slug}/{SKILL_FILE if path == main else path}"
    return f"{_FOLDERS[kind]}/{slug}.md" if path == main else path
