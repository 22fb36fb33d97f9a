"""Limits for a process that reads foreign documents.

Knows what the operating system lets a process forbid itself. Does not know documents.
"""

from __future__ import annotations

import sys


def limit_memory(megabytes: int) -> None:
    """Lets this process hold so much memory of its own; beyond that Python raises MemoryError, which ends in a reason.

    For a child process: there is no way back. It works on Linux alone (elsewhere nothing counts what is really held);
    where it does not, the time limit of whoever started the process has to do.
    """
    if sys.platform != "linux":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * 1_000_000
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what is killed leaves no image of its memory on the disk
