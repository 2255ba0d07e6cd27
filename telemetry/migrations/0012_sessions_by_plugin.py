from django.db import migrations, models


def place_items(apps, schema_editor):
    schema_editor.execute(
        """
        UPDATE usage_session_items SET listed_at = (
            SELECT listed_at FROM session_transcripts
            WHERE session_transcripts.session_file = usage_session_items.main_file
        )
        """
    )


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0011_begun_by")]

    operations = [
        migrations.AddField(
            model_name="usagesessionitem",
            name="listed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(place_items, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="usagesessionitem",
            index=models.Index(
                fields=["source", "ref_id", "-listed_at", "main_file"], name="usage_session_items_listed"
            ),
        ),
        migrations.AddIndex(
            model_name="usagesessionsummary",
            index=models.Index(
                condition=models.Q(("agent_id", ""), ("tool_errors__gt", 0)),
                fields=["user", "-started_at", "-id"],
                name="usage_session_summary_failed",
            ),
        ),
    ]
