"""Has the kernel run a process soon after it wakes: an attempt must not be late because others compute.

Two ways, each where it is possible: a short slice, which anybody may ask for and which lets a waking
process take the place of one with a longer (Linux 6.12 and later); and a nice value, for which it
takes root or ``CAP_SYS_NICE``. Neither is needed for a drill; both make its lags shorter.

Sources: https://docs.kernel.org/scheduler/sched-eevdf.html,
https://man7.org/linux/man-pages/man2/sched_setattr.2.html,
https://man7.org/linux/man-pages/man2/setpriority.2.html
"""

import contextlib
import ctypes
import os
import platform
import struct

NICE = -15
SLICE_NS = 100_000
# sched_setattr has no function in the C library before glibc 2.41.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
# size, policy, flags, nice, priority, runtime (the slice of SCHED_OTHER), deadline, period
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")


def come_first() -> None:
    """Ask for it for the calling thread, and for the threads and processes that it starts from now on."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None and platform.system() == "Linux":
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
        # A kernel that knows no slices ignores it, and one that refuses it leaves all as it was.
        ctypes.CDLL(None).syscall(number, 0, wanted, 0)
