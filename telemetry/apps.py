from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"

    def ready(self) -> None:
        from telemetry import checks, usernames
        from telemetry.viewing import index_files

        checks.register()
        usernames.connect()
        index_files.connect()
