"""What the kernel keeps a process from, whatever runs in it. Linux; elsewhere the limits alone hold."""

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from accounts.linux import c_library, system_call

LIMITS = {
    resource.RLIMIT_AS: 2_500 * 1024 * 1024,
    resource.RLIMIT_CPU: 10,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
}
# The kernel's table of system calls, alike on all 64-bit machines, and linux/landlock.h.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE = 1 << 2
# EXECUTE, WRITE_FILE and READ_FILE; REMOVE_DIR to MAKE_SYM. REFER came with version 2, TRUNCATE with 3.
_FILES = sum(1 << bit for bit in (0, 1, 2, *range(4, 13)))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
# BIND_TCP and CONNECT_TCP came with version 4; abstract sockets and signals of other processes with 6.
_TCP = _OTHERS = 0b11
# linux/prctl.h.
_SET_PDEATHSIG, _SET_NO_NEW_PRIVILEGES = 1, 38


def limit() -> None:
    """Little memory and processor time, nothing written to files; first to go where memory is short.

    It also ends when the thread that started it does, such as in a server that is killed.
    """
    for what, most in LIMITS.items():
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(AttributeError):
        c_library().prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine(readable: Iterable[str]) -> bool:
    """From now on it reads what lies at or below these paths, writes no file and starts no program.

    It also reaches no TCP port (Linux 6.7 and later) and signals no other process (6.12). What is open stays
    so. Returns whether the kernel does that (Landlock: Linux 5.13 and later).
    """
    if version() < 1:
        return False
    attributes = _handled(version())
    try:
        ruleset = system_call(
            _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
        )
        for path in readable:
            _allow_reading(ruleset, path)
        if c_library().prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        system_call(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0))
    except OSError:
        return False
    return True


def version() -> int:
    """Of the kernel's Landlock; 0 where it has none."""
    try:
        return system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except (AttributeError, OSError):
        return 0


def _handled(version: int) -> bytes:
    files = _FILES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    return struct.pack("QQQ", files, _TCP if version >= 4 else 0, _OTHERS if version >= 6 else 0)


def _allow_reading(ruleset: int, path: str) -> None:
    """What is not there need not be allowed."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = struct.pack("=Qi", _READ_FILE, place)
    try:
        system_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint32(0))
    finally:
        os.close(place)
