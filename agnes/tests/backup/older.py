"""A backup as an older version of Agnes would have written it."""

import io
from collections import defaultdict
from itertools import islice
from pathlib import Path

import msgspec
import zstandard
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from agnes.backup.archive import ArchiveReader, written
from agnes.backup.format import TABLES, TableNote
from agnes.backup.loading import Chunk

# The last migrations of then; what others had has not changed since.
LAST = [
    ("accounts", "0003_activity_indexes"),
    ("telemetry", "0007_ask_history"),
    ("marketplace", "0004_served_names"),
]
UNCHANGED = ("admin", "auth", "contenttypes", "django_q", "sessions")


def as_of_then(file: Path) -> Path:
    loader = MigrationLoader(connection)
    nodes = LAST + [node for app in UNCHANGED for node in loader.graph.leaf_nodes(app)]
    models = loader.project_state(nodes).apps.get_models(include_auto_created=True)
    columns = {it._meta.db_table: {field.column for field in it._meta.concrete_fields} for it in models}
    reader = ArchiveReader(file)
    manifest = reader.manifest()
    manifest.migrations = defaultdict(list)
    for app, name in sorted({step for node in nodes for step in loader.graph.forwards_plan(node)}):
        manifest.migrations[app].append(name)
    manifest.tables = {}
    older = file.with_name("older.tar")
    with written(older, reader.head) as archive:
        for member in islice(reader.members(), 1, None):
            content = member.stream.read()
            if member.name.startswith(TABLES):
                table = member.name.split("/")[1]
                if table not in columns:
                    continue
                content, rows = _only(columns[table], Chunk(io.BytesIO(content)))  # type: ignore[arg-type]
                manifest.tables[table] = TableNote(rows, 1)
            archive.add_bytes(member.name, content)
        archive.finish(manifest)
    return older


def _only(columns: set[str], chunk: Chunk) -> tuple[bytes, int]:
    """The chunk with these columns, and how many rows it has."""
    places = [place for place, column in enumerate(chunk.header.columns) if column.name in columns]
    chunk.header.columns = [chunk.header.columns[place] for place in places]
    rows = [msgspec.json.decode(line) for line in chunk.lines]
    lines = [msgspec.json.encode(it) for it in (chunk.header, *([row[it] for it in places] for row in rows))]
    return zstandard.compress(b"\n".join(lines) + b"\n"), len(rows)
