"""Archives that no packer writes: each is rejected for its own reason, an ordinary one is not."""

import stat
import struct
import zipfile

import pytest

from marketplace.guardrails import Verdict
from marketplace.tests.guardrails.helpers import SKILL, Part, codes, raw_zip, zipped

SKILL_PART = Part(b"SKILL.md", SKILL.encode())
MB = 1024 * 1024


def rejected(look, content):
    inspection = look(content)
    assert inspection.verdict is Verdict.REJECT
    assert not inspection.files
    assert not inspection.digest
    return codes(inspection)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_ordinary_one_is_accepted(look, method):
    assert look(zipped({"SKILL.md": SKILL}, method)).verdict is Verdict.ACCEPT
    assert look(raw_zip([SKILL_PART])).verdict is Verdict.ACCEPT


def test_a_comment_and_data_descriptors_are_no_harm(look):
    assert look(raw_zip([SKILL_PART], comment=b"Packed by hand.")).verdict is Verdict.ACCEPT
    assert (
        look(raw_zip([SKILL_PART, Part(b"a.txt")], between=b"PK\7\x08" + 12 * b"0")).verdict is Verdict.ACCEPT
    )


@pytest.mark.parametrize(
    "name",
    ["../x.md", "a/../../x.md", "..", "a/..", "..\\x.md", "a\\..\\x.md", "\uff0e\uff0e/x.md", "\u2025/x.md"],
)
def test_names_that_lead_outside(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"path_outside"}


@pytest.mark.parametrize("name", ["../", "a/../../"])
def test_folders_that_lead_outside(look, name):
    part = Part(name.encode(), b"", zipfile.ZIP_STORED, attributes=(stat.S_IFDIR | 0o755) << 16)
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"path_outside"}


@pytest.mark.parametrize(
    "name",
    ["/etc/cron.d/x", "C:/x.md", "C:x.md", "C:\\x.md", "\\\\server\\share\\x", "//server/share/x", "\\x"],
)
def test_absolute_names(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"path_absolute"}


@pytest.mark.parametrize("name", ["a\\b.md", "file.md:stream", "a/b:c"])
def test_names_that_windows_reads_otherwise(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"path_windows"}


@pytest.mark.parametrize("name", ["a//b.md", "./a.md", "a/./b.md"])
def test_names_with_parts_that_say_nothing(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"path_unclear"}


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_links_and_special_files(look, mode):
    part = Part(b"scripts/run", b"/etc/passwd", attributes=mode << 16)
    assert rejected(look, raw_zip([SKILL_PART, part])) <= {"link", "special_file"}


def test_a_folder_with_content_and_a_file_marked_as_a_folder(look):
    assert rejected(look, raw_zip([SKILL_PART, Part(b"a/", b"content")])) == {"archive_ambiguous"}
    part = Part(b"a", b"content", attributes=(stat.S_IFDIR | 0o755) << 16)
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_ambiguous"}


def test_a_bomb_is_told_by_its_ratio(look):
    assert "bomb" in rejected(look, raw_zip([SKILL_PART, Part(b"a.txt", bytes(4 * MB))]))


def test_many_small_bombs_are_one(look):
    parts = [Part(f"{number}.txt".encode(), bytes(MB)) for number in range(10)]
    assert rejected(look, raw_zip([SKILL_PART, *parts])) == {"bomb"}


def test_a_file_and_all_files_have_a_size(look):
    assert "file_too_large" in rejected(look, raw_zip([SKILL_PART, Part(b"a", size=5 * MB + 1)]))
    parts = [Part(f"{number}".encode(), size=5 * MB) for number in range(13)]
    assert "too_large" in rejected(look, raw_zip([SKILL_PART, *parts]))
    assert rejected(look, bytes(20 * MB + 1)) == {"too_large"}


@pytest.mark.parametrize("size", [1, 99, 4 * MB])
def test_sizes_that_lie(look, size):
    part = Part(b"a.bin", b"0123456789" * 10, packed=None, size=size)
    assert rejected(look, raw_zip([SKILL_PART, part])) <= {"archive_lies", "bomb"}


