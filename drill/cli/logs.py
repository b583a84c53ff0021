"""Structured logs on standard error."""

import logging
import sys

import structlog

from drill import redaction

# Without --verbose only what needs a person's eye is logged.
QUIET = logging.WARNING
ALL = logging.DEBUG


def show(level: int) -> None:
    """Log everything from ``level`` up: as lines on a terminal, as JSON otherwise."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redaction.processed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever replaces standard error gets what is logged from then on.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
