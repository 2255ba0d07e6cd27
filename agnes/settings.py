"""Settings of Agnes: every knob is an environment variable, read here and nowhere else.

docs/CONFIGURATION.md describes each one; a test keeps that page complete.
"""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from dotenv import load_dotenv

from agnes import env

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")

# --- Where state lives -----------------------------------------------------------------------------
DATA_DIR = env.folder("AGNES_DATA_DIR", BASE_DIR / "var")
OWN_DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "agnes.sqlite3"}
DATABASE = env.database("DATABASE_URL", OWN_DATABASE)
MAY_BE_SHARED = DATABASE is not OWN_DATABASE
SPOOL_DIR = DATA_DIR / "spool"
MIN_FREE_BYTES = env.integer("AGNES_MIN_FREE_BYTES", 1024**3)

# --- The server ------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", folder=DATA_DIR, required=MAY_BE_SHARED)
TOKEN_PEPPER = env.secret("TOKEN_PEPPER", folder=DATA_DIR, required=MAY_BE_SHARED)
AGNES_BIND = env.address("AGNES_BIND", "127.0.0.1:8000")
AGNES_URL = env.url("AGNES_URL", f"http://{AGNES_BIND}")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [AGNES_URL]
SEED_ADMIN_EMAIL = env.email("SEED_ADMIN_EMAIL")
SEED_ADMIN_PASSWORD = env.text("SEED_ADMIN_PASSWORD")
PROXIES = env.integer("AGNES_PROXIES", 0)
WEB_THREADS = env.integer("AGNES_WEB_THREADS", 8, minimum=1)
EXPORTS_AT_ONCE = env.integer("AGNES_EXPORTS_AT_ONCE", 2, minimum=1)

INSTALLED_APPS = [
    "agnes",
    "marketplace",
    "telemetry",
    "accounts",
    "agnes.admin_site.AgnesAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "agnes.metrics.middleware.MetricsMiddleware",
    "accounts.middleware.AuditContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "agnes.health.middleware.ProbesFirstMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "agnes.urls"
WSGI_APPLICATION = "agnes.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- The database ----------------------------------------------------------------------------------
# SQLite: transactions take the write lock at their start and wait for it, so two writers never meet
# "database is locked" half-way. synchronous=FULL: an acknowledged upload survives a power cut.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
}
DATABASES: dict[str, Any] = {"default": DATABASE}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Files -----------------------------------------------------------------------------------------
STORAGE_URL = env.bucket("AGNES_STORAGE_URL")
S3_ENDPOINT = env.text("AWS_ENDPOINT_URL")
S3 = {
    "AWS_ENDPOINT_URL": S3_ENDPOINT,
    "AWS_ACCESS_KEY_ID": env.needed_with("AWS_ACCESS_KEY_ID", needs_it="AGNES_STORAGE_URL"),
    "AWS_SECRET_ACCESS_KEY": env.needed_with("AWS_SECRET_ACCESS_KEY", needs_it="AGNES_STORAGE_URL"),
    "AWS_REGION": env.text("AWS_REGION", "us-east-1"),
    "AWS_ALLOW_HTTP": "true" if S3_ENDPOINT.startswith("http://") else "",
}
IN_FOLDER = {
    "BACKEND": "telemetry.storage.DurableFileSystemStorage",
    "OPTIONS": {"location": DATA_DIR, "allow_overwrite": True},
}
IN_BUCKET = {
    "BACKEND": "telemetry.bucket.storage.BucketStorage",
    "OPTIONS": {
        "url": STORAGE_URL,
        "endpoint": S3_ENDPOINT,
        "key_id": S3["AWS_ACCESS_KEY_ID"],
        "secret": S3["AWS_SECRET_ACCESS_KEY"],
        "region": S3["AWS_REGION"],
    },
}
STORAGES: dict[str, Any] = {
    "default": IN_BUCKET if STORAGE_URL else IN_FOLDER,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "agnes.static_files.StaticFiles"
    },
}
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# --- People ----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Sign-in by a provider -------------------------------------------------------------------------
# Passwords first: what people may do is asked of each of them, and only ModelBackend knows.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
OIDC_ISSUER = env.optional_url("OIDC_ISSUER")
OIDC_CLIENT_ID = env.needed_with("OIDC_CLIENT_ID", needs_it="OIDC_ISSUER")
OIDC_CLIENT_SECRET = env.needed_with("OIDC_CLIENT_SECRET", needs_it="OIDC_ISSUER")
OIDC_ALLOWED_DOMAINS = [
    domain.lower() for domain in env.split(env.needed_with("OIDC_ALLOWED_DOMAINS", needs_it="OIDC_ISSUER"))
]
OIDC_NAME = env.text(
    "OIDC_NAME", "Google" if OIDC_ISSUER == "https://accounts.google.com" else "single sign-on"
)
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid email profile").split()
OIDC_REQUIRE_VERIFIED_EMAIL = env.boolean("OIDC_REQUIRE_VERIFIED_EMAIL", True)
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_ADMIN_GROUPS = env.words("OIDC_ADMIN_GROUPS")
if OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.append("accounts.oidc.backend.ProviderBackend")
SOCIALACCOUNT_ADAPTER = "accounts.oidc.allauth_adapter.SignInAdapter"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]

