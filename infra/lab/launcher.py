"""Become another program that dies with the lab. A script: run by path, imports nothing of ours.

``python -I -S launcher.py PARENT SIGNAL UID:GID PROGRAM ARGUMENT…`` (``-`` for UID:GID keeps the
user). The kernel sends SIGNAL when the thread that started this process is gone, however it
went; see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, death_signal: int, owner: str, program: list[str]) -> None:
    """Change the user if asked, tie this process's life to its parent's, and exec ``program``."""
    if owner != "-":
        uid, gid = (int(part) for part in owner.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid: a change of credentials clears the setting.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    # A parent that died before the setting was in force sends nothing any more.
    if os.getppid() != parent:
        sys.exit(1)
    # Python ignores these, and exec would hand that on.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
