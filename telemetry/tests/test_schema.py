"""The tables as others rely on them, on a database that was migrated from nothing, backwards, and again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# The columns of each table, in their order but for foreign keys, which Django adds last.
COLUMNS = {
    "accounts_user": """
        id password last_login is_superuser email name time_zone is_staff is_active date_joined erased_at
    """,
    "accounts_access_token": """
        id name key_id secret_hmac scopes created_at expires_at last_used_at revoked_at user_id
    """,
    "accounts_failed_sign_ins": "id key failures until",
    "erasures": "id person account_hash email_hash begun_at finished_at removed",
    "accounts_login_code": "id code_hash challenge name scopes expires_at user_id",
    "audit_log": "id at actor action target params result client_kind request_id",
    "session_transcripts": """
        id session_id agent_id session_file first_at last_at client_version revision received_at updated_at
        owner_id listed_at is_unsettled content_removed_at
    """,
    "session_transcript_parts": """
        id uploaded_name raw_bytes stored_bytes sha256 superseded first_at fingerprint received_at
        transcript_id
    """,
    "session_processor_state": """
        id processor_name session_file username processed_at items_extracted revision processor_version
        attempts last_error
    """,
    "session_processor_claims": "id processor_name holder expires_at user_id",
    "processing_wakeup": "id queued_at",
    "usage_retention": "id pruned_before finished_at removed begun_by",
    "usage_reprocess": "id mode begun_at after until finished_at",
    "withheld_sessions": "id session_id reason at fingerprint cleaned_at user_id readmitted_at",
    "doomed_files": "id key at",
    "usage_dirty_days": "id day purge marked_at",
    "publishing_state": "id as_of windows_day error",
    "lake_snapshot": "id lake_id versions schema is_complete vacuumed_at rebuilding_since purged_at",
    "publishing_lease": "id what holder expires_at",
    "verification_findings": "id session_file kind detail count",
    "usage_events": """
        id session_id session_file agent_id username event_uuid parent_uuid event_type tool_name skill_name
        subagent_type command_name invoked_by is_builtin is_error error_kind source ref_id component_kind
        component_name evidence_marketplace evidence_plugin evidence_version model cwd git_branch cli_version
        occurred_at processor_version extracted_at user_id
    """,
    "usage_messages": """
        id message_id session_file agent_id model input_tokens output_tokens cache_read_tokens
        cache_creation_tokens occurred_at skill_name source ref_id user_id
    """,
    "usage_session_summary": """
        id session_file session_id agent_id username started_at ended_at active_seconds wall_seconds
        user_messages programmatic_prompts assistant_messages tool_calls tool_errors skill_invocations
        subagent_dispatches mcp_calls slash_commands distinct_tools distinct_skills primary_model
        input_tokens output_tokens cache_read_tokens cache_creation_tokens rejections interruptions cancelled
        unanswered api_errors api_retries server_tool_calls builtin_commands events compactions lines
        malformed_lines cwd cli_version processor_version extracted_at user_id
    """,
    "usage_session_items": "id session_file main_file source ref_id invocations listed_at",
    "usage_tool_daily": """
        id day tool_name source invocations error_count distinct_users distinct_sessions
    """,
    "usage_plugin_daily": """
        id day source ref_id invocations error_count distinct_users distinct_sessions
    """,
    "usage_component_daily": """
        id day source ref_id component_kind component_name invocations error_count distinct_users
        distinct_sessions
    """,
    "usage_daily": """
        day people sessions messages prompts invocations_curated invocations_flea invocations_builtin errors
        input_tokens output_tokens cache_read_tokens cache_creation_tokens
    """,
    "usage_user_daily": """
        id day tool_name source ref_id invocations error_count input_tokens output_tokens cache_read_tokens
        cache_creation_tokens user_id
    """,
    "usage_plugin_window": """
        id period source ref_id invocations distinct_users previous_invocations refreshed_at
    """,
    **dict.fromkeys(
        (
            "usage_attribution_skills",
            "usage_attribution_agents",
            "usage_attribution_commands",
            "usage_attribution_mcp_servers",
        ),
        "id identifier source ref_id component_kind canonical_name valid_to",
    ),
}

# What must be unique beside the id.
UNIQUE = {
    "accounts_user": ["email"],
    "accounts_access_token": ["key_id"],
    "accounts_failed_sign_ins": ["key"],
    "erasures": ["account_hash"],
    "accounts_login_code": ["code_hash"],
    "session_transcripts": ["session_file", "owner_id session_id agent_id"],
    "session_transcript_parts": ["transcript_id sha256"],
    "session_processor_state": ["processor_name session_file"],
    "session_processor_claims": ["processor_name user_id"],
    "verification_findings": ["session_file kind detail"],
    "usage_messages": ["user_id message_id"],
    "usage_session_summary": ["session_file"],
    "usage_session_items": ["session_file source ref_id"],
    "usage_tool_daily": ["day tool_name source"],
    "usage_plugin_daily": ["day source ref_id"],
    "usage_component_daily": ["day source ref_id component_kind component_name"],
    "usage_user_daily": ["day user_id tool_name source ref_id"],
    "usage_plugin_window": ["period source ref_id"],
    "publishing_lease": ["what"],
    "withheld_sessions": ["user_id session_id"],
    "doomed_files": ["key"],
    "usage_attribution_skills": ["source ref_id identifier"],
    "usage_attribution_agents": ["source ref_id identifier"],
    "usage_attribution_commands": ["source ref_id identifier"],
    "usage_attribution_mcp_servers": ["source ref_id identifier"],
}

# Indexes by name; those that Django makes for foreign keys and for unique texts have names of its own.
INDEXES = {
    "accounts_failed_sign_ins": {"accounts_failed_sign_ins_until": "until"},
    "audit_log": {
        "audit_log_at": "at",
        "audit_log_actor_at": "actor at",
        "audit_log_action_at": "action at",
    },
    "session_transcripts": {
        "session_transcripts_listed": "listed_at id",
        "session_transcripts_person": "owner_id listed_at id",
        "session_transcripts_owner_new": "owner_id received_at",
        "session_transcripts_new": "received_at",
        "session_transcripts_session": "session_id",
        "session_transcripts_unsettled": "owner_id",
        "session_transcripts_waiting": "updated_at",
    },
    "session_processor_state": {
        "session_processor_state_file": "session_file",
        "session_processor_state_open": "processor_name attempts",
        "session_processor_state_old": "processor_name processor_version",
    },
    "withheld_sessions": {"withheld_sessions_unclean": "at"},
    "verification_findings": {"verification_findings_kind": "kind detail count id"},
    "usage_events": {
        "usage_events_session_file": "session_file",
        "usage_events_user": "user_id id",
        "usage_events_rare_type": "event_type id",
        "usage_events_source": "source id",
        "usage_events_item": "source ref_id id",
        "usage_events_error": "error_kind id",
        "usage_events_skill": "user_id id",
    },
    "usage_messages": {"usage_messages_session_file": "session_file"},
    "usage_session_summary": {
        "usage_session_summary_user": "user_id started_at",
        "usage_session_summary_start": "started_at",
        "usage_session_summary_model": "primary_model started_at id",
        "usage_session_summary_cwd": "cwd started_at id",
        "usage_session_summary_errors": "started_at id",
        "usage_session_summary_failed": "user_id started_at id",
    },
    "usage_plugin_daily": {"usage_plugin_daily_bars": "source ref_id day invocations"},
    "usage_session_items": {
        "usage_session_items_item": "source ref_id main_file",
        "usage_session_items_listed": "source ref_id listed_at main_file",
    },
    "usage_component_daily": {"usage_component_daily_item": "source ref_id day"},
    "usage_user_daily": {"usage_user_daily_user": "user_id day"},
    "usage_attribution_skills": {"skillattribution_ident": "identifier"},
    "usage_attribution_agents": {"agentattribution_ident": "identifier"},
    "usage_attribution_commands": {"commandattribution_ident": "identifier"},
    "usage_attribution_mcp_servers": {"mcpserverattribution_ident": "identifier"},
}

APPS = ("telemetry", "accounts")


@pytest.fixture
def fresh(django_db_setup: None, django_db_blocker: Any, tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A database of its own, migrated from nothing: going backwards would leave nothing for other tests."""
    with django_db_blocker.unblock():
        name = _create(tmp_path)
        connections.databases["fresh"] = connection.settings_dict | {"NAME": name}
        try:
            migrate()
            yield connections["fresh"]
        finally:
            connections["fresh"].close()
            del connections["fresh"]
            del connections.databases["fresh"]
            _drop(name)


