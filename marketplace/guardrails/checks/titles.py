"""What a plugin calls itself on pages and in Claude Code beside its name: `displayName` may be anything."""

from collections.abc import Iterator

from marketplace.guardrails.checks.injection import simplified
from marketplace.guardrails.checks.squatting import reserved_words, same_name
from marketplace.guardrails.citing import hold, reject
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import Subject
from marketplace.plugins.manifest import MANIFEST

_CURE = "Choose another `displayName`, or leave it out."


def check_title(subject: Subject) -> Iterator[Finding]:
    title = subject.plugin.display_name
    read_as = simplified(title)
    if other := same_name(read_as, subject.known.curated | subject.known.flea):
        text = f"It calls itself “{title}”, as if it were “{other}”."
        yield reject("title_taken", text, _CURE, MANIFEST)
    for word in reserved_words(read_as):
        text = f"It calls itself “{title}”, with “{word}” as if it were the maker's own."
        yield hold("title_reserved", text, f"{_CURE} Or ask an admin to let it through.", MANIFEST)
