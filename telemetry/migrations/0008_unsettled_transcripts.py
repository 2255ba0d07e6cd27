from django.conf import settings
from django.db import migrations, models

# The processors of then.
PROCESSORS = ("usage", "verification")


def settle(apps, schema_editor):
    """What every processor has done in its revision, or given up."""
    transcripts = apps.get_model("telemetry", "SessionTranscript").objects.order_by()
    states = apps.get_model("telemetry", "SessionProcessorState").objects.filter(
        models.Q(processed_at__isnull=False) | models.Q(attempts__gte=3),
        session_file=models.OuterRef("session_file"),
        revision=models.OuterRef("revision"),
    )
    for name in PROCESSORS:
        transcripts = transcripts.filter(models.Exists(states.filter(processor_name=name)))
    transcripts.update(is_unsettled=False)


class Migration(migrations.Migration):
    dependencies = [
        ("telemetry", "0007_ask_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="sessiontranscript",
            name="is_unsettled",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddIndex(
            model_name="sessiontranscript",
            index=models.Index(
                condition=models.Q(("is_unsettled", True)),
                fields=["updated_at"],
                name="session_transcripts_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="sessiontranscript",
            index=models.Index(
                condition=models.Q(("is_unsettled", True)),
                fields=["owner"],
                name="session_transcripts_unsettled",
            ),
        ),
        migrations.RunPython(settle, migrations.RunPython.noop, elidable=True),
    ]