def test_a_size_that_lies_with_the_checksum_of_what_it_says(look):
    import zlib

    part = Part(b"a.bin", bytes(50_000), size=10, crc=zlib.crc32(bytes(10)))
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_lies"}


def test_a_wrong_checksum_and_a_cut_stream(look):
    assert rejected(look, raw_zip([SKILL_PART, Part(b"a", crc=7)])) == {"archive_lies"}
    assert rejected(look, raw_zip([SKILL_PART, Part(b"a", b"x" * 99, packed=b"\x01\x02")])) == {
        "archive_lies"
    }


def test_a_stream_with_something_behind_its_end(look):
    part = Part(b"a", b"x", zipfile.ZIP_DEFLATED, packed=b"\x4b\xab\xa8\x02\x00" + b"hidden", size=3)
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_lies"}


def test_too_many_files_and_levels(look):
    assert look({"SKILL.md": SKILL} | {f"{n}.txt": "x" for n in range(499)}).verdict is Verdict.ACCEPT
    assert rejected(look, zipped({"SKILL.md": SKILL} | {f"{n}.txt": "x" for n in range(500)})) == {
        "too_many_files"
    }
    assert rejected(look, zipped({f"{n}.txt": "" for n in range(5000)})) == {"too_many_files"}
    assert rejected(look, zipped({"SKILL.md": SKILL, "/".join("abcdefghi"): "x"})) == {"path_too_long"}
    assert rejected(look, zipped({"SKILL.md": SKILL, "é" * 91: "x"})) == {"path_too_long"}


def test_two_files_of_one_name(look):
    assert rejected(look, raw_zip([SKILL_PART, Part(b"SKILL.md", b"other")])) == {"name_twice"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.md", "A.md"),
        ("straße", "STRASSE"),
        ("\u00e9.md", "e\u0301.md"),
        ("ﬁ.md", "fi.md"),
        ("x/a", "X/b"),
        ("a", "a/b"),
        ("\u212a", "k"),
    ],
)
def test_names_that_are_one_elsewhere(look, one, other):
    content = raw_zip([SKILL_PART, Part(one.encode()), Part(other.encode())])
    assert rejected(look, content) == {"name_collides"}


@pytest.mark.parametrize("name", ["a.", "a ", "a./b", "b/c /d"])
def test_endings_that_windows_drops(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"name_ending"}


@pytest.mark.parametrize("name", ["CON", "nul.txt", "a/com1.md", "LPT9", "aux/x", "con .txt", "COM¹"])
def test_devices_of_windows(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"name_device"}


@pytest.mark.parametrize("char", "\x00\n\x1b\x7f\x85\u200b\u200f\u202e\u2066\ufeff\u2028\U000e0041")
def test_characters_that_cannot_be_seen(look, char):
    inspection = look(raw_zip([SKILL_PART, Part(f"a{char}b.md".encode())]))
    assert codes(inspection, "reject") == {"name_invisible"}
    assert inspection.findings[0].path.isprintable()


def test_names_in_no_known_encoding(look):
    assert rejected(look, raw_zip([SKILL_PART, Part(b"p\xf8ehled.md")])) == {"name_encoding"}


@pytest.mark.parametrize("flags", [1, 1 | 1 << 6, 1 << 13, 1 << 5])
def test_encrypted_ones(look, flags):
    assert rejected(look, raw_zip([Part(b"SKILL.md", SKILL.encode(), flags=flags)])) == {"archive_encrypted"}


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 95, 99])
def test_odd_methods(look, method):
    assert rejected(look, raw_zip([SKILL_PART, Part(b"a", method=method)])) == {"archive_method"}


@pytest.mark.parametrize("prefix", [b"#!/bin/sh\n", b"\x89PNG\r\n\x1a\n" + bytes(100), b"MZ" + bytes(510)])
def test_something_in_front_of_it(look, prefix):
    assert rejected(look, prefix + zipped({"SKILL.md": SKILL})) <= {"archive_ambiguous", "archive_prefixed"}


