from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0010_dirty_days_marked_at")]

    operations = [
        migrations.AddField(
            model_name="retentionstate",
            name="begun_by",
            field=models.BigIntegerField(blank=True, null=True),
        ),
    ]
