"""READMEs of plugins, kept rendered while their pages are looked at."""

from functools import lru_cache

from django.utils.safestring import SafeString

from accounts.markdown import render_markdown

RENDERED_AT_ONCE = 64


@lru_cache(maxsize=RENDERED_AT_ONCE)
def render_readme(markdown: str) -> SafeString:
    """Safe HTML, with headings below those of the page."""
    return render_markdown(markdown)
