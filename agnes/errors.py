"""What can go wrong with a whole installation, as operators meet it.

AgnesError
├── BackupExists           the file that a backup is to be written to is there already
├── BackupFailed           a backup could not be written
├── MigrationsWait         the database is of an older version than this Agnes
├── NoBackup               a file is no backup of Agnes
├── BackupDamaged          a backup is not as it was written
├── BackupTooNew           a newer version of Agnes made a backup
├── BackupTooOld           a backup needs an older schema, for which the installation must be empty
├── InstallationNotEmpty   a backup would be mixed with what is there
├── WorkerRuns             a task worker works on what is to be replaced
├── RestoreFailed          what a backup holds could not be brought in; nothing has changed
└── UnknownCheck           (health.views) no check of /readyz has this name
"""

from pathlib import Path

from accounts.errors import AgnesError


class BackupExists(AgnesError):
    status = 409
    code = "backup_exists"

    def __init__(self, path: Path, what: str = "is there already") -> None:
        super().__init__(f"{path} {what}.", "Choose another name: backups are never overwritten.")


class BackupFailed(AgnesError):
    status = 503
    code = "backup_failed"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The backup could not be written to {path}: {reason.rstrip('.')}. Nothing is left of it.",
            "See that the folder is there, may be written to and has space.",
        )


class MigrationsWait(AgnesError):
    status = 409
    code = "migrations_wait"

    def __init__(self) -> None:
        super().__init__(
            "The database is of an older version of Agnes.", "Run `manage.py migrate`, then try again."
        )


class NoBackup(AgnesError):
    status = 422
    code = "no_backup"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is no backup of Agnes: {reason}.", "Name a file that `manage.py backup` made."
        )


class BackupDamaged(AgnesError):
    status = 422
    code = "backup_damaged"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is damaged: {reason}.",
            "Copy it again from where it was made, or take another backup. Nothing was changed.",
        )


class BackupTooNew(AgnesError):
    status = 422
    code = "backup_too_new"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} was made by a newer version of Agnes: {reason}.", "Update Agnes here, then try again."
        )


class BackupTooOld(AgnesError):
    status = 422
    code = "backup_too_old"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The backup was made by an older version of Agnes: {reason}.",
            "Restore it into an empty installation (a new AGNES_DATA_DIR, or a new database); if that fails "
            "as well, restore it with the version that made it, and update that.",
        )


class InstallationNotEmpty(AgnesError):
    status = 409
    code = "not_empty"

    def __init__(self, found: dict[str, int]) -> None:
        what = ", ".join(f"{count} {name}" for name, count in found.items())
        super().__init__(
            f"This installation is not empty: it has {what}.",
            "Restore into a new AGNES_DATA_DIR or a new database; or add --replace, which first removes "
            "everything that is here.",
        )


class WorkerRuns(AgnesError):
    status = 409
    code = "worker_runs"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"A task worker runs on {host}.",
            "Stop Agnes on all machines, wait a minute and a half, for which a worker that was stopped still "
            "counts as running, and try again.",
        )


class RestoreFailed(AgnesError):
    status = 503
    code = "restore_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The backup was not restored: {reason.rstrip('.')}. Nothing has changed.",
            "Cure that and try again; if the backup itself is at fault, `manage.py verify` says so.",
        )
