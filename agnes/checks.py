"""System checks of the installation: `manage.py check` names what is wrong and how to cure it."""

import ipaddress
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.checks import register as register_check
from django.core.files.storage import default_storage
from django.http.request import validate_host

from accounts.secret_files import why_unusable
from telemetry.errors import StorageUnavailable


def register() -> None:
    register_check(data_folder_is_writable)
    register_check(data_folder_is_closed)
    register_check(secrets_are_long)
    register_check(site_is_reached_by_its_own_name)
    register_check(proxy_is_counted)
    register_check(lake_is_shared)
    register_check(metrics_token_is_long)
    register_check(provider_is_safe)
    register_check(people_are_protected, deploy=True)
    register_check(static_files_are_collected, deploy=True)
    register_check(bucket_is_reached, deploy=True)


def is_of_this_machine(url: str) -> bool:
    """Whether only this machine reaches an address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def data_folder_is_writable(**kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.DATA_DIR)
    if not why_unusable(folder):
        return []
    hint = f"Make {folder} a folder the server's user may write to, or set AGNES_DATA_DIR to another one."
    return [Error("The data folder is not writable.", hint=hint, id="agnes.E001")]


def data_folder_is_closed(**kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.DATA_DIR)
    try:
        is_open = folder.stat().st_mode & 0o077
    except OSError:  # agnes.E001 tells of it.
        is_open = 0
    if not is_open:
        return []
    hint = f"Close it: `chmod -R go= {shlex.quote(str(folder))}`."
    return [Warning("Other users of this machine may look into the data folder.", hint=hint, id="agnes.W002")]


def secrets_are_long(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or len(settings.TOKEN_PEPPER) >= 32:
        return []
    hint = "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'`; old tokens end."
    return [Warning("TOKEN_PEPPER is shorter than 32 characters.", hint=hint, id="agnes.W001")]


def metrics_token_is_long(**kwargs: Any) -> list[CheckMessage]:
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 16:
        return []
    hint = "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(24))'`."
    return [Warning("AGNES_METRICS_TOKEN is shorter than 16 characters.", hint=hint, id="agnes.W005")]


def people_are_protected(**kwargs: Any) -> list[CheckMessage]:
    if settings.IS_HTTPS or is_of_this_machine(settings.AGNES_URL):
        return []
    hint = (
        "Put a web server with TLS in front (docs/DEPLOYMENT.md), and set AGNES_URL to its https:// address."
    )
    message = "AGNES_URL is http, so passwords, tokens and transcripts cross the network in clear."
    return [Warning(message, hint=hint, id="agnes.W006")]


def provider_is_safe(**kwargs: Any) -> list[CheckMessage]:
    issuer = settings.OIDC_ISSUER
    if not issuer.startswith("http://") or is_of_this_machine(issuer):
        return []
    hint = "Use the provider's https:// address: who can listen could sign in as anybody."
    return [Warning("OIDC_ISSUER is http, without TLS.", hint=hint, id="agnes.W008")]


def static_files_are_collected(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        return []
    hint = "Run `manage.py collectstatic --no-input`, as after every update."
    return [Warning("Static files are not collected: pages have no styles.", hint=hint, id="agnes.W007")]


def site_is_reached_by_its_own_name(**kwargs: Any) -> list[CheckMessage]:
    host = urlsplit(settings.AGNES_URL).hostname or ""
    host = f"[{host}]" if ":" in host else host
    if validate_host(host, settings.ALLOWED_HOSTS):
        return []
    hint = f"Add {host} to ALLOWED_HOSTS, or correct AGNES_URL."
    return [Error(f"AGNES_URL names a host the server refuses: {host}.", hint=hint, id="agnes.E002")]


def proxy_is_counted(**kwargs: Any) -> list[CheckMessage]:
    """Agnes itself speaks no TLS."""
    if settings.PROXIES or not settings.AGNES_URL.startswith("https://"):
        return []
    hint = (
        "Set AGNES_PROXIES=1 if that web server adds the client's address to X-Forwarded-For, as it should: "
        "failed sign-ins of one client may lock out all others meanwhile."
    )
    message = "AGNES_URL is https, so a web server stands in front, but AGNES_PROXIES is 0."
    return [Warning(message, hint=hint, id="agnes.W003")]


def bucket_is_reached(**kwargs: Any) -> list[CheckMessage]:
    """Asks another machine, so it is not among the checks that every command makes."""
    # With httpx, which takes a while and which no other command needs.
    from telemetry.bucket.storage import BucketStorage

    if not isinstance(default_storage, BucketStorage):
        return []
    try:
        default_storage.bucket.require_reachable()
    except (StorageUnavailable, FileNotFoundError) as error:
        hint = (
            "Check AGNES_STORAGE_URL and the AWS_* settings: the key must be allowed to list, read, write "
            "and delete."
        )
        return [Error(str(error), hint=hint, id="agnes.E003")]
    return []


def lake_is_shared(**kwargs: Any) -> list[CheckMessage]:
    """Machines that share a PostgreSQL database must share the lake too."""
    if settings.LAKE_URL_IS_CHOSEN or settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    hint = (
        "Set AGNES_LAKE_URL to a bucket or a shared folder, the same on every machine; if this is the only "
        f"machine, to {settings.LAKE_URL}."
    )
    message = "The database may be shared by several machines, and the lake is a folder of this one."
    return [Warning(message, hint=hint, id="agnes.W004")]