# --- Safety in the browser -------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.integer("AGNES_SESSION_HOURS", 14 * 24, minimum=1) * 3600
IS_HTTPS = AGNES_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# Agnes speaks no TLS: the web server in front of it does, and says by which scheme it was asked.
BEHIND_TLS = IS_HTTPS and PROXIES > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_SSL_HOST = AGNES_URL.partition("://")[2]
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$"]
HSTS_SECONDS = env.integer("AGNES_HSTS_SECONDS", 30 * 24 * 3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean("AGNES_HSTS_SUBDOMAINS", True)
# It wants the host in a list that ships with browsers, which nobody should get into by a default.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# --- Time and language -----------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DATETIME_FORMAT = "Y-m-d H:i"

# --- Transcripts -----------------------------------------------------------------------------------
UPLOAD_MAX_WIRE_BYTES = env.integer("UPLOAD_MAX_WIRE_BYTES", 512 * 1024**2, minimum=1)
UPLOAD_MAX_TRANSCRIPT_BYTES = env.integer("UPLOAD_MAX_TRANSCRIPT_BYTES", 2 * 1024**3, minimum=1)

# --- Retention -------------------------------------------------------------------------------------
# Two windows of 30 days, and one more for what comes late.
USAGE_EVENTS_RETENTION_DAYS = env.days("USAGE_EVENTS_RETENTION_DAYS", minimum=61)
TRANSCRIPTS_RETENTION_DAYS = env.days("TRANSCRIPTS_RETENTION_DAYS", minimum=1)

# --- The lake --------------------------------------------------------------------------------------
LAKE_URL = env.place("AGNES_LAKE_URL", DATA_DIR / "lake")
LAKE_URL_IS_CHOSEN = bool(env.text("AGNES_LAKE_URL"))
LAKE_STORAGE_OPTIONS = {name: value for name, value in S3.items() if value}

# --- Questions in plain language ------------------------------------------------------------------
ASK_PROVIDER = env.choice("ASK_PROVIDER", "anthropic", ("anthropic", "openai"))
ASK_MODEL = env.text("ASK_MODEL", "claude-haiku-4-5")
ASK_SAMPLE_ROWS = env.choice("ASK_SAMPLE_ROWS", "synthetic", ("off", "synthetic", "redacted"))
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
ASK_BASE_URL = env.url("ASK_BASE_URL", "https://api.openai.com/v1")
ASK_API_KEY = env.text("ASK_API_KEY")

# --- Forms -----------------------------------------------------------------------------------------
# One handler for all, with limits of its own: it counts files, too.
FILE_UPLOAD_HANDLERS = ["marketplace.store.receiving.SpoolingUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = None

# --- Marketplaces ----------------------------------------------------------------------------------
MARKETPLACE_NAME = env.marketplace_name("AGNES_MARKETPLACE_NAME", "agnes")
MARKETPLACE_FETCH_SECONDS = env.integer("MARKETPLACE_FETCH_SECONDS", 60, minimum=1)
MARKETPLACE_MAX_BYTES = env.integer("MARKETPLACE_MAX_BYTES", 512 * 1024**2, minimum=1)
STORE_UPLOADS_PER_DAY = env.integer("STORE_UPLOADS_PER_DAY", 50)
STORE_MAX_BYTES_PER_PERSON = env.integer("STORE_MAX_BYTES_PER_PERSON", 200 * 1024**2)

GIT_FETCHES_AT_ONCE = env.integer("AGNES_GIT_FETCHES_AT_ONCE", 4, minimum=1)
SERVED_MAX_BYTES = env.integer("AGNES_SERVED_MAX_BYTES", 5 * 1024**3, minimum=1)
GIT_FETCH_SECONDS = env.integer("AGNES_GIT_FETCH_SECONDS", 300, minimum=1)

# --- The worker ------------------------------------------------------------------------------------
SCHEDULER_USAGE_PROCESSOR_INTERVAL = env.integer(
    "SCHEDULER_USAGE_PROCESSOR_INTERVAL", 600, minimum=60, multiple_of=60
)
SCHEDULER_USAGE_PRUNE_INTERVAL = env.integer(
    "SCHEDULER_USAGE_PRUNE_INTERVAL", 86400, minimum=60, multiple_of=60
)
SCHEDULER_MARKETPLACE_SYNC_INTERVAL = env.integer(
    "SCHEDULER_MARKETPLACE_SYNC_INTERVAL", 86400, minimum=60, multiple_of=60
)
WORKER_PROCESSES = env.integer("AGNES_WORKER_PROCESSES", 2, minimum=1)
PROCESSOR_CLAIM_SECONDS = env.integer("PROCESSOR_CLAIM_SECONDS", 60, minimum=2)
# No task runs longer than a minute, so the timeout is a last resort. django-q2 counts `retry` from the
# fetch, when up to queue_limit + 1 tasks wait: retry > timeout * (1 + ceil((queue_limit + 1) / workers)).
TASK_TIMEOUT = 300
Q_CLUSTER = {
    "name": "agnes",
    "orm": "default",
    "broker_class": "telemetry.worker_heartbeat.Broker",
    "workers": WORKER_PROCESSES,
    "queue_limit": WORKER_PROCESSES,
    "bulk": 1,
    "timeout": TASK_TIMEOUT,
    "retry": TASK_TIMEOUT * 4,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 500,
    "poll": 1.0,
    "label": "Task queue",
}

# --- Metrics ---------------------------------------------------------------------------------------
METRICS_TOKEN = env.text("AGNES_METRICS_TOKEN")
METRICS_BIND = env.other_address("AGNES_METRICS_BIND", than=AGNES_BIND)

# --- Logs ------------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("AGNES_LOG_FORMAT", "text", ("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "agnes.logs.TextFormatter"},
        "json": {"()": "agnes.logs.JsonFormatter"},
    },
    "filters": {
        "client mistakes": {"()": "agnes.logs.ClientMistakesInOneLine"},
        "expected challenges": {"()": "agnes.logs.ExpectedChallenges"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["client mistakes", "expected challenges"],
        }
    },
    "loggers": {
        # Without Django's own handler, which under DEBUG writes a second time what the root's one writes.
        "django": {"level": "INFO", "handlers": []},
        # It tells of every task at INFO, which nobody reads.
        "django-q": {"level": "WARNING"},
        # It tells of every request to a bucket at INFO.
        "httpx": {"level": "WARNING"},
        # At DEBUG it tells whole questions, which can be deleted from their history, but not from a log.
        "anthropic": {"level": "INFO"},
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
}

env.refuse_mistakes()
