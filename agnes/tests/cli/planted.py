"""Credentials of every family, made up here so that none stands in a file."""

import random
import string
from collections.abc import Callable

ALPHANUMERIC = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URL_SAFE = ALPHANUMERIC + "-_"
BASE64 = ALPHANUMERIC + "+/"

_random = random.Random(20260501)


def _some(count: int, alphabet: str = ALPHANUMERIC) -> str:
    """With digits and letters at its end, since chance may leave them out."""
    return "".join(_random.choices(alphabet, k=count - 4)) + ("7b8c" if alphabet == HEX else "7X8Y")


def _digits(count: int) -> str:
    return "".join(_random.choices(string.digits, k=count))


def _key(kind: str) -> str:
    lines = "\n".join("".join(_random.choices(BASE64, k=64)) for _ in range(5))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\nq{_some(20)}==\n-----END {kind}PRIVATE KEY-----"


# By name: what it is, and a text that holds it.
SAMPLES: dict[str, tuple[str, str]] = {}


def _plant(name: str, secret: str, text: Callable[[str], str] = str) -> None:
    SAMPLES[name] = (secret, text(secret))


_plant("agnes", f"agnes_{_some(12, string.ascii_lowercase + string.digits).lower()}_{_some(40)}")
_plant("aws", f"AKIA{_some(16, UPPER)}")
_plant("aws temporary", f"ASIA{_some(16, UPPER)}")
_plant("aws secret", _some(40, BASE64), "aws_secret_access_key = {}".format)
_plant("github", f"ghp_{_some(36)}")
_plant("github oauth", f"gho_{_some(36)}")
_plant("github app", f"ghs_{_some(36)}")
_plant("github fine", f"github_pat_{_some(22)}_{_some(59)}")
_plant("gitlab", f"glpat-{_some(20, URL_SAFE)}")
_plant("anthropic", f"sk-ant-api03-{_some(93, URL_SAFE)}AA")
_plant("openai", f"sk-proj-{_some(64)}T3BlbkFJ{_some(60)}")
_plant("openai old", f"sk-{_some(20)}T3BlbkFJ{_some(20)}")
_plant("slack", f"xoxb-{_digits(12)}-{_some(24)}")
_plant("slack app", f"xapp-1-A{_some(10, UPPER)}-{_digits(13)}-{_some(64, HEX)}")
_plant(
    "slack webhook",
    f"T{_some(8, UPPER)}/B{_some(8, UPPER)}/{_some(24)}",
    "https://hooks.slack.com/services/{}".format,
)
_plant(
    "discord webhook",
    f"{_digits(18)}/{_some(68, URL_SAFE)}",
    "https://discord.com/api/webhooks/{}".format,
)
_plant("stripe", f"sk_live_{_some(24)}")
_plant("google", f"AIza{_some(35, URL_SAFE)}")
_plant("google oauth", f"GOCSPX-{_some(28, URL_SAFE)}")
_plant("npm", f"npm_{_some(36)}")
_plant("pypi", f"pypi-AgEIcHlwaS5vcmc{_some(140, URL_SAFE)}")
_plant("hugging face", f"hf_{_some(34)}")
_plant("sendgrid", f"SG.{_some(22, URL_SAFE)}.{_some(43, URL_SAFE)}")
_plant(
    "azure",
    f"{_some(86, BASE64)}==",
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=y".format,
)
_plant("telegram", f"{_digits(10)}:AA{_some(33, URL_SAFE)}")
_plant("digitalocean", f"dop_v1_{_some(64, HEX)}")
_plant("databricks", f"dapi{_some(32, HEX)}")
_plant("shopify", f"shpat_{_some(32, HEX)}")
_plant("vault", f"hvs.{_some(90, URL_SAFE)}")
_plant("docker", f"dckr_pat_{_some(27, URL_SAFE)}")
_plant("atlassian", f"ATATT3xFfGF0{_some(170, URL_SAFE)}={_some(8, HEX).upper()}")
_plant("grafana", f"glsa_{_some(32)}_{_some(8, HEX)}")
_plant("linear", f"lin_api_{_some(40)}")
_plant("sentry", f"sntrys_{_some(120, BASE64)}")
_plant("age", f"AGE-SECRET-KEY-1{_some(58, UPPER)}")
_plant("jwt", f"eyJ{_some(30, URL_SAFE)}.eyJ{_some(80, URL_SAFE)}.{_some(43, URL_SAFE)}")
_plant("address", _some(20), "postgres://agnes:{}@db.internal:5432/agnes".format)
_plant("bearer", _some(40, URL_SAFE), "curl -H 'Authorization: Bearer {}' https://x.internal".format)
_plant("password", "hT7!kk0-Pq%z", "password: {}".format)
_plant("api key", _some(32), "export WEATHER_API_KEY={}".format)
_plant("private key", _key("RSA "))
_plant("private key, openssh", _key("OPENSSH "))
_plant("private key, plain", _key(""))
