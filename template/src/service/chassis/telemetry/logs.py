"""One line per event, as JSON on stdout or readable on a terminal."""

import logging
import sys
from typing import Any

import structlog
from structlog.types import Processor

from service.chassis.settings import Settings

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure_logs(settings: Settings) -> None:
    level = logging.DEBUG if settings.service.debug else logging.INFO
    structlog.configure(
        processors=[*SHARED, _renderer(settings.telemetry.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=Stdout,
    )


class Stdout:
    """One line, one write; looks up stdout each time because a server may replace it."""

    def msg(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    debug = info = warning = error = critical = msg


def _renderer(log_format: str) -> Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer()


def log(event: str, **values: Any) -> None:
    """`event` is a constant in the form noun_verb; everything that varies goes into `values`."""
    structlog.get_logger().info(event, **values)


def log_failure(event: str, error: BaseException, **values: Any) -> None:
    structlog.get_logger().error(event, exc_info=error, **values)
