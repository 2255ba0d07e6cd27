from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and access"

    def ready(self) -> None:
        from accounts import audit_triggers, log_context, signals

        post_migrate.connect(audit_triggers.install_after_migrate, sender=self)
        signals.connect()
        log_context.connect()
