"""Logs go to whatever standard error is at that moment."""

import io
import sys

import pytest
import structlog

from drill.cli import logs


def test_a_replaced_standard_error_gets_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log line never goes to a stream that was closed meanwhile."""
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    logs.show(logs.QUIET)
    log = structlog.get_logger()
    log.warning("one")
    monkeypatch.setattr(sys, "stderr", second)
    first.close()

    log.warning("two")

    assert '"event": "two"' in second.getvalue()


def test_only_what_needs_an_eye_is_shown_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --verbose a drill's own steps are not logged."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.show(logs.QUIET)

    structlog.get_logger().info("phase", phase="inject")

    assert not stream.getvalue()
