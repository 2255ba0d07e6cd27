"""Settings of Agnes: every knob is an environment variable, read here and nowhere else.

Lines that begin with `#:` say what the variable below them means; `make docs` writes them to
docs/CONFIGURATION.md.
"""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from dotenv import load_dotenv

from agnes import env

BASE_DIR = Path(__file__).resolve().parent.parent
load_dotenv(BASE_DIR / ".env")

# --- Where state lives -----------------------------------------------------------------------------
#: Default: `var` in the checkout. The folder that holds all state: database, transcripts, secrets made on the
#: first start. `manage.py backup` takes all of it that matters ([backup](BACKUP.md)).
DATA_DIR = env.folder("AGNES_DATA_DIR", BASE_DIR / "var")
OWN_DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "agnes.sqlite3"}
#: Default: SQLite in the data folder. A PostgreSQL database, such as
#: `postgres://agnes:…@db.internal:5432/agnes`. Web server and any number of worker machines may share it.
#: Also `sqlite:///` and a path, for SQLite elsewhere.
DATABASE = env.database("DATABASE_URL", OWN_DATABASE)
MAY_BE_SHARED = DATABASE is not OWN_DATABASE
SPOOL_DIR = DATA_DIR / "spool"

# --- Secrets and the first admin -------------------------------------------------------------------
#: Default: made on the first start. Signs sessions and queued tasks. Required with `DATABASE_URL`, the same
#: on every machine.
SECRET_KEY = env.secret("SECRET_KEY", folder=DATA_DIR, required=MAY_BE_SHARED)
#: Default: made on the first start. Key under which access tokens are hashed. Required with `DATABASE_URL`,
#: the same on every machine. If it changes, all tokens end.
TOKEN_PEPPER = env.secret("TOKEN_PEPPER", folder=DATA_DIR, required=MAY_BE_SHARED)
#: Default: `admin@example.com`. E-mail of the admin who is made while there is none.
SEED_ADMIN_EMAIL = env.email("SEED_ADMIN_EMAIL")
#: Default: generated. That admin's password. A generated one is printed once. One that is too weak (short,
#: common, all digits, like the e-mail) stops `start` and `seed_admin` while there is no admin.
SEED_ADMIN_PASSWORD = env.text("SEED_ADMIN_PASSWORD")

