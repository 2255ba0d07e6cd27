"""The tables of the marketplaces as others rely on them, on a database that was migrated from nothing."""

from django.db.backends.base.base import BaseDatabaseWrapper

from telemetry.tests.test_schema import fresh, migrate  # noqa: F401

OURS = ("marketplace", "store_")
COLUMNS = {
    "marketplaces": """
        id slug url ref token_env state error attempted_at synced_at commit name former_names description
        owner findings created_at
    """,
    "marketplace_sync_leases": "id holder expires_at marketplace_id",
    "marketplace_plugins": """
        id name ref_id namespace namespace_assumed former_namespaces display_name description version author
        homepage repository license category keywords source_kind source_url source_ref source_sha source_path
        source_command entry readme readme_is_cut components_known executables does_not_load notes digest
        first_seen_at updated_at valid_to marketplace_id renamed_to_id source
    """,
    "marketplace_components": """
        id kind name canonical_id identifiers path description details position valid_to plugin_id
    """,
    "marketplace_plugin_versions": "id version commit seen_at plugin_id",
    "marketplace_reattributions": "id created_at done_to",
    "marketplace_reattribution_identifiers": "id identifier reattribution_id",
    "marketplace_served_names": "id name plugin_id",
    "store_entities": """
        id slug kind state description created_at taken_down_at owner_id plugin_id served_id
    """,
    "store_versions": """
        id number version digest pack size state findings uploaded_at published_at entity_id uploaded_by_id
    """,
    "store_verdicts": "id verdict reason at by_id store_version_id",
    "store_stack_items": "id added_at plugin_id user_id",
}
UNIQUE = {
    "marketplaces": ["slug"],
    "marketplace_sync_leases": ["marketplace_id"],
    "marketplace_plugins": ["marketplace_id name", "name", "ref_id"],
    "marketplace_components": ["plugin_id kind canonical_id"],
    "marketplace_plugin_versions": ["plugin_id version"],
    "marketplace_served_names": ["name", "plugin_id"],
    "store_entities": ["plugin_id", "served_id", "slug"],
    "store_versions": ["entity_id number", "entity_id state"],
    "store_stack_items": ["user_id plugin_id"],
}


def assert_as_written(database: BaseDatabaseWrapper) -> None:
    with database.cursor() as cursor:
        tables = {name for name in database.introspection.table_names(cursor) if name.startswith(OURS)}
        assert tables == COLUMNS.keys()
        for table, columns in COLUMNS.items():
            described = database.introspection.get_table_description(cursor, table)
            # SQLite puts the columns of a remade table into another order.
            assert sorted(column.name for column in described) == sorted(columns.split()), table
            constraints = database.introspection.get_constraints(cursor, table).values()
            unique = sorted(
                " ".join(one["columns"]) for one in constraints if one["unique"] and not one["primary_key"]
            )
            assert unique == sorted(UNIQUE.get(table, [])), table


def test_every_table_and_column_is_there(fresh: BaseDatabaseWrapper):  # noqa: F811
    assert_as_written(fresh)


def test_migrations_run_backwards_and_forwards_again(fresh: BaseDatabaseWrapper):  # noqa: F811
    migrate("marketplace", "zero")
    with fresh.cursor() as cursor:
        left = fresh.introspection.table_names(cursor)
    assert not [name for name in left if name.startswith(OURS)]
    migrate()
    assert_as_written(fresh)
