"""How credentials look: a table of families, each known by its own mark.

The server has one for uploads, which is narrower and says why (marketplace/guardrails/credentials.py); the
client is installed without it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agnes.cli.redaction.views import Span


class Family(NamedTuple):
    """Each credential of it holds one of `marks`, which are looked for first because that is fast. The secret
    is group 1 of the pattern. `is_exact`: all are of one length, so that the rest must be on the next line where
    a line ends too early."""

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    is_exact: bool


def _family(name: str, marks: str, pattern: str, *, exact: bool = False) -> Family:
    return Family(name, tuple(marks.split()), re.compile(pattern), exact)


# Nothing of a word before, nothing of one behind.
_B, _E = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"

FAMILIES = (
    _family("Agnes token", "agnes_", rf"(?<!\w)(agnes_[a-z0-9]{{12}}_[A-Za-z0-9]{{40}}){_E}", exact=True),
    _family("AWS access key", "AKIA ASIA ABIA ACCA", rf"{_B}(A(?:KI|SI|BI|CC)A[A-Z0-9]{{16}}){_E}", exact=True),
    _family(
        "AWS secret key", "ecret ECRET",
        r"(?i:secret_?(?:access_?)?key)\W{1,8}([A-Za-z0-9/+]{40})(?![\w/+])", exact=True,
    ),
    _family("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_B}(gh[pousr]_[A-Za-z0-9]{{36}}){_E}", exact=True),
    _family("GitHub token", "ghs_ ghu_", rf"{_B}(gh[su]_[A-Za-z0-9_.-]{{37,600}})"),
    _family("GitHub token", "github_pat_", r"(github_pat_[A-Za-z0-9_]{20,251})"),
    _family("GitLab token", "glpat- gldt- glrt- glptt- glsoat- glcbt-", r"(gl(?:pat|dt|rt|ptt|soat|cbt)-[\w.-]{20,300})"),
    _family("Anthropic key", "sk-ant-", r"(sk-ant-[\w-]{16,300})"),
    _family("OpenAI key", "sk-", r"(?<![\w-])(sk-(?!ant-)(?:proj-|svcacct-|admin-|or-)?(?=[\w-]{0,150}\d)[\w-]{20,300})"),
    _family("Slack token", "xox", rf"{_B}(xox[abceoprs](?:\.[a-z]+)?-[\w-]{{10,300}})"),
    _family("Slack app token", "xapp-", r"(xapp-\d-[\w-]{10,300})"),
    _family("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/]{20,200})"),
    _family("Discord webhook", "/api/webhooks/", r"/api/webhooks/(\d{10,25}/[\w-]{30,100})"),
    _family("Discord bot token", ".G", rf"{_B}([MNO][A-Za-z\d]{{23,25}}\.G[\w-]{{5}}\.[\w-]{{27,40}})"),
    _family("Stripe key", "k_live_ k_test_ whsec_", rf"{_B}((?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9+/=]{{10,250}})"),
    _family("Google API key", "AIza", r"(?<![\w-])(AIza[\w-]{35})(?![\w-])", exact=True),
    _family("Google OAuth token", "GOCSPX- ya29. 1//0", r"(?<![\w/-])((?:GOCSPX-[\w-]{20,60}|ya29\.[\w.-]{20,2000}|1//0[\w-]{30,300}))"),
    _family("npm token", "npm_", rf"{_B}(npm_[A-Za-z0-9]{{36}}){_E}", exact=True),
    _family("PyPI token", "pypi-Ag", r"(pypi-Ag[\w-]{40,500})"),
    _family("Hugging Face token", "hf_ api_org_", rf"{_B}((?:hf|api_org)_[A-Za-z0-9]{{30,64}})"),
    _family("SendGrid key", "SG.", r"(?<!\w)(SG\.[\w-]{16,32}\.[\w-]{32,64})"),
    _family("Mailgun key", "key-", rf"{_B}(key-[0-9a-f]{{32}}){_E}", exact=True),
    _family("Twilio key", "SK", rf"{_B}(SK[0-9a-f]{{32}}){_E}", exact=True),
    _family("Azure key", "AccountKey= SharedAccessKey= sig=", r"(?:AccountKey|SharedAccessKey|[?&]sig)=([A-Za-z0-9+/%]{40,120}={0,2})"),
    _family("Azure client secret", "Q~", rf"{_B}([A-Za-z0-9_~.-]{{3}}\dQ~[A-Za-z0-9_~.-]{{31,34}})"),
    _family("Telegram bot token", ":AA", r"(?<!\d)(\d{8,10}:AA[\w-]{32,35})(?![\w-])", exact=True),
    _family("DigitalOcean token", "doo_v1_ dop_v1_ dor_v1_", r"(do[opr]_v1_[0-9a-f]{64})", exact=True),
    _family("Databricks token", "dapi", r"(?<![a-z0-9])(dapi[0-9a-f]{32}(?:-\d)?)(?![0-9a-f])", exact=True),
    _family("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})", exact=True),
    _family("Vault token", "hvs. hvb. hvr.", r"(?<!\w)(hv[sbr]\.[\w-]{24,300})"),
    _family("Docker token", "dckr_pat_ dckr_oat_", r"(dckr_[po]at_[\w-]{20,64})"),
    _family("Atlassian token", "ATATT3 ATCTT3", r"(AT[AC]TT3[\w=+/-]{30,300})"),
    _family("Grafana token", "glsa_ glc_", rf"{_B}((?:glsa|glc)_[A-Za-z0-9_+/=]{{30,200}})"),
    _family("Linear key", "lin_api_ lin_oauth_", r"(lin_(?:api|oauth)_[A-Za-z0-9]{32,64})"),
    _family("Notion token", "ntn_ secret_", rf"{_B}((?:ntn|secret)_[A-Za-z0-9]{{43,50}}){_E}"),
    _family("Sentry token", "sntrys_ sntryu_", r"(sntry[su]_[\w=+/-]{40,300})"),
    _family("New Relic key", "NRAK-", rf"(NRAK-[A-Z0-9]{{27}}){_E}", exact=True),
    _family("Supabase key", "sbp_ sb_secret_", rf"{_B}((?:sbp|sb_secret)_[\w-]{{30,64}})"),
    _family("Replicate or Groq key", "r8_ gsk_", rf"{_B}((?:r8|gsk)_[A-Za-z0-9]{{36,64}})"),
    _family("Terraform token", ".atlasv1.", rf"{_B}([A-Za-z0-9]{{14}}\.atlasv1\.[\w-]{{60,80}})"),
    _family("age key", "AGE-SECRET-KEY-", rf"(AGE-SECRET-KEY-1[A-Z0-9]{{58}}){_E}", exact=True),
    _family("JSON web token", "eyJ", r"(?<![\w-])(eyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}\.[\w-]{10,2000})"),
    _family("password in an address", "://", r"://[^\s/:@'\"<>]{0,64}:([^\s/:@'\"<>]{3,256})@[\w.\[-]"),
)  # fmt: skip


ADDRESS = FAMILIES[-1]
_PLACEHOLDER = re.compile(
    r"(?i)\A(?:pass(?:word|wd)?|pwd|secret|token|user|x+|\*+|\.+|<.*|\$.*|%.*|\{.*|\[.*|your.*|.*redacted.*|…)\Z"
)


# Any mark, also over the end of a line that stands as \\n.
_ANY_MARK = re.compile(
    "|".join(
        r"(?:\\n)?".join(map(re.escape, mark))
        for mark in sorted({mark for family in FAMILIES for mark in family.marks})
    )
)


def marked(text: str) -> list[Family]:
    """Those of which something may be in the text, with or without its escapes."""
    if _ANY_MARK.search(text) is None:
        return []
    unbroken = text.replace("\\n", "").replace("\n", "")
    found = [it for it in FAMILIES if any(mark in text or mark in unbroken for mark in it.marks)]
    return found if "@" in text else [it for it in found if it is not ADDRESS]


def found_in(text: str, families: Iterable[Family]) -> Iterator[tuple[Family, Span]]:
    for family in families:
        for match in family.pattern.finditer(text):
            if family is not ADDRESS or not _PLACEHOLDER.match(match[1]):
                yield family, match.span(1)
