"""Programs that nobody can read, and the folder that is added to the PATH."""

import re
from collections.abc import Iterator

from marketplace.guardrails.citing import hold
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import FileContent

_BEGINNINGS = {
    b"\x7fELF": "Linux",
    b"\xfe\xed\xfa\xce": "macOS",
    b"\xfe\xed\xfa\xcf": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS or Java",
    b"\xca\xfe\xba\xbf": "macOS",
    b"\0asm": "WebAssembly",
    b"dex\n": "Android",
    b"L\0\0\0\x01\x14\x02\0": "a Windows shortcut",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Windows Installer or an old Office file",
    b"BC\xc0\xde": "LLVM",
}
_NAMES = re.compile(
    r"(?i).*\.(?:so(?:\.\d+)*|dll|dylib|exe|com|scr|msi|sys|pyc|pyo|pyd|class|node|o|a|wasm|lnk|elf|ko|bundle)"
)
_CURE = "Leave it out, or put its source in: an admin has to let programs through."


def check_executables(file: FileContent) -> Iterator[Finding]:
    if system := _system(file.content):
        yield hold("native_executable", f"It is a compiled program ({system}).", _CURE, file.path)
    elif _NAMES.fullmatch(file.path.rpartition("/")[2]):
        yield hold("native_executable", "By its name it is a compiled program.", _CURE, file.path)
    if file.path.lower().startswith("bin/"):
        text = "It is put on the PATH, where it can stand in for any other program."
        yield hold("on_the_path", text, "Put it into `scripts/` and call it by its path.", file.path)


def _system(content: bytes) -> str | None:
    for beginning, system in _BEGINNINGS.items():
        if content.startswith(beginning):
            return system
    if content.startswith(b"MZ") and b"\0" in content[:64]:
        return "Windows"
    # Compiled Python: two bytes of version, then a line end that text tools would break.
    return "Python" if content[2:4] == b"\r\n" and b"\0" in content[4:16] else None
