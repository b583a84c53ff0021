"""DR17: whether the system is there at all, and answers."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import absent
from drill.audit.service import ask
from drill.audit.system import System
from drill.model import Severity
from drill.readiness import named
from drill.readiness.named import Question
from drill.readiness.target import questions
from drill.target import Region

# Keys whose things a check of their own judges, with what follows from their absence.
_ELSEWHERE = (
    "alarms.",
    "alert_queue_url",
    "alert_topic_arn",
    "backup_plan_id",
    "backup_vault",
    "dashboard",
    "database_",
    "dns.record_name",
    "health_check_id",
    "key_arn",
    "peering_id",
    "secret_arn",
)
# Route 53's checkers wait so long for an answer,
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
_SLOW_S = 2.0
_TRIES = 3


class Existence(Check):
    """Looks for all that the target names, as ``drill target check`` does, and asks both regions."""

    id: ClassVar = "DR17"
    title: ClassVar = "A part of the system is missing or does not answer"
    why: ClassVar = (
        "What was never deployed, or only half, can't take over. A template that is right says nothing of "
        "the account that it should be in."
    )
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = "drill infra deploy, then drill target check; what differs is then in the target file"
    source: ClassVar = (
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_planning_for_recovery_dr_tested.html",
    )
    calls: ClassVar = (
        "dynamodb:DescribeTable",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "elbv2:DescribeLoadBalancers",
        "iam:GetRole",
        "lambda:GetAlias",
        "rds:DescribeDBClusters",
        "rds:DescribeGlobalClusters",
        "route53:GetHostedZone",
        "scheduler:GetScheduleGroup",
    )
    seed: ClassVar = (17,)
    caused_by: ClassVar = ("DR06", "DR14")
    explains: ClassVar = ("recovery_time", "client_outage", "availability")
    drill: ClassVar = "drill run region-outage --blackout"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield each thing that the target names, then each region's own answer."""
        for question in questions(system.target):
            key = question.row[0]
            if not any(mark in key for mark in _ELSEWHERE):
                yield Part(f"{key} ({question.region})", partial(_there, system, question))
        for region in system.regions:
            yield Part(f"health path by way of {region.load_balancer}", partial(_answers, system, region))


def _there(system: System, question: Question) -> Iterator[Found]:
    key, kind, name, service, _ = question.row
    try:
        wrong = system.reads.guarded(
            service,
            question.place,
            lambda: named.look(question, system.reads.client(service, question.place)),
        )
    except ClientError as problem:
        if not absent(problem):
            raise
        wrong = "there is no such thing"
    # Whether drills may change something is no matter of the system's.
    if wrong and not wrong.startswith(named.UNTAGGED):
        yield Found(f"{kind} {name} ({key}, {question.place})", wrong, caused_by=())


def _answers(system: System, region: Region) -> Iterator[Found]:
    where = f"{system.target.service.health_path} by way of {region.load_balancer} in {region.name}"
    answers = [ask(system.target, region, system.target.service.health_path) for _ in range(_TRIES)]
    best = min(answers, key=lambda one: (not one.good, one.total_s))
    if not best.good:
        yield Found(where, f"it answers {best.said}", caused_by=("DR14",))
    elif best.total_s > _SLOW_S:
        yield Found(
            where,
            f"it takes {best.total_s:.1f} s; a checker of Route 53 waits {_SLOW_S:g} s",
            caused_by=("DR06",),
        )