def _create(folder: Path) -> str:
    if connection.vendor == "sqlite":
        return str(folder / "fresh.sqlite3")
    name = f"{connection.settings_dict['NAME']}_fresh"
    _drop(name)
    _run(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    return name


def _drop(name: str) -> None:
    if connection.vendor == "postgresql":
        _run(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")


def _run(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def migrate(*target: str) -> None:
    call_command("migrate", *target, database="fresh", verbosity=0)


class Schema:
    """What stands in a database."""

    def __init__(self, database: BaseDatabaseWrapper) -> None:
        with database.cursor() as cursor:
            self.tables = set(database.introspection.table_names(cursor))
            self.columns = {
                table: [column.name for column in database.introspection.get_table_description(cursor, table)]
                for table in self.tables & COLUMNS.keys()
            }
            self.constraints: dict[str, Any] = {
                table: database.introspection.get_constraints(cursor, table) for table in self.columns
            }

    def unique(self, table: str) -> list[str]:
        found = self.constraints[table].values()
        return sorted(_columns(one) for one in found if one["unique"] and not one["primary_key"])

    def indexes(self, table: str) -> dict[str, str]:
        found = self.constraints[table].items()
        return {
            name: _columns(one)
            for name, one in found
            if one["index"] and not one["unique"] and name in INDEXES.get(table, {})
        }


def _columns(constraint: dict[str, Any]) -> str:
    return " ".join(constraint["columns"])


def assert_as_written(schema: Schema) -> None:
    assert schema.columns.keys() == COLUMNS.keys()
    for table, columns in COLUMNS.items():
        assert schema.columns[table] == columns.split(), table
        assert schema.unique(table) == sorted(UNIQUE.get(table, [])), table
        assert schema.indexes(table) == INDEXES.get(table, {}), table


@pytest.mark.django_db
def test_every_table_column_and_index_is_there():
    assert_as_written(Schema(connection))


@pytest.mark.django_db
def test_the_tables_that_grow_have_no_other_index():
    """Each one costs every insert."""
    schema = Schema(connection)
    for table in ("usage_events", "usage_messages"):
        named = len(INDEXES[table]) + len(UNIQUE.get(table, []))
        others = [
            name
            for name, one in schema.constraints[table].items()
            if (one["index"] or one["unique"]) and not one["primary_key"]
        ]
        assert len(others) == named, others


@pytest.mark.django_db
def test_every_table_of_ours_is_named_here():
    """So that a new one gets its columns checked."""
    prefixes = (
        "usage_", "session_", "processing_", "publishing_", "lake_", "accounts_", "audit_",
        "verification_", "withheld_", "doomed_", "erasures",
    )  # fmt: skip
    many_to_many = {"accounts_user_groups", "accounts_user_user_permissions"}
    ours = {table for table in Schema(connection).tables if table.startswith(prefixes)}
    assert ours - many_to_many == COLUMNS.keys()


def test_migrations_run_backwards_and_forwards_again(fresh: BaseDatabaseWrapper):
    for app in APPS:
        migrate(app, "zero")
    left = Schema(fresh)
    assert left.columns == {}
    assert not {table for table in left.tables if table.startswith("accounts_")}
    migrate()
    assert_as_written(Schema(fresh))
    assert_the_audit_log_is_guarded(fresh)


def assert_the_audit_log_is_guarded(database: BaseDatabaseWrapper) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_log (at, action, target, params, result, client_kind, request_id)"
            " VALUES ('2026-05-01 10:00:00', 'a', '', '{}', 'ok', 'web', '')"
        )
        with pytest.raises(Exception, match="append-only"):
            cursor.execute("DELETE FROM audit_log")
