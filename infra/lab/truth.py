"""The lab's own log of when each physical effect happened, for judging a drill's numbers.

Written where the bytes pass (gate, DNS reply, edge, table), after the effect and not where
it was asked for. The drill never reads it; tests do. JSON lines, one event each, with
``at_ns`` (monotonic clock) and ``kind``:

======================  =========================================================================
``path_closed``         packets on ``path`` (``edge``, ``endpoint``, ``database``) at ``address`` vanish
``path_opened``         they pass again
``request_served``      the edge wrote an answer: ``region method path status``
``checker_changed``     what one checker saw of an endpoint turned: ``health_check_id checker good``
``health_changed``      the aggregated state of a health check: ``health_check_id healthy``
``health_shown``        the name server's answers follow it from here on: ``health_check_id healthy``
``answer_changed``      a DNS server's answer changed: ``server`` (``authoritative`` or ``resolver``)
                        ``name before after last_before_ns expired_ns``
``item_written``        a table accepted a client's write: ``region table key deleted``
``item_replicated``     another region's table has it: ``region source table key written_ns``
``write_throttled``     a write was refused for want of capacity: ``region table index key`` (the key is
                        empty where the call was about several items)
``replication_paused``  ``region table``; and ``replication_resumed``
``alarm_changed``       a CloudWatch alarm shows another state: ``region alarm before after``
``message_arrived``     a topic's message can be read from a queue: ``region queue topic message_id``
``message_left``        a message that AWS would send out, such as a mail: ``endpoint subject text``
``database_up``         a database accepts connections: ``region cluster``; and ``database_down``
``database_restored``   a database has the files of a snapshot or of another one: ``region cluster``
``rows_restored``       what such a database holds, before anybody can reach it:
                        ``region cluster database table keys``
``database_caught_up``  one that follows another has all of it for the first time: ``region cluster``
``database_reached``    a client's connection reached a database's server: ``region cluster source``
``writer_changed``      AWS's API shows another instance as a cluster's writer: ``region cluster``
``database_promoted``   one that followed another takes writes: ``region cluster``
``snapshot_taken``      the instant whose data a snapshot holds: ``region snapshot cluster``
``snapshot_copied``     a copy is complete: ``region snapshot``
``function_started``    a function process is ready: ``region function version seconds provisioned``
``schedule_invoked``    a schedule's target took a call: ``schedule target due_s attempt``
``schedule_failed``     it did not: ``schedule target due_s attempt error``
======================  =========================================================================
"""

import json
import threading
import time
from pathlib import Path


class TruthLog:
    """Appends events to a file; safe from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the log for appending."""
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def log(self, kind: str, at_ns: int | None = None, **fields: object) -> None:
        """Append one event, stamped now unless the caller took the stamp at the effect."""
        event = {"at_ns": time.monotonic_ns() if at_ns is None else at_ns, "kind": kind, **fields}
        line = json.dumps(event, default=str) + "\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(line)

    def close(self) -> None:
        """Close the file; later events are dropped."""
        with self._lock:
            self._file.close()


def read(path: Path) -> list[dict[str, object]]:
    """Return all whole events of a log."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
