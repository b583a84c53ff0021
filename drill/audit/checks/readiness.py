"""DR14: whether the standby could take over, by itself and by all that was found."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import AuditFinding, Severity


class Readiness(Check):
    """Looks at what keeps the standby from running, and sums up what else was found."""

    id: ClassVar = "DR14"
    title: ClassVar = "The loss of the primary region would not be survived"
    why: ClassVar = "The standby is there for this one day. What it lacks then is lacking for hours."
    severity: ClassVar = Severity.CRITICAL
    mend: ClassVar = "Mend what it follows from; then prove it: drill run region-outage --blackout"
    source: ClassVar = (
        "https://docs.aws.amazon.com/whitepapers/latest/disaster-recovery-workloads-on-aws/disaster-recovery-options-in-the-cloud.html",
    )
    calls: ClassVar = (
        "elbv2:DescribeListeners",
        "elbv2:DescribeTargetHealth",
        "lambda:GetFunctionConcurrency",
    )
    seed: ClassVar = (14,)
    explains: ClassVar = ("recovery_time", "client_outage", "availability", "recovery_point")
    drill: ClassVar = "drill run region-outage --blackout"

    def parts(self, system: System) -> Iterator[Part]:
        """Yield what the standby runs on."""
        standby = system.target.standby
        yield Part(f"concurrency of {standby.function_name}", partial(_concurrency, system))
        yield Part(f"targets of {standby.load_balancer}", partial(_targets, system))

    def conclude(self, findings: Sequence[AuditFinding]) -> Iterator[Found]:
        """Yield one finding for all critical ones together."""
        roots = {one.check for one in findings if one.severity is Severity.CRITICAL and not one.caused_by}
        causes = tuple(sorted(roots - {self.id}))
        if causes:
            yield Found("the system as a whole", f"it is not ready: {', '.join(causes)}", caused_by=causes)


def _concurrency(system: System) -> Iterator[Found]:
    standby = system.target.standby
    reserved = system.reads.one(
        "lambda", standby.name, "get_function_concurrency", FunctionName=standby.function_name
    ).get("ReservedConcurrentExecutions")
    if reserved == 0:
        yield Found(
            f"function {standby.function_name} in {standby.name}",
            "it may not run: its reserved concurrency is 0",
            f"aws lambda delete-function-concurrency --region {standby.name} --function-name "
            f"{standby.function_name}; if a drill left it: drill recover",
        )


def _targets(system: System) -> Iterator[Found]:
    standby = system.target.standby
    where = f"load balancer {standby.load_balancer} in {standby.name}"
    listeners = system.reads.many(
        "elbv2", standby.name, "describe_listeners", "Listeners", LoadBalancerArn=standby.load_balancer_arn
    )
    port = system.target.service.port
    if not any(one["Port"] == port for one in listeners):
        yield Found(where, f"nothing listens on port {port}")
    groups = {
        action["TargetGroupArn"]
        for one in listeners
        for action in one["DefaultActions"]
        if "TargetGroupArn" in action
    }
    targets = [
        target["Target"]["Id"]
        for arn in sorted(groups)
        for target in system.reads.one("elbv2", standby.name, "describe_target_health", TargetGroupArn=arn)[
            "TargetHealthDescriptions"
        ]
    ]
    if groups and not any(f":function:{standby.function_name}" in one for one in targets):
        yield Found(where, f"it does not lead to function {standby.function_name}")
