"""Systems that can't be looked at whole: the rest is audited all the same, and the exit code says so."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drill import clock
from drill.audit import catalogue, needs, runner
from drill.audit.judge import Audited
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.aws import Aws
from drill.cli import outcome_of
from drill.role import Role
from drill.target import Target, dump
from tests.faultmatrix.buckets import Granting
from tests.infra.deploylab import ACCOUNT
from tests.infra.lab.planelab import EAST, WEST, Lab

# What only a lab with all its physics can answer.
PHYSICAL = {"DR06", "DR10", "DR17", "DX01"}
CHECKS = [check for check in catalogue.every() if check.id not in PHYSICAL]


def _audit(target: Target, aws: Any, ids: set[str] | None = None) -> Audited:
    checks = [check for check in CHECKS if ids is None or check.id in ids]
    at = datetime.fromisoformat(clock.now().wall)
    return runner.run(checks, System(target, Reads(aws), at, Path("no-runs"), 90), 60)


class _OneRegion:
    """Clients of AWS where one region does not answer: nobody listens there."""

    def __init__(self, aws: Aws, dark: str) -> None:
        self._aws, self._dark = aws, dark
        self._nobody = Aws("http://127.0.0.1:1", timeout_s=0.2, attempts=1)

    def client(self, service: str, region: str) -> Any:
        of = self._nobody if region == self._dark else self._aws
        return of.client(service, region)


def test_the_right_system_raises_nothing_here_either(shop: tuple[Lab, Target]) -> None:
    """What these tests begin from is well."""
    lab, target = shop
    audited = _audit(target, lab.aws)

    assert (audited.findings, audited.unevaluated) == ((), ())


def test_a_region_that_does_not_answer_is_listed(shop: tuple[Lab, Target]) -> None:
    """All that is in the other region is audited; the exit code says incomplete."""
    lab, target = shop
    lab.client("cloudwatch", EAST).disable_alarm_actions(AlarmNames=[target.primary.alarms["throttles"]])
    try:
        audited = _audit(target, _OneRegion(lab.aws, WEST))
    finally:
        lab.client("cloudwatch", EAST).enable_alarm_actions(AlarmNames=[target.primary.alarms["throttles"]])

    assert {one.check for one in audited.findings} == {"DR16"}
    assert {"DR01", "DR04", "DR07", "DR16"} <= {one.check for one in audited.unevaluated}
    assert all("does not answer" in one.why for one in audited.unevaluated)
    assert audited.exit_code == 2


def test_apis_that_refuse_and_page_are_asked_so_that_nothing_is_missed(shop: tuple[Lab, Target]) -> None:
    """Of APIs that grant few calls a second and answer in small pages none refuses, and all is seen."""
    lab, target = shop
    with Granting(lab.plane.endpoint_url, page=1) as proxy:
        audited = _audit(target, Aws(proxy.url, 60, attempts=2))

    assert (audited.findings, audited.unevaluated) == ((), ())
    assert proxy.refused == []
    assert proxy.pages


def test_route_53_is_asked_no_faster_than_it_takes(shop: tuple[Lab, Target]) -> None:
    """Of a dozen calls at once none is refused: it grants an account few a second, and others ask too."""
    with Granting(shop[0].plane.endpoint_url) as proxy:
        reads = Reads(Aws(proxy.url, 60, attempts=1))
        asking = reads.client("route53", "global").list_hosted_zones
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(reads.guarded, "route53", "global", asking) for _ in range(12)]

    assert [one.exception() for one in asked if one.exception()] == []
    assert proxy.refused == []


def test_a_permission_that_is_missing_counts_as_not_evaluated(shop: tuple[Lab, Target]) -> None:
    """With all of the audit's policy but one service, that service's checks alone are listed."""
    lab, target = shop
    arn = _role(lab, without="cloudwatch:")
    audited = _audit(target, _assumed(lab, arn))

    assert audited.findings == ()
    assert {one.check for one in audited.unevaluated} == {
        check.id for check in CHECKS if any(call.startswith("cloudwatch:") for call in check.calls)
    } - {"DX04"}  # which has no alarm to look at
    assert all("drill iam-policy audit" in one.why for one in audited.unevaluated)
    assert audited.exit_code == 2


def test_the_policy_is_enough(shop: tuple[Lab, Target]) -> None:
    """With the policy that is printed, and no other, everything is looked at."""
    lab, target = shop
    audited = _audit(target, _assumed(lab, _role(lab, without="")))

    assert (audited.findings, audited.unevaluated) == ((), ())


def test_checks_ask_what_they_say_they_ask(shop: tuple[Lab, Target]) -> None:
    """No check makes a call that it does not declare."""
    lab, target = shop
    reads = Reads(lab.aws)
    at = datetime.fromisoformat(clock.now().wall)
    runner.run(CHECKS, System(target, reads, at, Path("no-runs"), 90), 60)

    asked = {check.id: reads.made[check.id] - set(check.calls) for check in CHECKS}
    assert {one: more for one, more in asked.items() if more} == {}


def test_a_half_deployed_system_is_audited(shop: tuple[Lab, Target]) -> None:
    """What is there is looked at, what is missing is found by its own check, and nothing passes for it."""
    lab, target = shop
    half = target.model_copy(
        update={
            "dashboard": None,
            "peering_id": "pcx-00000000000000000",
            "standby": target.standby.model_copy(
                update={"backup_vault": "never-made", "function_name": "never-made", "alarms": {}}
            ),
        }
    )

    audited = _audit(half, lab.aws)

    assert {"DR03", "DR11", "DR15"} <= {one.check for one in audited.roots}
    assert {"DR14", "DX11", "DX12"} <= {one.check for one in audited.unevaluated}
    assert {"DR01"} <= {one.check for one in audited.consequences}
    assert audited.exit_code == 2


def test_a_target_that_is_gone_is_told(
    shop: tuple[Lab, Target], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line names what is not there; the code is 2 and nothing is a traceback."""
    path = tmp_path / "target.yaml"
    dump(shop[1], path)
    path.write_text(_gone(path.read_text(encoding="utf-8")), encoding="utf-8")

    code = outcome_of(["audit", "--target", str(path), "--json"])
    document = json.loads(capsys.readouterr().out)

    assert code == 2
    assert not document["complete"]
    assert {"DR03", "DR05", "DR11", "DR15"} <= {one["check"] for one in document["findings"]}
    assert not any("the check itself failed" in one["why"] for one in document["not_evaluated"])


