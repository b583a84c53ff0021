"""What the guards read is in the policy: the tags of each resource, by its ARN."""

from dataclasses import replace

import pytest

from drill import permissions, plan
from drill.faults.contract import Resource
from drill.guards import needed, tags
from drill.testing import made_up_target
from scenarios.region_outage import RegionOutage, RegionOutageParams

EAST, ACCOUNT = "us-east-1", "123456789012"


def test_every_service_whose_tags_are_read_is_known() -> None:
    """A guard that reads what the policy does not permit would refuse every drill."""
    assert sorted(tags.SERVICES) == sorted(needed.SERVICES)


@pytest.mark.parametrize(
    ("resource", "action", "arn"),
    [
        (
            Resource("queue", "sqs", EAST, f"https://sqs.{EAST}.amazonaws.com/{ACCOUNT}/alerts"),
            "sqs:ListQueueTags",
            f"arn:aws:sqs:{EAST}:{ACCOUNT}:alerts",
        ),
        (
            Resource("key", "kms", EAST, "k-1"),
            "kms:ListResourceTags",
            f"arn:aws:kms:{EAST}:{ACCOUNT}:key/k-1",
        ),
        (
            Resource("topic", "sns", EAST, f"arn:aws:sns:{EAST}:{ACCOUNT}:alerts"),
            "sns:ListTagsForResource",
            f"arn:aws:sns:{EAST}:{ACCOUNT}:alerts",
        ),
        (
            Resource("secret", "secretsmanager", EAST, "login"),
            "secretsmanager:DescribeSecret",
            f"arn:aws:secretsmanager:{EAST}:{ACCOUNT}:secret:login-*",
        ),
        (
            Resource("hosted zone", "route53", "global", "Z1"),
            "route53:ListTagsForResource",
            "arn:aws:route53:::hostedzone/Z1",
        ),
        (Resource("subnet", "ec2", EAST, "subnet-1"), "ec2:DescribeTags", "*"),
        (
            Resource("function", "lambda", EAST, f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:orders:live"),
            "lambda:ListTags",
            f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:orders",
        ),
    ],
    ids=lambda one: one.service if isinstance(one, Resource) else "",
)
def test_the_tags_of_what_is_touched_may_be_read(resource: Resource, action: str, arn: str) -> None:
    """By the ARN of that very resource, where IAM knows one."""
    made = plan.make(RegionOutage(), RegionOutageParams(), made_up_target())
    (step,) = made.steps
    with_it = replace(made, steps=(replace(step, touches=(resource,)),))

    permitted = {
        (each, arn)
        for one in permissions.statements(with_it)
        for each in one.actions
        for arn in one.resources
    }

    assert (action, arn) in permitted
