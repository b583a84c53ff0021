"""The system exactly as the seed describes it: the templates with all its failures in them at once.

Each edit is a text of a template and what the seed's system has instead; an edit that no longer
fits fails, so that the variant follows the templates.
"""

import re
from collections.abc import Mapping

from infra.deploy_config import DeployConfig

Edit = tuple[str, str]
_ROUTES = r"(?s)  App[ABC]ToPeer:\n.*?(?=\n\S|\n  [A-Z]\w+:|\Z)"
_ACTIONS = re.escape("      AlarmActions: [!Ref TopicArn]\n      OKActions: [!Ref TopicArn]\n")

EDITS: Mapping[str, tuple[Edit, ...]] = {
    # 1: the peering is there, and no route leads over it.
    "peering.yaml": ((_ROUTES, ""),),
    "peering-routes.yaml": ((re.escape("!Ref PeerCidr"), "192.168.0.0/16"),),
    # 3: backups stay where they are.
    "backup.yaml": ((r"(?s)            CopyActions:\n.*?(?=            RecoveryPointTags)", ""),),
    # 4: a password in the template, and one region's secret.
    "app.yaml": (
        (
            r"          DB_NAME: !Ref DatabaseName\n",
            "          DB_NAME: !Ref DatabaseName\n          DB_PASSWORD: orders-2023\n",
        ),
    ),
    "data.yaml": (
        (
            r"(?s)(        ExcludePunctuation: true\n)      ReplicaRegions:\n.*?(?=      Tags)",
            r"\1",
        ),
    ),
    # 5: health checks that are calculated from nothing.
    "dns.yaml": ((r"ChildHealthChecks: \[.*\]", "ChildHealthChecks: []"),),
    # 7, 15, 16: alarms that tell nobody.
    "observability.yaml": ((_ACTIONS, ""),),
    # 8: a budget that alerts nobody.
    "governance.yaml": ((r"(?s)      NotificationsWithSubscribers:\n.*?(?=      ResourceTags)", ""),),
    # 9: one subscriber, by mail, who never confirmed.
    "alerts.yaml": ((r"(?s)  QueueSubscription:\n.*?(?=  DrillQueueSubscription)", ""),),
    # 11: half a dashboard.
    "dashboard.yaml": ((r"\$\{StandbyFunctionName\}", "unknown"), (r"\$\{TableName\}", "unknown")),
}


def template(name: str, text: str) -> str:
    """Return a template as the seed's system has it.

    Raises:
        AssertionError: An edit fits nothing any more.

    """
    for pattern, instead in EDITS.get(name, ()):
        text, fitted = re.subn(pattern, instead, text)
        assert fitted, f"{pattern} is not in {name}"
    return text


def config(own: DeployConfig) -> DeployConfig:
    """Return a system file as the seed's system has it: 6, 8, 9 and 16."""
    return own.model_copy(
        update={
            "provisioned_concurrency": 0,
            "acu_max": 128.0,
            "alert_email": "oncall@example.com",
            "table_max_capacity": own.table_min_capacity,
        }
    )
