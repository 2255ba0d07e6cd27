"""What the Linux kernel does that Python has no name for. Knows no Django."""

import ctypes
import os
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

# sched_setattr(2): its number by machine, the ordinary policy, and the longest slice, in nanoseconds.
_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274}
_SCHED_OTHER = 0
_LONGEST_SLICE = 100_000_000


def let_others_go_first(nice: int) -> None:
    """Wherever others want the processor, too: by so much more than now, up to 19 in all.

    Linux may share it out by session first, and `nice` then counts only within this process's own (sched(7),
    autogroup): if it leads one, that yields as well. Elsewhere `nice` alone does.
    """
    reached = os.nice(nice)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(reached))
    with suppress(OSError, AttributeError, KeyError):
        _take_long_slices(reached)


def system_call(number: int, *arguments: object) -> int:
    """Raises OSError; AttributeError where there is no such library."""
    result = int(c_library().syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


@cache
def c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _take_long_slices(nice: int) -> None:
    """Whoever wakes up with a shorter slice need not wait for the end of this one (Linux 6.12 and later)."""
    if os.sched_getscheduler(0) != _SCHED_OTHER:
        return
    # struct sched_attr: its size, policy, flags, nice, then priority, slice in nanoseconds, deadline, period.
    attributes = struct.pack("=IIQiIQQQ", 48, _SCHED_OTHER, 0, nice, 0, _LONGEST_SLICE, 0, 0)
    number = _SET_ATTRIBUTES[os.uname().machine]
    system_call(number, ctypes.c_int(0), attributes, ctypes.c_uint32(0))
