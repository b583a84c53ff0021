"""``AWS::DynamoDB::Table``: a table of one region, without indexes and streams.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from typing import Any

from infra.lab.stacks.resource import Made, Request, ResourceType, chosen, truth
from infra.lab.stacks.typed import call_for

_NAME = "AWS::DynamoDB::Table"
_AT_ONCE = ("BillingMode", "SSESpecification", "DeletionProtectionEnabled", "TableClass")
_KEY = ("AttributeDefinitions", "KeySchema")
_BESIDES = {"PointInTimeRecoverySpecification", "Tags"}
_KNOWN = {"TableName", "ProvisionedThroughput", *_AT_ONCE, *_KEY, *_BESIDES}


def _settings(request: Request) -> dict[str, Any]:
    """Return what both CreateTable and UpdateTable take; CloudFormation calls encryption otherwise."""
    call: dict[str, Any] = chosen(request.properties, *_AT_ONCE, "ProvisionedThroughput")
    encryption = dict(call.pop("SSESpecification", {}))
    if encryption:
        call["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled"), **encryption}
    return call


def _create(request: Request) -> Made:
    unknown = sorted(set(request.properties) - _KNOWN)
    if unknown:
        msg = f"the lab's {_NAME} has no {', '.join(unknown)}"
        raise ValueError(msg)
    dynamodb = request.client("dynamodb")
    name = request.properties.get("TableName") or request.name(255)
    call = {"TableName": name, **chosen(request.properties, *_KEY), **_settings(request)}
    if request.tag_list():
        call["Tags"] = request.tag_list()
    table = dynamodb.create_table(**call_for(dynamodb, "CreateTable", call))["TableDescription"]
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    _recovery(request, name)
    return Made(name, {"Arn": table["TableArn"]})


def _recovery(request: Request, name: str) -> None:
    wanted = request.properties.get("PointInTimeRecoverySpecification", {})
    if "PointInTimeRecoverySpecification" not in request.changed():
        return
    request.client("dynamodb").update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={
            "PointInTimeRecoveryEnabled": truth(wanted.get("PointInTimeRecoveryEnabled", False))
        },
    )


def _update(request: Request, made: Made) -> Made | None:
    changed, name = request.changed(), made.physical_resource_id
    if changed & {"TableName", "KeySchema"}:
        return None
    dynamodb = request.client("dynamodb")
    if changed - _BESIDES:
        call = {"TableName": name, **_settings(request)}
        dynamodb.update_table(**call_for(dynamodb, "UpdateTable", call))
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    _recovery(request, name)
    if gone := request.tags_gone():
        dynamodb.untag_resource(ResourceArn=made.attributes["Arn"], TagKeys=gone)
    if tags := request.tag_list():
        dynamodb.tag_resource(ResourceArn=made.attributes["Arn"], Tags=tags)
    return made


def _delete(request: Request, made: Made) -> None:
    request.client("dynamodb").delete_table(TableName=made.physical_resource_id)


TYPES = (
    ResourceType(
        _NAME,
        _create,
        _delete,
        _update,
        attributes=frozenset({"Arn"}),
        physics=frozenset({"AttributeDefinitions", "BillingMode", "KeySchema", "TableName"}),
    ),
)
