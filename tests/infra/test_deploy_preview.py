"""What a deployment would do, as text."""

from dataclasses import replace

import pytest

from infra.deploy_preview import Later, Preview
from infra.stack_model import Prepared, ResourceChange, Stack

STACK = Stack("shop-data", "us-east-1", "data.yaml", {}, {})
ROLE = ResourceChange("Add", "Role", "AWS::IAM::Role")
CLUSTER = ResourceChange("Modify", "Cluster", "AWS::RDS::DBCluster", "True")
SAME = Prepared(STACK, "none", status="CREATE_COMPLETE")
LATER = Later("shop-app", "us-east-1", ("AWS::IAM::Role", "AWS::Lambda::Function"), "shop-data in us-east-1")

WAITS = "its changes are known once shop-data in us-east-1 is there"


def text(*prepared: Prepared, later: tuple[Later, ...] = (), buckets: tuple[str, ...] = ()) -> str:
    """Return a preview's text."""
    return "\n".join(Preview(prepared, later, buckets).lines())


def test_nothing_is_said_plainly() -> None:
    """When all is so already, that is the only line."""
    assert text(SAME, SAME) == "nothing changes: every stack is as the system file wants it"
    assert Preview((SAME,)).empty


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (ROLE, "  + Role (AWS::IAM::Role)"),
        (replace(ROLE, action="Modify", replacement="False"), "  ~ Role (AWS::IAM::Role)"),
        (replace(ROLE, action="Modify", replacement="True"), "  ± Role (AWS::IAM::Role, replaced)"),
        (
            replace(ROLE, action="Modify", replacement="Conditional"),
            "  ± Role (AWS::IAM::Role, may be replaced)",
        ),
        (replace(ROLE, action="Remove"), "  - Role (AWS::IAM::Role)"),
        (replace(CLUSTER, replacement="False"), "  ~ Cluster (AWS::RDS::DBCluster, keeps data)"),
    ],
)
def test_each_kind_of_change_has_its_mark(change: ResourceChange, line: str) -> None:
    """Added, changed, replaced and removed look different; what keeps data is named so."""
    assert text(Prepared(STACK, "change", (change,))).splitlines() == [
        "changed shop-data in us-east-1:",
        line,
    ]


def test_losing_data_is_called_out() -> None:
    """A cluster that is replaced has a line of its own, at the end."""
    preview = Preview((Prepared(STACK, "change", (CLUSTER, ROLE)),))
    assert preview.losses == ("Cluster (AWS::RDS::DBCluster) of stack shop-data in us-east-1",)
    assert list(preview.lines())[-1] == (
        "DATA: Cluster (AWS::RDS::DBCluster) of stack shop-data in us-east-1 would be replaced or removed; "
        "what it keeps does not move along"
    )


def test_what_cant_be_known_yet_says_what_it_waits_for() -> None:
    """A stack whose inputs are not there says how much it holds and what it waits for."""
    said = text(Prepared(STACK, "create", (ROLE,)), later=(LATER,), buckets=("b",)).splitlines()
    assert said == [
        "new bucket b for the functions' code",
        "new shop-data in us-east-1: 1 resource",
        "  + Role (AWS::IAM::Role)",
        f"new shop-app in us-east-1: at most 2 resources; {WAITS}",
    ]


def test_what_is_there_but_not_known_yet_is_not_called_new() -> None:
    """A stack that hangs on one that is made anew may change."""
    assert text(later=(replace(LATER, there=True),)) == f"perhaps changed shop-app in us-east-1: {WAITS}"


def test_what_is_made_again_and_what_has_only_tags_changed_is_said() -> None:
    """A leftover names its state; a change of tags or outputs alone is no empty list."""
    again = Prepared(STACK, "again", status="ROLLBACK_COMPLETE")
    assert "again shop-data in us-east-1: it is ROLLBACK_COMPLETE" in text(again)
    assert text(Prepared(STACK, "change")) == "changed shop-data in us-east-1: its tags or outputs only"
    assert not Preview((again,)).empty
