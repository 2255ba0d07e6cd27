from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0004_served_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="storeversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("held", "held"),
                    ("published", "published"),
                    ("refused", "refused"),
                    ("superseded", "superseded"),
                    ("withdrawn", "withdrawn"),
                ],
                max_length=10,
            ),
        ),
    ]
