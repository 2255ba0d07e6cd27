"""What owners say of their items in place of what the files say."""

import unicodedata

from marketplace.errors import DescriptionRefused
from marketplace.guardrails.limits import DESCRIPTION_CHARACTERS
from marketplace.store.inspecting_text import inspect_text

# Characters that act on what is around them, or that nobody sees.
INVISIBLE = ("Cc", "Cf", "Co", "Cs")


def checked_description(description: str) -> str:
    """Without blanks around it. Raises DescriptionRefused."""
    description = description.strip()
    if len(description) > DESCRIPTION_CHARACTERS:
        raise DescriptionRefused(f"The description is longer than {DESCRIPTION_CHARACTERS} characters.")
    if any(unicodedata.category(character) in INVISIBLE for character in description):
        raise DescriptionRefused("The description holds line breaks or characters that nobody sees.")
    if finding := next(iter(inspect_text(description)), None):
        raise DescriptionRefused(f"The description would have to wait for an admin. {finding.text}")
    return description
