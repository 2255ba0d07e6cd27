import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telemetry", "0009_maintenance"),
    ]

    operations = [
        migrations.AddField(
            model_name="usagedirtyday",
            name="marked_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
    ]
