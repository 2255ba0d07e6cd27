"""Markdown of strangers as HTML that can do no harm and loads nothing."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# The page has a title and headings of sections above those of the text.
HEADINGS_BELOW = 2
LOWEST_HEADING = 6
TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "span": {"class"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}


def render_markdown(markdown: str) -> SafeString:
    """Markup in the text is shown as text; links that lead nowhere from here, and images, become words."""
    html = nh3.clean(
        _parser().render(markdown),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("headings_below", _lower_headings)
    parser.add_render_rule("image", _image_in_words)
    return parser


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + HEADINGS_BELOW, LOWEST_HEADING)}"


def _image_in_words(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: Any,
    env: MutableMapping[str, Any],
) -> str:
    alt = renderer.renderInlineAsText(tokens[index].children or [], options, env)
    return f'<span class="image">{escape(alt or "image")}</span>'


def _kept(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href" and not value.lower().startswith(("http://", "https://", "mailto:")):
        return None
    if attribute == "class" and value != "image":
        return None
    return value
