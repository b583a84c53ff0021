"""From a metric to a person: metrics, alarms, topics, queues and logs, mended together."""

from infra.lab.control_plane import (
    alarm_actions,
    alarms,
    dashboards,
    deliveries,
    log_groups,
    metrics,
    queues,
    topics,
)


def install(endpoint_url: str, clock_scale: float) -> None:
    """Mend moto's CloudWatch, SNS, SQS and Logs.

    Args:
        endpoint_url: The lab's own AWS API.
        clock_scale: Pauses between attempts to deliver are multiplied by it.

    """
    metrics.install()
    alarms.install()
    dashboards.install()
    deliveries.install(endpoint_url, clock_scale)
    topics.install()
    queues.install()
    log_groups.install()


def close() -> None:
    """End the threads that run actions and deliver messages."""
    alarm_actions.close()
    deliveries.close()
