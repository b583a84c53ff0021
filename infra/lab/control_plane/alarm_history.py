"""The history of alarms: configurations, states and actions, each with its instant.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

import collections
import json
import threading
from datetime import UTC, datetime
from typing import Any, Protocol

# AWS keeps two weeks; the lab this many items of a region.
_ITEMS_MAX = 2000
_PAGE = 100


class _Alarm(Protocol):
    name: str
    region: str
    settings: dict[str, Any]

    @property
    def composite(self) -> bool: ...


class History:
    """Items by region, the newest last; safe from any thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._items: dict[str, collections.deque[dict[str, Any]]] = {}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()

    def note(self, alarm: _Alarm, kind: str, summary: str, told: dict[str, Any]) -> None:
        """Write an item down: ``ConfigurationUpdate``, ``StateUpdate`` or ``Action``."""
        item = {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.composite else "MetricAlarm",
            "Timestamp": datetime.now(UTC),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(told),
        }
        with self._lock:
            kept = self._items.setdefault(alarm.region, collections.deque(maxlen=_ITEMS_MAX))
            kept.append(item)

    def configured(self, alarm: _Alarm, what: str) -> None:
        """Write down that an alarm was made (``Create``), changed (``Update``) or deleted (``Delete``)."""
        word = {"Create": "created", "Update": "updated", "Delete": "deleted"}[what]
        told = {"version": "1.0", "type": what, f"{word}Alarm": alarm.settings}
        self.note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {word}', told)

    def shown(self, region: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what DescribeAlarmHistory answers."""
        with self._lock:
            items = list(self._items.get(region, ()))
        if asked.get("ScanBy") != "TimestampAscending":
            items.reverse()
        found = [item for item in items if _is_asked(item, asked)]
        first, most = int(asked.get("NextToken") or 0), asked.get("MaxRecords") or _PAGE
        shown: dict[str, Any] = {"AlarmHistoryItems": found[first : first + most]}
        if len(found) > first + most:
            shown["NextToken"] = str(first + most)
        return shown


def _is_asked(item: dict[str, Any], asked: dict[str, Any]) -> bool:
    if asked.get("AlarmName") not in {None, item["AlarmName"]}:
        return False
    if item["AlarmType"] not in (asked.get("AlarmTypes") or ["MetricAlarm"]):
        return False
    if asked.get("HistoryItemType") not in {None, item["HistoryItemType"]}:
        return False
    at: datetime = item["Timestamp"]
    return _aware(asked.get("StartDate"), at) <= at <= _aware(asked.get("EndDate"), at)


def _aware(given: datetime | None, otherwise: datetime) -> datetime:
    if given is None:
        return otherwise
    return given if given.tzinfo else given.replace(tzinfo=UTC)


HISTORY = History()
