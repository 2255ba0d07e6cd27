"""Where the lake lies: a local folder, or a bucket that speaks S3."""

from pathlib import Path

from django.conf import settings

# A store that does not answer is given up soon: the next publish tries again, and SQLite's writers wait.
PATIENCE = {"max_retries": "2", "retry_timeout": "10s", "connect_timeout": "5s", "timeout": "20s"}


def is_remote() -> bool:
    return settings.LAKE_URL.startswith("s3://")


def table_url(table: str) -> str:
    return f"{settings.LAKE_URL.rstrip('/')}/{table}"


def storage_options() -> dict[str, str]:
    """What `deltalake` needs to reach it; empty for a folder."""
    return {**PATIENCE, **settings.LAKE_STORAGE_OPTIONS} if is_remote() else {}


def prepare() -> None:
    """Make the folder, which nobody else may look into."""
    if not is_remote():
        Path(settings.LAKE_URL).mkdir(mode=0o700, parents=True, exist_ok=True)


def is_lost() -> bool:
    """Whether the folder is gone, as far as can be told without asking another machine."""
    return not is_remote() and not Path(settings.LAKE_URL).is_dir()


def cache_folder() -> Path:
    """Copies of a remote lake's files, since DuckDB reads local ones only."""
    return Path(settings.DATA_DIR) / "lake-cache"
