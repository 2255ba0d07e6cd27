"""What somebody names a password or a key and gives a value at once: password = "…", API_KEY: …, Bearer …"""

import re
from collections.abc import Iterator

from agnes.cli.redaction.views import Span

# In lower case and with its escapes: quickly tells where something may be given a value.
_MAY_BE = re.compile(
    r"""(?:passw(?:or)?d|passphrase|passcode|pwd|_pass|heslo|secret|key(?!s)|token(?!s))[a-z0-9_.-]{0,20}"""
    r"""[\\"'` \t]{0,10}(?:[:=]|\\u003[ad]| )[=>\\"'` \t]{0,12}[^\s"'`,;&<>{}()\[\]|]{6}"""
    r"""|authorization|x-api-key|private-token|x-auth-token|bearer |bearer\\"""
)
_NAMES = re.compile(
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|_pass|heslo|secret|api|access|auth|private|client|signing"
    r"|encryption|account|master|bearer|refresh|id|session|bot|deploy|personal|token)(?=[a-z0-9_.-]{0,40}"
    r"""["'`]{0,2}[\t ]{0,4}[:=])"""
)
HEADERS = ("authorization", "x-api-key", "private-token", "x-auth-token")
_NAME = r"""
    (?: (?P<weak> passw(?:or)?d | passphrase | passcode | (?<![a-z])pwd | _pass | heslo )
      | secret | (?:api|access|auth|private|secret|client|signing|encryption|account|master)[_.-]?key(?!s)
      | (?:access|auth|api|bearer|refresh|id|session|bot|deploy|personal)[_.-]?token(?!s)
      | (?<![a-z])token(?!s)
    )
    [a-z0-9_.-]{0,20}
"""
_ASSIGNED = re.compile(
    rf"""(?ix) {_NAME} ["'`]{{0,2}} [\t ]{{0,4}} (?: => | := | [:=] ) [\t ]{{0,4}}
    (?: (?P<quote>["'`]) (?P<quoted>[^"'`\s]{{6,400}}) (?P=quote)
      | (?P<bare>[^\s"'`,;&<>{{}}()\[\]|\\]{{6,400}}) (?=[\s"'`,;&|\\)}}\]]|\Z) )""",
)
_OPTION = re.compile(r"""(?i)--?(?:password|passwd|token|api-?key|secret)[ =]+["'`]?([^\s"'`\\]{6,400})""")
_HEADER = re.compile(
    r"""(?i)(?:authorization|x-api-key|private-token|x-auth-token)["'`]?\s{0,3}[:=,]\s{0,3}["'`]?"""
    r"""(?:(?:bearer|basic|token|apikey)\s{1,3})?([\w.~+/=-]{16,4000})"""
)
_BEARER = re.compile(r"(?i)\bbearer\s{1,3}([\w.~+/=-]{20,4000})")
_PLACEHOLDER = re.compile(
    r"(?i)example|your|change_?-?me|placeholder|x{4}|\*{3}|\.{3}|redacted|dummy|sample|insert|replace"
    r"|todo|environ|getenv|process\.|config\.|settings\.|secrets\.|keyring|\$|%\(|\{|<|…|null|undefined"
)
# An expression of a program rather than a text: `self.token1`, `os.path`, `get_token2`.
_CODE = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|->)\w+)+|[a-z]+(?:_[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+")


def may_be_in(line: str) -> bool:
    """Of a line with its escapes."""
    return _MAY_BE.search(line.lower()) is not None


def found_in(text: str) -> Iterator[tuple[str, Span]]:
    """Of a line without its escapes."""
    lower = _lower(text)
    for name in _NAMES.finditer(lower):
        match = _ASSIGNED.match(text, name.start())
        if match is None:
            continue
        group = "quoted" if match["quoted"] else "bare"
        if _is_secret(match[group], is_quoted=group == "quoted", is_password=bool(match["weak"])):
            yield "password or key", match.span(group)
    if "--" in text or " -" in text:
        yield from _of(_OPTION, text, "password or key")
    if any(mark in lower for mark in HEADERS):
        yield from _of(_HEADER, text, "authorization header")
    if "bearer" in lower:
        yield from _of(_BEARER, text, "authorization header")


def _lower(text: str) -> str:
    """Of the same length, which some letters do not keep."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(it.lower()[:1] for it in text)


def _of(pattern: re.Pattern[str], text: str, name: str) -> Iterator[tuple[str, Span]]:
    for match in pattern.finditer(text):
        if _is_random(match[1]):
            yield name, match.span(1)


def _is_secret(value: str, *, is_quoted: bool, is_password: bool) -> bool:
    if _is_random(value):
        return is_quoted or not _CODE.fullmatch(value)
    # A password is what somebody chose: a sign among its letters is enough. One word may be any word.
    return is_password and is_quoted and not value.isalnum() and _may_be_secret(value)


def _is_random(value: str) -> bool:
    return any(it.isdigit() for it in value) and any(it.isalpha() for it in value) and _may_be_secret(value)


def _may_be_secret(value: str) -> bool:
    return len(set(value)) > 4 and not _PLACEHOLDER.search(value) and not _CODE.fullmatch(value)