def _gone(text: str) -> str:
    """Return a target file whose names are those of nothing."""
    text = re.sub(r"\b(vpc|subnet|rtb|sg|pcx)-[0-9a-f]+", r"\1-00000000000000000", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "00000000-0000-0000-0000-000000000000", text)
    text = re.sub(r"hosted_zone_id: .*", "hosted_zone_id: Z00000000000000000000", text)
    return text.replace("shop", "gone")


def _role(lab: Lab, without: str) -> str:
    """Make a role that may do what the audit's policy says, but for one service."""
    iam = lab.client("iam", "global")
    name = f"audit-{without.strip(':') or 'whole'}"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    document: Any = needs.policy(catalogue.every())
    (statement,) = document["Statement"]
    statement["Action"] = [one for one in statement["Action"] if not (without and one.startswith(without))]
    iam.put_role_policy(RoleName=name, PolicyName="audit", PolicyDocument=json.dumps(document))
    return str(made["Role"]["Arn"])


def _assumed(lab: Lab, arn: str) -> Aws:
    return Aws(lab.plane.endpoint_url, 60, 1, Role(arn, "audit", EAST))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "DR99"], "no check 'DR99'"),
        (["--only", "dr5"], "did you mean"),
        (["--json", "--junit"], "not both"),
        (["--target", "absent.yaml"], "can't be read"),
        (["--html", "/proc/nowhere/a.html", "--target", "TARGET", "--only", "DR02"], "can't be written"),
    ],
)
def test_a_wrong_option_is_told(
    shop: tuple[Lab, Target],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """Bad input is one line with the next command, and exit code 64."""
    path = tmp_path / "target.yaml"
    dump(shop[1], path)
    typed = [str(path) if word == "TARGET" else word for word in arguments]

    code = outcome_of(["audit", *typed])

    told = capsys.readouterr().err
    assert code == 64
    assert said in told
    assert told.count("\n") == 1
