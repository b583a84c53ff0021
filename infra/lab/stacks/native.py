"""Resource types that moto has and the lab has not mended, seen as ours."""

from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from infra.lab.stacks.resource import Made, Request, ResourceType


def native(model: type[CloudFormationModel], name: str) -> ResourceType:
    """Return moto's own model of a type as a resource type of the lab."""

    def document(request: Request) -> dict[str, Any]:
        return {"Type": name, "Properties": dict(request.properties)}

    def create(request: Request) -> Made:
        made = model.create_from_cloudformation_json(
            _name(name, request),
            document(request),
            request.account,
            request.region,
            LogicalId=request.logical_id,
            StackId=request.stack,
            ResourceType=name,
        )
        return _seen(made)

    def update(request: Request, made: Made) -> Made | None:
        if _abstract(model.update_from_cloudformation_json):
            return None
        changed = model.update_from_cloudformation_json(
            original_resource=made.attributes["_moto"],
            new_resource_name=_name(name, request),
            cloudformation_json=document(request),
            account_id=request.account,
            region_name=request.region,
        )
        return _seen(changed)

    def delete(request: Request, made: Made) -> None:
        own = getattr(made.attributes["_moto"], "delete", None)
        if own is not None:
            own(request.account, request.region)
        elif not _abstract(model.delete_from_cloudformation_json):
            model.delete_from_cloudformation_json(
                made.physical_resource_id, document(request), request.account, request.region
            )

    return ResourceType(name, create, delete, update)


def _abstract(method: object) -> bool:
    return getattr(method, "__isabstractmethod__", False)


def _name(kind: str, request: Request) -> str:
    key = parsing.resource_name_property_from_type(kind)
    own = request.properties.get(key) if key else None
    return str(own or parsing.generate_resource_name(kind, request.stack, request.logical_id))


class _Attributes(dict[str, Any]):
    """Asks moto's resource for an attribute when ``Fn::GetAtt`` wants it."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return self["_moto"].get_cfn_attribute(name)


def _seen(resource: Any) -> Made:
    return Made(str(resource.physical_resource_id), _Attributes(_moto=resource))
