"""Django settings. What differs between places comes from `vbalance.environment`; all else is said once, here."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from trading.market.feeds import FEEDS
from vbalance import environment
from vbalance.addresses import networks
from vbalance.email import mail_from
from vbalance.logs import logging_config
from vbalance.rest import REST_FRAMEWORK as REST_FRAMEWORK
from vbalance.rest import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from vbalance.schedule import BEAT_SCHEDULE

BASE_DIR = environment.ROOT
VAR: Path = environment.VAR
BARS_FOLDER: Path = environment.BARS
QUOTES_FOLDER: Path = environment.QUOTES
BUILD = environment.BUILD
SERVICE = environment.SERVICE
KEY_PREFIX = environment.KEY_PREFIX
SCRAPE_TOKEN = environment.SCRAPE_TOKEN
HEADS_KEY = environment.HEADS_KEY

SECRET_KEY = environment.secret_key()
CREDENTIAL_KEYS = environment.credential_keys()
DEBUG = False
PRODUCTION = environment.PRODUCTION
ALLOWED_HOSTS = environment.HOSTS
CSRF_TRUSTED_ORIGINS = environment.TRUSTED_ORIGINS
TRUSTED_PROXIES = networks(environment.TRUSTED_PROXIES)

INSTALLED_APPS = [
    "vbalance",
    "reporting",
    "trading",
    "trading.market",
    "trading.bars",
    "trading.brokers",
    "trading.risk",
    "trading.simulation",
    "dividends",
    "portfolios",
    "portfolios.identity",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "vbalance.middleware.ClientAddressMiddleware",
    "vbalance.middleware.RequestIdMiddleware",
    "vbalance.middleware.ChunkedBodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "vbalance.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portfolios.identity.middleware.SessionLifeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "vbalance.urls"
WSGI_APPLICATION = "vbalance.wsgi.application"
APPEND_SLASH = False

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
                "reporting.context.market",
                "reporting.waiting.proposals",
            ],
        },
    }
]


DATABASES: dict[str, Any] = {"default": dj_database_url.parse(environment.database_url())}
DATABASE_APP_URL = environment.DATABASE_APP_URL
APPEND_ONLY = ("portfolios_event", "portfolios_settingsversion", "trading_execution")
PREPARED_IF_ASKED = 2**31  # by portfolios/prepared.py: Django's own None would forbid it, a small number spread it
DATABASE_POOL = {"min_size": 1, "max_size": 12, "timeout": 10}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    # A command asks once and should fail at once; only programs that stay keep connections.
    {"pool": DATABASE_POOL if SERVICE != "manage" else False, "application_name": f"vbalance-{SERVICE}"},
    prepare_threshold=PREPARED_IF_ASKED,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.redis_url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{environment.KEY_PREFIX}cache",
    }
}
SESSION_ENGINE = "portfolios.identity.sessions"
SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=12)
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
SESSION_QUIET_ROUTES = {"overview-live", "cockpit-live", "chart"}  # pages ask these by themselves


CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": environment.KEY_PREFIX,
    "visibility_timeout": 120,
    "socket_timeout": 3,  # a queue that is there but silent holds a bell up for this long, twice
    "socket_connect_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a queue may be gone for an hour: whoever waits for it never gives up
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "trading.tasks.evaluate_*": {"queue": "price-events"},
    "trading.tasks.poll_*": {"queue": "price-events"},
    "trading.tasks.execute_order": {"queue": "orders"},
    "trading.tasks.process_inbox": {"queue": "orders"},
    "trading.tasks.*_dividends": {"queue": "dividends"},
    "trading.tasks.run_*": {"queue": "simulation"},
}
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULER = "vbalance.beat:KeepingScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True


EXPORTS_A_MINUTE = 20  # for each person
BROKERS = {
    "paper": "trading.brokers.paper.PaperBroker",
    "none": "trading.brokers.none.NoBroker",
    "alpaca": "trading.brokers.alpaca.adapter.AlpacaBroker",
}
FAKE_BROKERS = not PRODUCTION  # whether a paper account at a broker may have its address on this very machine
LIVE_SOURCES = {
    "alpaca": "trading.market.sources.alpaca.AlpacaSource",
    "yahoo": "trading.market.sources.yahoo.YahooSource",
    "files-1min": "trading.bars.live.MinuteFiles",
    "files-hourly": "trading.bars.live.HourlyFiles",
    "files-daily": "trading.bars.live.DailyFiles",
}
PRICE_SOURCES = {  # what a portfolio may follow: a record, or a feed, whose sources are asked in its order
    "replay": "trading.market.replay.ReplaySource",
    **{name: LIVE_SOURCES[feed.sources[0]] for name, feed in FEEDS.items()},
}
ALPACA_DATA_KEY, ALPACA_DATA_SECRET = environment.ALPACA_DATA_KEY, environment.ALPACA_DATA_SECRET
ALPACA_DATA_URL, ALPACA_DATA_FEED = environment.ALPACA_DATA_URL, environment.ALPACA_DATA_FEED
RECORDED_SOURCES = ("replay",)  # whose corporate actions are all known beforehand

AUTH_USER_MODEL = "portfolios.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "portfolios.identity.backend.ProviderBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
CSRF_FAILURE_VIEW = "portfolios.api.problems.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_VERBOSE = False


# Single sign-on, off without an issuer. Names that begin with OIDC_RP_ or OIDC_USE_ are mozilla-django-oidc's.
OIDC_ISSUER = environment.OIDC_ISSUER
OIDC_NAME = environment.OIDC_NAME
OIDC_RP_CLIENT_ID = environment.OIDC_CLIENT_ID
OIDC_RP_CLIENT_SECRET = environment.OIDC_CLIENT_SECRET
OIDC_RP_SCOPES = environment.OIDC_SCOPES
OIDC_USE_PKCE = True
OIDC_CREATE_USERS = environment.OIDC_CREATE_USERS
OIDC_GROUPS_CLAIM = environment.OIDC_GROUPS_CLAIM
OIDC_ROLES = environment.OIDC_ROLES
OIDC_AUDIENCE = environment.OIDC_AUDIENCE
OIDC_BEARER_SCOPES = environment.OIDC_BEARER_SCOPES
OIDC_LOGOUT_URL = environment.OIDC_LOGOUT_URL

MAIL = mail_from(environment.EMAIL_URL)
EMAIL_BACKEND = MAIL.backend
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_HOST = MAIL.host
EMAIL_PORT = MAIL.port
EMAIL_HOST_USER = MAIL.user
EMAIL_HOST_PASSWORD = MAIL.password
EMAIL_USE_SSL = MAIL.over_tls
EMAIL_USE_TLS = MAIL.starts_tls
DEFAULT_FROM_EMAIL = environment.EMAIL_FROM
EMAIL_TIMEOUT = 5
PASSWORD_RESET_TIMEOUT = 3_600

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
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
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(v1/)?healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536
FILE_UPLOAD_HANDLERS = [
    "vbalance.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

LOGGING_CONFIG = None
logging_config(level=environment.LOG_LEVEL, service=SERVICE)
