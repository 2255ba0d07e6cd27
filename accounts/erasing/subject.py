"""Who is erased, and how to tell that a text names them."""

import re
from dataclasses import dataclass
from functools import cached_property

# Shorter ones stand in half of all texts.
SHORTEST_NAME = 3
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*", re.ASCII)


@dataclass(frozen=True)
class Subject:
    """`session_ids`: those of all sessions that are here, or may not be."""

    pk: int
    email: str
    name: str
    session_ids: frozenset[str]

    @property
    def pseudonym(self) -> str:
        return f"erased-{self.pk}"

    @property
    def pseudonymous_email(self) -> str:
        """Of a domain that nobody can have (RFC 2606)."""
        return f"{self.pseudonym}@erased.invalid"

    def mentioned_in(self, *texts: object) -> bool:
        """By e-mail address, name, or one of their sessions."""
        return any(self._is_in(str(text)) for text in texts if text)

    def _is_in(self, text: str) -> bool:
        if self._names and self._names.search(text):
            return True
        words = {word.rstrip(".-") for word in _WORD.findall(text)}
        return not self._plain_ids.isdisjoint(words) or any(one in text for one in self._odd_ids)

    @cached_property
    def _names(self) -> re.Pattern[str]:
        """The beginning of a session_file names them as well."""
        return re.compile(f"{self._words.pattern}|(?<![A-Za-z0-9])u{self.pk}_")

    @cached_property
    def _words(self) -> re.Pattern[str]:
        """Names are meant as they are written: “Will” is not “will”."""
        words = [f"(?i:{re.escape(self.email)})"]
        if len(self.name) >= SHORTEST_NAME:
            words.append(re.escape(self.name))
        return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")

    def without_names(self, text: str) -> str:
        """With the pseudonym in their place."""
        return self._words.sub(self._in_place_of, text)

    def _in_place_of(self, found: re.Match[str]) -> str:
        return self.pseudonymous_email if "@" in found[0] else self.pseudonym

    @cached_property
    def _plain_ids(self) -> frozenset[str]:
        return frozenset(one for one in self.session_ids if _WORD.fullmatch(one))

    @cached_property
    def _odd_ids(self) -> frozenset[str]:
        return self.session_ids - self._plain_ids - {""}
