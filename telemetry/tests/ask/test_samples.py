"""What of a folder a model is told where real rows are sent."""

import pytest

from telemetry.ask.prompt.samples import project_folder, redacted


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/home/ann/shop", "/home/user1/.../shop"),
        ("/home/ann/code/customer/shop/", "/home/user1/.../shop"),
        ("/home/ann", "/home/user1"),
        ("/Users/ann", "/home/user1"),
        ("/root", "/home/user1"),
        ("", "/home/user1"),
        (r"C:\Users\ann", "/home/user1"),
        (r"C:\Users\ann\shop", "/home/user1/.../shop"),
        ("/mnt/c/Users/ann", "/home/user1"),
        ("/srv/data/ann@example.com", "/home/user1/.../user@example"),
        ("/srv/data/a\x1b[2Jb\n", "/home/user1/.../a[2Jb"),
    ],
)
def test_its_last_part_unless_that_may_be_a_person(path: str, told: str) -> None:
    assert project_folder(path) == told


def test_an_empty_id_stays_empty() -> None:
    """It says whose transcript it is."""
    assert redacted({"agent_id": "", "session_id": "0b6e59aa"}, {}) == {"agent_id": "", "session_id": "0b6e…"}