# --- The server ------------------------------------------------------------------------------------
#: For development: error pages with details, and a demo on the first start. `make run` sets it.
DEBUG = env.boolean("DEBUG", False)
#: Address and port on which the web server listens.
AGNES_BIND = env.address("AGNES_BIND", "127.0.0.1:8000")
#: Default: `http://` + `AGNES_BIND`. The address at which people reach Agnes, with `http://` or `https://`.
#: With `https://`, cookies are sent over TLS only, and whoever comes by `http` to a server with
#: `AGNES_PROXIES` is sent on to this address.
AGNES_URL = env.url("AGNES_URL", f"http://{AGNES_BIND}")
#: Host names the server answers to, separated by commas. Must include the one of `AGNES_URL`.
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [AGNES_URL]
#: Web servers in front of Agnes, each of which adds the address it was asked from to `X-Forwarded-For`.
#: Failed sign-ins are counted per client address, which is the proxy's while this is 0. With `https://` the
#: last of them must set `X-Forwarded-Proto`.
PROXIES = env.integer("AGNES_PROXIES", 0)
#: Requests that are answered at once, with those that wait for the database. On PostgreSQL each may hold a
#: connection.
WEB_THREADS = env.integer("AGNES_WEB_THREADS", 32, minimum=1)
#: [Exports](EXPORT.md) and [zips of transcripts](PEOPLE_AND_SESSIONS.md) that are under way at once; each
#: takes a thread and up to 512 MB. Keep it well below `AGNES_WEB_THREADS`: the rest answers everything else.
EXPORTS_AT_ONCE = env.integer("AGNES_EXPORTS_AT_ONCE", 2, minimum=1)
#: With less than this free where the data folder is, `/readyz` says so.
MIN_FREE_BYTES = env.integer("AGNES_MIN_FREE_BYTES", 1024**3)

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
# secure_delete: what is deleted is overwritten at once, so no page of the file holds it any more.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; "
    "PRAGMA secure_delete=ON;",
}
DATABASES: dict[str, Any] = {"default": DATABASE}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Files -----------------------------------------------------------------------------------------
#: Default: the data folder. A bucket for stored files, that is transcripts and what was uploaded to the flea
#: market, as `s3://bucket/prefix`: then web server and workers may run on machines that
#: [keep nothing](SCALING.md#files-in-a-bucket). It needs the `AWS_*` key.
STORAGE_URL = env.bucket("AGNES_STORAGE_URL")
#: Default: Amazon's. The address of another store that speaks S3, such as `http://minio.internal:9000`.
S3_ENDPOINT = env.text("AWS_ENDPOINT_URL")
S3 = {
    "AWS_ENDPOINT_URL": S3_ENDPOINT,
    #: The key for `s3://` addresses, which may list, read, write and delete there. Without it, the lake uses
    #: that of the machine's role; `AGNES_STORAGE_URL` needs a key.
    "AWS_ACCESS_KEY_ID": env.needed_with("AWS_ACCESS_KEY_ID", needs_it="AGNES_STORAGE_URL"),
    #: The key's secret.
    "AWS_SECRET_ACCESS_KEY": env.needed_with("AWS_SECRET_ACCESS_KEY", needs_it="AGNES_STORAGE_URL"),
    #: The bucket's region.
    "AWS_REGION": env.text("AWS_REGION", "us-east-1"),
    "AWS_ALLOW_HTTP": "true" if S3_ENDPOINT.startswith("http://") else "",
}
IN_FOLDER = {
    "BACKEND": "telemetry.files.storage.DurableFileSystemStorage",
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

# --- Signing in by a provider ----------------------------------------------------------------------
# Passwords first: what people may do is asked of each of them, and only ModelBackend knows.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
#: The provider's address, such as `https://accounts.google.com`; its discovery document lies below it.
OIDC_ISSUER = env.optional_url("OIDC_ISSUER")
#: What the provider calls this server. Needed with `OIDC_ISSUER`.
OIDC_CLIENT_ID = env.needed_with("OIDC_CLIENT_ID", needs_it="OIDC_ISSUER")
#: The secret that goes with it. Needed with `OIDC_ISSUER`.
OIDC_CLIENT_SECRET = env.needed_with("OIDC_CLIENT_SECRET", needs_it="OIDC_ISSUER")
#: Domains of the e-mail addresses of those who may come in, separated by commas; `*` for everybody whom the
#: provider knows. Needed with `OIDC_ISSUER`.
OIDC_ALLOWED_DOMAINS = [
    domain.lower() for domain in env.split(env.needed_with("OIDC_ALLOWED_DOMAINS", needs_it="OIDC_ISSUER"))
]
#: Default: `Google`, else `single sign-on`. What people call it: *Sign in with …*.
OIDC_NAME = env.text(
    "OIDC_NAME", "Google" if OIDC_ISSUER == "https://accounts.google.com" else "single sign-on"
)
#: What is asked for, separated by blanks. Some providers tell groups only with a scope of their own, such as
#: `groups`.
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid email profile").split()
#: `false` for a provider that does not say whether addresses are verified, where it gives them itself. One
#: that says that an address is not verified is believed all the same.
OIDC_REQUIRE_VERIFIED_EMAIL = env.boolean("OIDC_REQUIRE_VERIFIED_EMAIL", True)
#: Where the provider tells a person's groups.
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
#: Who is in one of these groups is an admin, separated by commas.
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
#: Default: two weeks. When a browser that signed in must do so again.
SESSION_COOKIE_AGE = env.integer("AGNES_SESSION_HOURS", 14 * 24, minimum=1) * 3600
IS_HTTPS = AGNES_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# Agnes speaks no TLS: the web server in front of it does, and says by which scheme it was asked.
BEHIND_TLS = IS_HTTPS and PROXIES > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_SSL_HOST = AGNES_URL.partition("://")[2]
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$"]
#: Default: 30 days. With `https://`: for how long browsers refuse to come without TLS
#: (Strict-Transport-Security). 0 turns it off.
HSTS_SECONDS = env.integer("AGNES_HSTS_SECONDS", 30 * 24 * 3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if IS_HTTPS else 0
#: That holds for names below the one of `AGNES_URL`, too.
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
#: Largest upload as sent, possibly compressed.
UPLOAD_MAX_WIRE_BYTES = env.integer("UPLOAD_MAX_WIRE_BYTES", 512 * 1024**2, minimum=1)
#: Largest transcript after decompression. Nothing is unpacked beyond it.
UPLOAD_MAX_TRANSCRIPT_BYTES = env.integer("UPLOAD_MAX_TRANSCRIPT_BYTES", 2 * 1024**3, minimum=1)

# --- Retention -------------------------------------------------------------------------------------
# Two windows of 30 days, and one more for what comes late.
#: Default: `0`. Events and messages older than so many days are removed; figures by day stay. 0 keeps
#: everything; otherwise at least 61, so that no window of 30 days and the one before it lose any.
USAGE_EVENTS_RETENTION_DAYS = env.days("USAGE_EVENTS_RETENTION_DAYS", minimum=61)
#: Default: `0`. The files of transcripts whose last record is older than so many days are removed; what was
#: extracted of them stays. 0 keeps everything.
TRANSCRIPTS_RETENTION_DAYS = env.days("TRANSCRIPTS_RETENTION_DAYS", minimum=1)

# --- The lake --------------------------------------------------------------------------------------
#: Default: `lake` in the data folder. Where the [lake](LAKE.md) lies: a folder, or `s3://bucket/prefix`.
#: Every machine that publishes needs the same one, so with several machines it is a bucket or a shared
#: folder. With PostgreSQL, `manage.py check` warns (`agnes.W004`) where it is not set; on one machine, set it
#: to a folder.
LAKE_URL = env.place("AGNES_LAKE_URL", DATA_DIR / "lake")
LAKE_URL_IS_CHOSEN = bool(env.text("AGNES_LAKE_URL"))
LAKE_STORAGE_OPTIONS = {name: value for name, value in S3.items() if value}

# --- Questions in plain language ------------------------------------------------------------------
#: `openai` for whatever speaks OpenAI's chat completions, models on a machine of yours included.
ASK_PROVIDER = env.choice("ASK_PROVIDER", "anthropic", ("anthropic", "openai"))
#: The model that writes the SQL.
ASK_MODEL = env.text("ASK_MODEL", "claude-haiku-4-5")
#: What a model sees of rows: `off` none, `synthetic` invented ones, `redacted` three real ones of each table
#: without e-mail addresses, folders and ids.
ASK_SAMPLE_ROWS = env.choice("ASK_SAMPLE_ROWS", "synthetic", ("off", "synthetic", "redacted"))
#: The key for Anthropic's API.
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
#: Where that API is: a gateway of yours, for instance.
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
#: With `openai`: where it is, such as `http://127.0.0.1:11434/v1`.
ASK_BASE_URL = env.url("ASK_BASE_URL", "https://api.openai.com/v1")
#: With `openai`: its key, if it wants one.
ASK_API_KEY = env.text("ASK_API_KEY")

# --- Forms -----------------------------------------------------------------------------------------
# One handler for all, with limits of its own: it counts files, too.
FILE_UPLOAD_HANDLERS = ["marketplace.store.receiving.SpoolingUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = None

# --- Marketplaces ----------------------------------------------------------------------------------
#: What Claude Code calls the marketplace that Agnes itself serves; small letters, digits and hyphens, and no
#: name that Claude Code reserves. It stands in transcripts: whoever changes it has people add the marketplace
#: anew.
MARKETPLACE_NAME = env.marketplace_name("AGNES_MARKETPLACE_NAME", "agnes")
#: How long a sync may take to fetch a repository. The task worker ends any task after 300 seconds, so stay
#: below 240.
MARKETPLACE_FETCH_SECONDS = env.integer("MARKETPLACE_FETCH_SECONDS", 60, minimum=1)
#: How much one fetch may bring.
MARKETPLACE_MAX_BYTES = env.integer("MARKETPLACE_MAX_BYTES", 512 * 1024**2, minimum=1)
#: How many uploads to the [flea market](FLEA_MARKET.md) a person may try in 24 hours, refused ones counted.
STORE_UPLOADS_PER_DAY = env.integer("STORE_UPLOADS_PER_DAY", 50)
#: How much the kept versions of a person's items may take together.
STORE_MAX_BYTES_PER_PERSON = env.integer("STORE_MAX_BYTES_PER_PERSON", 200 * 1024**2)

#: How many clients of Claude Code fetch their [marketplace](INSTALLING.md) at once; each takes a thread and a
#: process. Others wait for half a minute, then are told to try again. Keep it below `AGNES_WEB_THREADS`: the
#: rest answers everything else.
GIT_FETCHES_AT_ONCE = env.integer("AGNES_GIT_FETCHES_AT_ONCE", 4, minimum=1)
#: How much the repositories that Claude Code fetches may take on this machine together. Above it, those that
#: nobody has read for the longest go, and are built again when they are needed.
SERVED_MAX_BYTES = env.integer("AGNES_SERVED_MAX_BYTES", 5 * 1024**3, minimum=1)
#: How long one such fetch may take.
GIT_FETCH_SECONDS = env.integer("AGNES_GIT_FETCH_SECONDS", 300, minimum=1)

# --- The worker ------------------------------------------------------------------------------------
#: Seconds between two scheduled looks for transcripts to process; a multiple of 60. Uploads ask for a run at
#: once, so this is the safety net.
SCHEDULER_USAGE_PROCESSOR_INTERVAL = env.integer(
    "SCHEDULER_USAGE_PROCESSOR_INTERVAL", 600, minimum=60, multiple_of=60
)
#: Seconds between two prunes, for those who set a [retention](RETENTION.md); a multiple of 60.
SCHEDULER_USAGE_PRUNE_INTERVAL = env.integer(
    "SCHEDULER_USAGE_PRUNE_INTERVAL", 86400, minimum=60, multiple_of=60
)
#: Seconds between two syncs of all [marketplaces](MARKETPLACES.md); a multiple of 60.
SCHEDULER_MARKETPLACE_SYNC_INTERVAL = env.integer(
    "SCHEDULER_MARKETPLACE_SYNC_INTERVAL", 86400, minimum=60, multiple_of=60
)
#: Processes that run tasks.
WORKER_PROCESSES = env.integer("AGNES_WORKER_PROCESSES", 2, minimum=1)
#: How long a worker's claim on a person's transcripts, or on publishing, holds without a sign of life. After
#: a crash that person's work waits until the claim has expired; a run is planned for that moment, and begins
#: within half a minute of it.
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
#: Whoever sends it as a bearer token gets [metrics](MONITORING.md#metrics) at `/metrics`.
METRICS_TOKEN = env.text("AGNES_METRICS_TOKEN")
#: A second address and port, such as `10.0.0.5:9464`, at which the web server gives metrics, `/livez` and
#: `/readyz` to everybody who can reach it, and nothing else.
METRICS_BIND = env.other_address("AGNES_METRICS_BIND", than=AGNES_BIND)

# --- Logs ------------------------------------------------------------------------------------------
#: How the log looks: `text` for people, `json` for what collects logs, one object a line
#: ([more](MONITORING.md#the-log)).
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
        #: Least level of what is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
}

env.refuse_mistakes()
