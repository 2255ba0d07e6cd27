"""Credentials in any file, and files that hold nothing else by their name."""

import re
from collections.abc import Iterator

from marketplace.guardrails.citing import hold, line_at, shortened_to
from marketplace.guardrails.credentials import find_credentials, mask
from marketplace.guardrails.normalising.texts import unescaped
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Block, FileContent

_BY_NAME = re.compile(
    r"(?i)\.env(?:\..+)?|.+\.env|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)|id_(?:rsa|dsa|ecdsa|ed25519)[^.]*"
    r"|id_[a-z0-9]+|\.netrc|_netrc|\.pgpass|\.git-credentials|\.pypirc|\.htpasswd|\.dockercfg"
)
_HARMLESS_NAMES = re.compile(
    r"(?i).*\.env\.(?:example|sample|template|dist|schema|defaults?)|(?:example|sample|template)\.env"
)
_PUBLIC = re.compile(rb"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|X509 CRL)-----")
_CURE = "Take it out and revoke it: others may have seen it. Read it from the environment instead."


def check_secrets(file: FileContent) -> Iterator[Finding]:
    name = file.path.rpartition("/")[2]
    if _BY_NAME.fullmatch(name) and not _HARMLESS_NAMES.fullmatch(name) and not _is_public(file):
        cure = "Leave it out; an `.env.example` without values is fine."
        yield hold("secret_file", "Files of this name hold credentials.", cure, file.path)
    seen: set[tuple[str, str]] = set()
    for block in file.blocks():
        block = Block(unescaped(block.text), block.line)
        for found in find_credentials(block.text):
            secret = (found.family, block.text[found.start : found.end])
            if secret not in seen:
                seen.add(secret)
                # A line of a key does not look like one: it is masked because it was found.
                line = line_at(block.text, found.start).replace(secret[1], mask(secret[1]))
                text = f"{found.family}: {shortened_to(line, mask(secret[1]))}"
                yield hold("secret", text, _CURE, file.path, block.line_of(found.start))


def _is_public(file: FileContent) -> bool:
    """Certificates and public keys are there to be shown."""
    return bool(_PUBLIC.search(file.content)) and b"PRIVATE KEY" not in file.content
