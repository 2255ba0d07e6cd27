from django.apps import AppConfig


class AgnesConfig(AppConfig):
    name = "agnes"

    def ready(self) -> None:
        from agnes import checks

        checks.register()
