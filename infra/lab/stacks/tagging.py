"""Tags of EC2's resources: given when one is made, changed in place afterwards."""

from typing import Any

from infra.lab.stacks.resource import Made, Request


def tagged(request: Request, kind: str) -> dict[str, Any]:
    """Return the argument of a Create call that tags what it makes; ``kind`` as EC2 names it."""
    tags = request.tag_list()
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def retag(request: Request, resource_id: str) -> None:
    """Make a resource's tags those that the template wants."""
    ec2, gone = request.client("ec2"), request.tags_gone()
    if gone:
        ec2.delete_tags(Resources=[resource_id], Tags=[{"Key": key} for key in gone])
    if request.tag_list():
        ec2.create_tags(Resources=[resource_id], Tags=request.tag_list())


def only_tags(request: Request, made: Made) -> Made | None:
    """Update a resource of which nothing but the tags can change in place."""
    if request.changed() - {"Tags"}:
        return None
    retag(request, made.physical_resource_id)
    return made
