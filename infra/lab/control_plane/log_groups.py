"""CloudWatch Logs' groups as AWS has them: their class, and keys that let the service use them."""

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from infra.lab.control_plane.mending import ACCOUNT, Function, add, replace
from infra.lab.control_plane.service_access import Caller, key_refuses

_CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")


def install() -> None:
    """Mend moto's log groups."""
    replace(LogsResponse, "create_log_group", _create)
    replace(LogsBackend, "delete_log_group", _delete)
    replace(LogGroup, "to_describe_dict", _describe)
    add(LogsResponse, "associate_kms_key", _associate)
    add(LogsResponse, "disassociate_kms_key", _disassociate)


def _create(original: Function) -> Function:
    def create(response: LogsResponse) -> str:
        name, key_id = response._get_param("logGroupName"), response._get_param("kmsKeyId")
        wanted = response._get_param("logGroupClass") or "STANDARD"
        if wanted not in _CLASSES:
            raise InvalidParameterException(
                constraint=f"Member must satisfy enum value set: [{', '.join(_CLASSES)}]",
                parameter="logGroupClass",
                value=wanted,
            )
        if key_id:
            _require_key(response.region, name, key_id)
        answer: str = original(response)
        response.logs_backend.groups[name].log_class = wanted
        return answer

    return create


def _require_key(region: str, group: str, key_id: str) -> None:
    """Refuse a key that CloudWatch Logs may not use for a group.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"
    caller = Caller(f"logs.{region}.amazonaws.com", arn)
    if key_refuses(region, key_id, caller, {"aws:logs:arn": arn}):
        msg = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
        raise InvalidParameterException(msg)


def _delete(original: Function) -> Function:
    def delete(backend: LogsBackend, log_group_name: str) -> None:
        group = backend.groups.get(log_group_name)
        original(backend, log_group_name)
        if group is not None:
            backend.tagger.delete_all_tags_for_resource(group.arn)

    return delete


def _describe(original: Function) -> Function:
    def describe(group: LogGroup) -> dict[str, object]:
        return {**original(group), "logGroupClass": getattr(group, "log_class", "STANDARD")}

    return describe


def _group(response: LogsResponse) -> LogGroup:
    name = response._get_param("logGroupName")
    if name is None:
        name = str(response._get_param("resourceIdentifier")).rpartition(":log-group:")[2].removesuffix(":*")
    found = response.logs_backend.groups.get(name)
    if found is None:
        raise ResourceNotFoundException
    return found


def _associate(response: LogsResponse) -> str:
    group, key_id = _group(response), response._get_param("kmsKeyId")
    _require_key(response.region, group.name, key_id)
    group.kms_key_id = key_id
    return ""


def _disassociate(response: LogsResponse) -> str:
    _group(response).kms_key_id = None
    return ""
