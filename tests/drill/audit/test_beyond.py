"""Failures that no lab can have, from what AWS would answer: its other answers are the lab's own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drill import clock
from drill.audit import catalogue, runner
from drill.audit.judge import Audited
from drill.audit.reads import Reads
from drill.audit.system import System
from drill.aws import Aws
from drill.target import Target
from tests.infra.lab.planelab import EAST, WEST, Lab

Change = Callable[[dict[str, Any]], dict[str, Any]]
SOON = datetime.now(UTC) + timedelta(days=5)
LATER = datetime.now(UTC) + timedelta(days=300)


class _Answering(Reads):
    """Reads whose answers are changed, by operation and region ("" is any); an emptied row is left out."""

    def __init__(self, aws: Aws, changes: Mapping[tuple[str, str], Change]) -> None:
        super().__init__(aws)
        self._changes = changes

    def one(self, service: str, region: str, operation: str, **asked: Any) -> Any:
        change = self._changes.get((operation, region)) or self._changes.get((operation, ""))
        if operation == "describe_certificate" and change:
            return change({})  # the lab has none
        answer = super().one(service, region, operation, **asked)
        return change(dict(answer)) if change else answer

    def many(self, service: str, region: str, operation: str, key: str, **asked: Any) -> list[Any]:
        change = self._changes.get((operation, region)) or self._changes.get((operation, ""))
        rows = super().many(service, region, operation, key, **asked)
        return [row for row in map(change, map(dict, rows)) if row] if change else rows


def _audited(
    shop: tuple[Lab, Target], check: str, changes: Mapping[tuple[str, str], Change], **target: Any
) -> Audited:
    lab, plain = shop
    at = datetime.fromisoformat(clock.now().wall)
    reads = _Answering(lab.aws, changes)
    system = System(plain.model_copy(update=target), reads, at, Path("no-runs"), 90)
    return runner.run(catalogue.chosen([check]), system, 60)


def _found(
    shop: tuple[Lab, Target], check: str, changes: Mapping[tuple[str, str], Change], **target: Any
) -> list[str]:
    audited = _audited(shop, check, changes, **target)
    assert audited.unevaluated == ()
    return [f"{one.where}: {one.what}" for one in audited.findings]


def _selection(**selection: Any) -> dict[tuple[str, str], Change]:
    by = {"IamRoleArn": "arn:aws:iam::123456789012:role/backup", "SelectionName": "by-tag", **selection}
    return {("get_backup_selection", EAST): lambda _answer: {"BackupSelection": by}}


def test_a_backup_plan_may_select_by_conditions(shop: tuple[Lab, Target]) -> None:
    """A cluster with the tags is backed up; one without them is not."""
    tagged, other = (
        {"ConditionKey": "aws:ResourceTag/project", "ConditionValue": one} for one in ("shop", "x")
    )

    assert _found(shop, "DR03", _selection(Conditions={"StringEquals": [tagged]})) == []
    (found,) = _found(shop, "DR03", _selection(Resources=["*"], Conditions={"StringEquals": [other]}))
    assert "no selection holds it" in found


def test_what_a_backup_plan_selects_is_not_guessed(shop: tuple[Lab, Target]) -> None:
    """Where AWS does not say whether the cluster is selected, nothing is found and nothing has passed."""
    absent = {"ConditionKey": "aws:ResourceTag/absent", "ConditionValue": "x"}

    audited = _audited(shop, "DR03", _selection(Resources=["*"], Conditions={"StringNotEquals": [absent]}))

    assert audited.findings == ()
    assert [one.where for one in audited.unevaluated] == ["backup plan"]
    assert "selection by-tag" in audited.unevaluated[0].why


def test_stacks_of_which_none_is_known_have_not_passed(shop: tuple[Lab, Target]) -> None:
    """There are some, and any of them may show a password; where there is none, none can."""
    others = _audited(
        shop, "DR04", {("describe_stacks", ""): lambda row: {**row, "StackName": "x", "Tags": []}}
    )
    none = _audited(shop, "DR04", {("describe_stacks", ""): lambda _row: {}})

    assert [one.where for one in others.unevaluated] == [f"stacks in {region}" for region in (EAST, WEST)]
    assert all("tag them project=shop" in one.why for one in others.unevaluated)
    assert (none.findings, none.unevaluated) == ((), ())


def _table(**values: Any) -> Change:
    return lambda answer: {**answer, "Table": {**answer["Table"], **values}}


def test_a_strongly_consistent_table_has_no_lag_to_watch(shop: tuple[Lab, Target]) -> None:
    """The alarms on its lag never go off, and nobody is told to make any."""
    strong = {("describe_table", ""): _table(MultiRegionConsistency="STRONG")}

    found = _found(shop, "DX04", strong)

    assert len(found) == 2
    assert all("publishes no lag" in one for one in found)
    assert _found(shop, "DR07", strong) == []
    assert _found(shop, "DX04", {}) == []


@pytest.mark.parametrize(
    ("made", "ago", "told"),
    [
        (3, timedelta(minutes=5), 0),
        (4, timedelta(minutes=5), 1),
        (4, timedelta(hours=2), 0),
        (27, timedelta(hours=2), 1),
    ],
)
def test_decreases_that_are_used_up_are_told(
    shop: tuple[Lab, Target], made: int, ago: timedelta, told: int
) -> None:
    """Four are taken at once, then one an hour, and 27 a day."""
    used = {"NumberOfDecreasesToday": made, "LastDecreaseDateTime": datetime.now(UTC) - ago}

    found = _found(shop, "DX05", {("describe_table", WEST): _table(ProvisionedThroughput=used)})

    assert len(found) == told


def _certificate(status: str, ends: datetime, *names: str) -> Change:
    first, *others = names
    found = {"DomainName": first, "SubjectAlternativeNames": others, "Status": status, "NotAfter": ends}
    return lambda _answer: {"Certificate": found}


def _https(listener: dict[str, Any]) -> dict[str, Any]:
    arn = "arn:aws:acm:us-west-2:123456789012:certificate/1"
    return {**listener, "Protocol": "HTTPS", "Certificates": [{"CertificateArn": arn}]}


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (_certificate("ISSUED", LATER, "orders.example.test"), ""),
        (_certificate("ISSUED", LATER, "other.example.test", "*.example.test"), ""),
        (_certificate("ISSUED", LATER, "*.test"), "not for orders.example.test"),
        (_certificate("ISSUED", SOON, "orders.example.test"), "runs out on"),
        (_certificate("EXPIRED", LATER, "orders.example.test"), "it is EXPIRED"),
    ],
    ids=["own name", "star", "other name", "soon over", "over"],
)
def test_a_certificate_must_be_the_services_and_last(
    shop: tuple[Lab, Target], certificate: Change, said: str
) -> None:
    """Issued, for the service's name, and for a month more; a star stands for one label."""
    service = shop[1].service.model_copy(update={"scheme": "https"})
    changes = {("describe_listeners", ""): _https, ("describe_certificate", ""): certificate}

    found = _found(shop, "DX09", changes, service=service)

    assert bool(found) is bool(said)
    assert all(said in one for one in found)


