"""DR08: whether anybody is told before the money is gone."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from botocore.exceptions import ClientError

from drill.audit.contract import Check, Found, Part
from drill.audit.reads import NotAnswered
from drill.audit.system import System
from drill.model import Severity
from drill.target import Region

# What Aurora Serverless v2 scales to at most: with it nothing is bounded,
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
_UNBOUNDED_ACU = 128
# us-east-1, for each gateway without its traffic, as https://aws.amazon.com/vpc/pricing/ said in 2025.
_NAT_USD_AN_HOUR = 0.045
_HOURS_A_MONTH = 730
_TAG = "project"
_ASK = f"aws ce list-cost-allocation-tags --status Active --tag-keys {_TAG}"
# What AWS answers a member account, whatever its policies allow.
_LINKED = "Linked account"


class Costs(Check):
    """Looks for a budget that alerts on what it counts, a bound on the database, and needless NAT gateways.

    Costs are told apart by a tag only once the account that pays has activated it. A member account of an
    organisation may not ask which are active: that part is then not evaluated.
    """

    id: ClassVar = "DR08"
    title: ClassVar = "Costs can grow unnoticed"
    why: ClassVar = (
        "Two regions cost more than twice one. Without an alert the first to know is whoever pays the bill, "
        "and the standby is what is then saved on."
    )
    severity: ClassVar = Severity.NOTE
    mend: ClassVar = (
        "A budget with alerts (governance.yaml: Budget), an ACU maximum (acu_max), nat: none in the system "
        "file: drill infra deploy; its tag, which no stack can activate: aws ce "
        "update-cost-allocation-tags-status; what it costs: drill infra cost"
    )
    source: ClassVar = (
        "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html",
        "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/custom-tags.html",
    )
    calls: ClassVar = (
        "budgets:DescribeBudgets",
        "budgets:DescribeNotificationsForBudget",
        "ce:ListCostAllocationTags",
        "ec2:DescribeNatGateways",
        "rds:DescribeDBClusters",
    )
    seed: ClassVar = (8,)

    def parts(self, system: System) -> Iterator[Part]:
        """Yield the budgets and the tag that they count by, then each region's database and gateways."""
        yield Part("budgets", partial(_budgets, system))
        yield Part(f"cost allocation tag {_TAG}", partial(_tag, system))
        for region in system.regions:
            if region.cluster_id:
                yield Part(f"cluster {region.cluster_id}", partial(_cluster, system, region))
            yield Part(f"NAT gateways in {region.name}", partial(_gateways, system, region))


def _budgets(system: System) -> Iterator[Found]:
    account = system.target.account
    budgets = system.reads.many("budgets", "global", "describe_budgets", "Budgets", AccountId=account)
    where = f"AWS Budgets of account {account}"
    costs = [one for one in budgets if one["BudgetType"] == "COST"]
    if not costs:
        yield Found(where, "there is no budget of costs")
        return
    for one in costs:
        if system.reads.many(
            "budgets",
            "global",
            "describe_notifications_for_budget",
            "Notifications",
            AccountId=account,
            BudgetName=one["BudgetName"],
        ):
            return
    yield Found(where, "no budget alerts anybody")


def _tag(system: System) -> Iterator[Found]:
    try:
        tags = system.reads.many(
            "ce", "global", "list_cost_allocation_tags", "CostAllocationTags", TagKeys=[_TAG]
        )
    except ClientError as problem:
        if _LINKED not in str(problem):
            raise
        msg = (
            f"another account pays for account {system.target.account}, and that one alone may ask; there: "
            f"{_ASK}"
        )
        raise NotAnswered(msg) from problem
    if not any(one["Status"] == "Active" for one in tags):
        known = "is inactive" if tags else "is not known to AWS Billing yet, which takes up to a day"
        yield Found(
            f"cost allocation tags of account {system.target.account}",
            f"{_TAG} {known}: no budget and no report tells this system's costs from others",
            "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status "
            f"TagKey={_TAG},Status=Active",
        )


def _cluster(system: System, region: Region) -> Iterator[Found]:
    cluster = system.reads.one(
        "rds", region.name, "describe_db_clusters", DBClusterIdentifier=region.cluster_id
    )["DBClusters"][0]
    where = f"cluster {region.cluster_id} in {region.name}"
    most = cluster.get("ServerlessV2ScalingConfiguration", {}).get("MaxCapacity")
    if most is not None and most >= _UNBOUNDED_ACU:
        yield Found(where, f"nothing bounds its capacity: the maximum is {most:g} ACUs")
    if not any(tag["Key"] == _TAG for tag in cluster.get("TagList", [])):
        yield Found(where, f"it carries no tag {_TAG}, so that no budget counts it")


def _gateways(system: System, region: Region) -> Iterator[Found]:
    gateways = system.reads.many(
        "ec2",
        region.name,
        "describe_nat_gateways",
        "NatGateways",
        Filters=[{"Name": "vpc-id", "Values": [region.vpc_id]}],
    )
    there = [one for one in gateways if one["State"] in {"pending", "available"}]
    zones = len(region.app_subnet_ids)
    if len(there) > zones:
        usd = len(there) * _NAT_USD_AN_HOUR * _HOURS_A_MONTH
        yield Found(
            f"NAT gateways of {region.vpc_id} in {region.name}",
            f"{len(there)} for {zones} zones: about {usd:.0f} USD a month",
        )
