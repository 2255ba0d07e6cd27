from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0012_sessions_by_plugin")]

    operations = [
        migrations.AddField(
            model_name="withheldsession",
            name="readmitted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