def test_something_in_front_of_it_with_offsets_that_know(look):
    prefix = b"#!/bin/sh\nexit\n"
    content = bytearray(prefix + raw_zip([SKILL_PART]))
    end = content.rfind(b"PK\5\6")
    start = content.find(b"PK\1\2")
    struct.pack_into("<L", content, end + 16, start)
    struct.pack_into("<L", content, start + 42, len(prefix))
    assert rejected(look, bytes(content)) == {"archive_prefixed"}


def test_something_behind_it_or_between(look):
    assert rejected(look, zipped({"SKILL.md": SKILL}) + b"more") == {"archive_unreadable"}
    assert rejected(look, raw_zip([SKILL_PART, Part(b"a")], between=b"?" * 25)) == {"archive_hides"}


def test_members_that_share_bytes(look):
    one = Part(b"a.txt", b"x" * 1000)
    twins = [Part(b"a.txt", b"x" * 1000, offset=0) for _ in range(3)]
    assert rejected(look, raw_zip([one, *twins, SKILL_PART])) == {"archive_overlaps"}


def test_a_local_header_that_names_another_file(look):
    part = Part(b"README.md", b"x", local_name=b"../../x.m")
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_lies"}


def test_a_second_name_in_the_extra_field(look):
    other = b"\1" + bytes(4) + b"../../evil.sh"
    part = Part(b"a.md", extra=struct.pack("<HH", 0x7075, len(other)) + other)
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_ambiguous"}
    same = b"\1" + bytes(4) + b"a.md"
    part = Part(b"a.md", extra=struct.pack("<HH", 0x7075, len(same)) + same)
    assert look(raw_zip([SKILL_PART, part])).verdict is Verdict.ACCEPT


def test_sizes_of_zip64(look):
    part = Part(b"a", size=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 1 << 40))
    assert rejected(look, raw_zip([SKILL_PART, part])) == {"archive_zip64"}
    content = raw_zip([SKILL_PART])
    end = content.rfind(b"PK\5\6")
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    assert rejected(look, content[:end] + locator + content[end:]) <= {"archive_zip64"}


def test_two_ends(look):
    inner = raw_zip([Part(b"SKILL.md", b"---\nname: other\n---\n")])
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    assert rejected(look, raw_zip([SKILL_PART], comment=end)) <= {"archive_unreadable", "archive_ambiguous"}
    assert rejected(look, inner + raw_zip([SKILL_PART])) <= {"archive_ambiguous", "archive_prefixed"}


def test_several_disks(look):
    content = bytearray(raw_zip([SKILL_PART]))
    struct.pack_into("<H", content, content.rfind(b"PK\5\6") + 4, 1)
    assert rejected(look, bytes(content)) == {"archive_in_parts"}


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\3\4" + bytes(50), b"PK\5\6" + bytes(18)])
def test_what_is_no_archive(look, content):
    assert rejected(look, content) <= {"archive_unreadable", "empty"}


def test_a_directory_that_ends_early_or_counts_wrongly(look):
    content = raw_zip([SKILL_PART, Part(b"a")])
    at = content.rfind(b"PK\5\6")
    for count in (1, 3):
        changed = bytearray(content)
        struct.pack_into("<HH", changed, at + 8, count, count)
        assert rejected(look, bytes(changed)) <= {"archive_ambiguous", "archive_unreadable"}


@pytest.mark.parametrize("name", [".git/config", "a/.git/hooks/post-checkout", ".GIT/x", "git~1/x", ".git"])
def test_the_folder_of_git(look, name):
    assert rejected(look, raw_zip([SKILL_PART, Part(name.encode())])) == {"git_folder"}


def test_every_cut_and_every_broken_byte_is_a_verdict(look):
    content = zipped({"SKILL.md": SKILL, "a/b.txt": "text"})
    for at in range(0, len(content), 7):
        assert look(content[:at]).verdict is Verdict.REJECT
        broken = bytearray(content)
        broken[at] ^= 0xFF
        assert look(bytes(broken)).verdict in Verdict
