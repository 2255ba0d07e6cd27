from time import process_time

import pytest

from accounts.markdown import render_markdown

# As long as the longest README.
BYTES = 128 * 1024
SECONDS = 5


class TestRenderMarkdown:
    def test_it_renders_below_the_headings_of_the_page(self):
        html = render_markdown("# Kit\n\n**Bold** `code`\n\n|a|\n|-|\n|1|\n\n###### Low")
        assert "<h3>Kit</h3>" in html
        assert "<h6>Low</h6>" in html
        assert "<strong>Bold</strong> <code>code</code>" in html
        assert "<td>1</td>" in html

    def test_links_to_the_web_stay(self):
        html = render_markdown("[docs](https://example.com/a?b=1)")
        assert html == (
            '<p><a href="https://example.com/a?b=1" rel="noopener noreferrer nofollow">docs</a></p>\n'
        )

    @pytest.mark.parametrize(
        "target",
        ["./docs/x.md", "/admin/logout/", "//evil.example/x", "#part", "javascript:alert(1)", "data:x"],
    )
    def test_other_links_lead_nowhere(self, target: str):
        assert "href" not in render_markdown(f"[text]({target})")

    @pytest.mark.parametrize("source", ["https://example.com/x.png", "x.png", "data:image/png;base64,AA"])
    def test_images_become_words(self, source: str):
        html = render_markdown(f"![a <b> picture]({source})")
        assert "<img" not in html
        assert "picture</span>" in html
        assert source not in html

    @pytest.mark.parametrize(
        "markup",
        [
            "<script>alert(1)</script>",
            "<b onclick=alert(1)>x</b>",
            "<style>*{display:none}</style>",
            "<iframe src=//evil.example></iframe>",
            "<svg onload=alert(1)>",
        ],
    )
    def test_markup_is_shown_as_text(self, markup: str):
        html = render_markdown(f"before\n\n{markup}\n\nafter")
        assert markup.partition(">")[0] not in html
        assert "&lt;" in html

    @pytest.mark.parametrize(
        "part", ["[", "> ", "*a ", "`", "![", "[a](", "- ", "|a", "<", "\\", "&", "a\n\n"]
    )
    def test_a_hostile_one_is_rendered_within_seconds(self, part: str):
        began = process_time()
        render_markdown(part * (BYTES // len(part)))
        assert process_time() - began < SECONDS