def test_a_listener_without_tls_is_told_where_clients_speak_it(shop: tuple[Lab, Target]) -> None:
    """Clients that speak HTTPS reach no listener that speaks HTTP."""
    service = shop[1].service.model_copy(update={"scheme": "https"})

    assert len(_found(shop, "DX09", {}, service=service)) == 2
    assert _found(shop, "DX09", {}) == []


def test_quotas_of_the_standby_are_compared(shop: tuple[Lab, Target]) -> None:
    """Fewer functions at once, or less capacity of tables, than the primary is told."""

    def fewer(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "AccountLimit": {**answer["AccountLimit"], "ConcurrentExecutions": 10}}

    def less(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "AccountMaxWriteCapacityUnits": 10}

    found = _found(shop, "DX10", {("get_account_settings", WEST): fewer, ("describe_limits", WEST): less})

    assert len(found) == 2
    assert any("10 functions may run at once" in one for one in found)
    assert _found(shop, "DX10", {}) == []


def test_an_old_recovery_point_is_told_by_its_objective(shop: tuple[Lab, Target]) -> None:
    """What a restore may lose at most is what the age of the newest copy is held against."""
    arn = shop[0].client("rds").describe_db_clusters()["DBClusters"][0]["DBClusterArn"]

    def old(_answer: dict[str, Any]) -> dict[str, Any]:
        made = datetime.now(UTC) - timedelta(days=3)
        return {"DBClusters": [{"DBClusterArn": arn, "DBClusterIdentifier": "c", "ClusterCreateTime": made}]}

    found = _found(shop, "DR03", {("describe_db_clusters", ""): old})

    assert len(found) == 2
    assert all("72 h old" in one for one in found)
    assert _found(shop, "DR03", {}) == []


def test_costs_are_told_apart_once_the_tag_is_activated(shop: tuple[Lab, Target]) -> None:
    """Inactive it is told with the command; a member of an organisation can't know, and nothing passes."""
    lab, target = shop
    costs = lab.client("ce")

    def put(status: str) -> None:
        wanted = [{"TagKey": "project", "Status": status}]
        costs.update_cost_allocation_tags_status(CostAllocationTagsStatus=wanted)

    assert _found(shop, "DR08", {}) == []
    put("Inactive")
    try:
        (told,) = _found(shop, "DR08", {})
    finally:
        put("Active")
    assert "project is inactive" in told

    def linked(_answer: dict[str, Any]) -> dict[str, Any]:
        error = {"Code": "AccessDeniedException", "Message": "Linked account doesn't have access"}
        raise ClientError({"Error": error}, "ListCostAllocationTags")

    reads = _Answering(lab.aws, {("list_cost_allocation_tags", "global"): linked})
    system = System(target, reads, datetime.now(UTC), Path("no-runs"), 90)
    audited = runner.run(catalogue.chosen(["DR08"]), system, 60)
    (missed,) = audited.unevaluated
    assert audited.findings == ()
    assert "another account pays" in missed.why
    assert "iam-policy" not in missed.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"State": "DISABLED"}, "is disabled: "),
        (
            {"Target": {"Arn": "arn:aws:lambda:x:1:function:f", "Input": "{}"}},
            "none asks for /orders/reconcile",
        ),
    ],
)
def test_pending_orders_that_nothing_reconciles_are_told(
    shop: tuple[Lab, Target], change: dict[str, Any], said: str
) -> None:
    """The schedule of each region is looked at for itself."""
    assert _found(shop, "DR15", {}) == []

    (told,) = _found(shop, "DR15", {("get_schedule", WEST): lambda answer: {**answer, **change}})

    assert said in told
    assert WEST in told
