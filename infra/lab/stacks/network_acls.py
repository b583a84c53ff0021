"""``AWS::EC2::NetworkAcl``, its entries, and which subnet has it."""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, number, truth
from infra.lab.stacks.tagging import only_tags, tagged


def _acl(request: Request) -> Made:
    made = request.client("ec2").create_network_acl(
        VpcId=request.properties["VpcId"], **tagged(request, "network-acl")
    )
    acl_id = made["NetworkAcl"]["NetworkAclId"]
    return Made(acl_id, {"Id": acl_id})


def _delete_acl(request: Request, made: Made) -> None:
    request.client("ec2").delete_network_acl(NetworkAclId=made.physical_resource_id)


def _key(request: Request) -> dict[str, Any]:
    wanted = request.properties
    return {
        "NetworkAclId": wanted["NetworkAclId"],
        "RuleNumber": number(wanted["RuleNumber"]),
        "Egress": truth(wanted.get("Egress", False)),
    }


def _call(request: Request) -> dict[str, Any]:
    wanted = request.properties
    call = {"Protocol": str(wanted["Protocol"]), "RuleAction": wanted["RuleAction"]}
    call |= chosen(wanted, "CidrBlock", "Ipv6CidrBlock")
    if "PortRange" in wanted:
        call["PortRange"] = {key: number(value) for key, value in wanted["PortRange"].items()}
    if "Icmp" in wanted:
        call["IcmpTypeCode"] = {key: number(value) for key, value in wanted["Icmp"].items()}
    return {**_key(request), **call}


def _entry(request: Request) -> Made:
    request.client("ec2").create_network_acl_entry(**_call(request))
    return Made(request.name(), {})


def _update_entry(request: Request, made: Made) -> Made | None:
    if request.changed() & {"NetworkAclId", "RuleNumber", "Egress"}:
        return None
    request.client("ec2").replace_network_acl_entry(**_call(request))
    return made


def _delete_entry(request: Request, _made: Made) -> None:
    request.client("ec2").delete_network_acl_entry(**_key(request))


def _associate(request: Request, acl_id: str) -> str:
    """Give the subnet another ACL, as every subnet has one; returns the new association's id."""
    ec2, subnet_id = request.client("ec2"), request.properties["SubnetId"]
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
    ties = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"][0]["Associations"]
    (former,) = [tie for tie in ties if tie["SubnetId"] == subnet_id]
    made = ec2.replace_network_acl_association(
        AssociationId=former["NetworkAclAssociationId"], NetworkAclId=acl_id
    )
    return str(made["NewAssociationId"])


def _association(request: Request) -> Made:
    association_id = _associate(request, request.properties["NetworkAclId"])
    return Made(association_id, {"AssociationId": association_id})


def _delete_association(request: Request, _made: Made) -> None:
    """Give the subnet its VPC's default ACL again, as CloudFormation does."""
    ec2 = request.client("ec2")
    subnet = ec2.describe_subnets(SubnetIds=[request.properties["SubnetId"]])["Subnets"][0]
    default = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}, {"Name": "default", "Values": ["true"]}]
    acl = ec2.describe_network_acls(Filters=default)["NetworkAcls"][0]
    _associate(request, acl["NetworkAclId"])


TYPES = (
    ResourceType(
        "AWS::EC2::NetworkAcl", _acl, _delete_acl, only_tags, frozenset({"Id"}), frozenset({"VpcId"})
    ),
    ResourceType(
        "AWS::EC2::NetworkAclEntry",
        _entry,
        _delete_entry,
        _update_entry,
        physics=frozenset(
            {"NetworkAclId", "RuleNumber", "Egress", "Protocol", "RuleAction", "CidrBlock", "PortRange"}
        ),
    ),
    ResourceType(
        "AWS::EC2::SubnetNetworkAclAssociation",
        _association,
        _delete_association,
        attributes=frozenset({"AssociationId"}),
        physics=frozenset({"NetworkAclId", "SubnetId"}),
    ),
)
