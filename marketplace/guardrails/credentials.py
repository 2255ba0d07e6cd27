"""How credentials look: a table of families, each found by its own mark, and masked wherever it is shown.

Narrower than the client's (agnes/cli/redaction/families.py), which may blot out a word too many: here a false
alarm rejects an upload. A family that is added there belongs here, too, if nothing else looks like it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Family(NamedTuple):
    """Each credential of it holds one of `marks`, which are looked for first because that is fast.

    Group 1 of the pattern is the secret itself.
    """

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _family(name: str, marks: str, pattern: str) -> Family:
    return Family(name, tuple(marks.split()), re.compile(pattern))


FAMILIES = (
    _family("AWS access key", "AKIA", r"(?<![A-Z0-9])(AKIA[A-Z0-9]{16})(?![A-Z0-9])"),
    _family("AWS temporary access key", "ASIA", r"(?<![A-Z0-9])(ASIA[A-Z0-9]{16})(?![A-Z0-9])"),
    _family(
        "AWS secret key", "ecret ECRET",
        r"(?i:aws_?secret_?(?:access_?)?key)\W{1,6}([A-Za-z0-9/+]{40})(?![\w/+])",
    ),
    _family("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"(?<![A-Za-z0-9])(gh[pousr]_[A-Za-z0-9]{30,251})"),
    _family("GitHub token", "github_pat_", r"(github_pat_[A-Za-z0-9_]{20,251})"),
    _family("GitLab token", "glpat-", r"(glpat-[\w-]{20,64})"),
    _family("Anthropic key", "sk-ant-", r"(sk-ant-[\w-]{16,200})"),
    _family(
        "OpenAI key", "sk-",
        r"(?<![\w-])(sk-(?:proj-|svcacct-|admin-)?(?=[\w-]{0,150}\d)[A-Za-z0-9_-]{32,200})",
    ),
    _family(
        "Slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-",
        r"(?<![A-Za-z0-9])(xox[abeoprs]-[\w-]{10,250})",
    ),
    _family("Slack app token", "xapp-", r"(xapp-\d-[\w-]{10,250})"),
    _family(
        "Slack webhook", "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/(T\w{5,20}/\w{5,30}/\w{10,50})",
    ),
    _family(
        "Discord webhook", "/api/webhooks/",
        r"discord(?:app)?\.com/api/webhooks/(\d{10,25}/[\w-]{30,100})",
    ),
    _family("Stripe key", "k_live_", r"(?<![A-Za-z0-9])([sr]k_live_[A-Za-z0-9]{10,200})"),
    _family("Google API key", "AIza", r"(?<![\w-])(AIza[\w-]{35})(?![\w-])"),
    _family("Google OAuth secret", "GOCSPX-", r"(GOCSPX-[\w-]{20,60})"),
    _family("npm token", "npm_", r"(?<![A-Za-z0-9])(npm_[A-Za-z0-9]{36})(?![A-Za-z0-9])"),
    _family("PyPI token", "pypi-", r"(pypi-AgE[\w-]{40,250})"),
    _family("Hugging Face token", "hf_", r"(?<![A-Za-z0-9])(hf_[A-Za-z0-9]{30,64})"),
    _family("SendGrid key", "SG.", r"(?<!\w)(SG\.[\w-]{16,32}\.[\w-]{32,64})"),
    _family("Azure account key", "AccountKey=", r"AccountKey=([A-Za-z0-9+/]{60,100}={0,2})"),
    _family("Telegram bot token", ":AA", r"(?<!\d)(\d{8,10}:AA[\w-]{32,35})(?![\w-])"),
    _family("DigitalOcean token", "doo_v1_ dop_v1_ dor_v1_", r"(do[opr]_v1_[0-9a-f]{64})"),
    _family("Databricks token", "dapi", r"(?<![a-z0-9])(dapi[0-9a-f]{32})(?![0-9a-f])"),
    _family("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})"),
    _family("Vault token", "hvs.", r"(?<!\w)(hvs\.[\w-]{24,200})"),
    _family("Docker token", "dckr_pat_", r"(dckr_pat_[\w-]{20,64})"),
    _family("Atlassian token", "ATATT3", r"(ATATT3[\w=-]{30,250})"),
    _family("Grafana token", "glsa_", r"(glsa_[A-Za-z0-9_]{30,64})"),
    _family("Agnes token", "agnes_", r"(?<!\w)(agnes_[A-Za-z0-9]{6,40}_[\w-]{20,100})"),
    _family(
        "private key", "PRIVATE",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\s|\\[rn]|[A-Z][\w-]{2,20}: [^\n\\]{0,100}){0,12}([A-Za-z0-9+/=]{16,8000})",
    ),
    _family("age key", "AGE-SECRET-KEY-", r"(AGE-SECRET-KEY-1[A-Z0-9]{50,60})"),
    _family("JSON web token", "eyJ", r"(?<![\w-])(eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{16,1000})"),
    _family("password in an address", "://", r"://[^\s/:@'\"<>]{0,64}:([^\s/:@'\"<>]{6,128})@[\w.\[-]"),
)  # fmt: skip

# What somebody names so and gives a value at once: password = "…", API_KEY: …, heslo=…. The value comes
# first, because looking for the sign between them is fast.
_VALUE = re.compile(r"""[:=]>?[ \t]{0,4}(?:(["'])([^\s"'`]{6,200})\1|([^\s"'`,;&<>{}()\[\]]{6,}+))""")
_VALUE_CHARACTERS = 200
# What follows a value that is no expression.
_AFTER_VALUE = frozenset(" \t\r\n\f\v,;&\"'`")
_NAME = re.compile(
    r"""(?x)
    (?: pass(?:word|wd|phrase) | \bpwd | secret | (?:api|access|auth|private|secret|client)[_-]?key
      | (?:access|auth|api|bearer|refresh)[_-]?token | \btoken | _token | heslo )
    ["'`]? [ \t]{0,4} :? \Z
    """
)
_NAME_CHARACTERS = 40
_BEARER = re.compile(
    r"(?i)authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token)\s{1,3}([\w.~+/=-]{16,500})"
)

_PLACEHOLDERS = re.compile(
    r"(?i)example|your|change_?-?me|placeholder|x{4}|\*{3}|\.{3}|redacted|dummy|sample|fake|insert"
    r"|replace|todo"
    r"|1234567|abcdef|env\b|environ|getenv|process\.|config|settings|vault|secrets?\.|keyring|\$|%\w|%\(|<|…"
)
# In a token, which nobody chose.
_SAYS_EXAMPLE = re.compile(r"EXAMPLE|(?i:your|placeholder|redacted|x{6}|_here\b|\.{3}|\*{3})")
_WORDS = frozenset(
    [
        "password",
        "passwd",
        "passw0rd",
        "secret",
        "secret123",
        "password1",
        "password123",
        "pass123",
        "token",
        "hunter",
        "test1234",
        "test123",
        "user123",
        "admin123",
        "postgres",
        "string",
        "mypassword",
        "mysecret",
        "supersecret",
    ]
)
# The token that every text about JSON web tokens shows.
_KNOWN_EXAMPLES = ("SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",)


class Credential(NamedTuple):
    """`start` and `end` are where the secret itself is in the text."""

    family: str
    start: int
    end: int


def find_credentials(text: str) -> Iterator[Credential]:
    for family in FAMILIES:
        if any(mark in text for mark in family.marks):
            for match in family.pattern.finditer(text):
                if not is_example(match[1], family.name):
                    yield Credential(family.name, match.start(1), match.end(1))
    if "uthorization" in text or "UTHORIZATION" in text:
        for match in _BEARER.finditer(text):
            if _is_random(match[1]):
                yield Credential("authorization header", match.start(1), match.end(1))
    yield from _assigned(text)


def is_example(value: str, family: str) -> bool:
    """What documentation shows in place of a credential."""
    if (
        value.endswith(_KNOWN_EXAMPLES)
        or _SAYS_EXAMPLE.search(value)
        or (len(value) >= 16 and len(set(value[8:])) < 5)
    ):
        return True
    return family == "password in an address" and not _is_random(value)


def _assigned(text: str) -> Iterator[Credential]:
    for match in _VALUE.finditer(text):
        name = text[max(0, match.start() - _NAME_CHARACTERS) : match.start()].lower()
        group = 2 if match[2] else 3
        if _NAME.search(name) and _is_random(match[group]) and (match[1] or _is_plain(match)):
            yield Credential("password or key", match.start(group), match.end(group))


def _is_plain(value: re.Match[str]) -> bool:
    """A text without quotes, and no expression of a program."""
    after = value.string[value.end() : value.end() + 1]
    return (
        len(value[3]) <= _VALUE_CHARACTERS and (not after or after in _AFTER_VALUE) and not _is_code(value[3])
    )


def _is_random(value: str) -> bool:
    """Letters and digits that no documentation would write in place of a secret."""
    if _PLACEHOLDERS.search(value) or value.casefold().strip("!.?") in _WORDS:
        return False
    return (
        any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
        and len(set(value)) > 4
    )


def _is_code(value: str) -> bool:
    """An expression rather than a text: `self.token1`, `os.path`, `a/b.py`."""
    return bool(re.fullmatch(r"[A-Za-z_]\w*(?:[./:][\w/-]+)+", value))


MASK_SHOWS = 4


def masked(text: str) -> str:
    """With all but the first characters of each credential replaced by an ellipsis."""
    secrets = {text[found.start : found.end] for found in find_credentials(text)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, mask(secret))
    return text


def mask(secret: str) -> str:
    return f"{secret[:MASK_SHOWS] if len(secret) >= 4 * MASK_SHOWS else ''}…"
