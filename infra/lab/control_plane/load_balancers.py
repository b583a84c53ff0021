"""Load balancers as AWS has them: protected from deletion when asked, one listener a port."""

from typing import Any

from moto.elbv2.exceptions import DuplicateListenerError, ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeListener

from infra.lab.control_plane.mending import Function, replace


class _Protected(ELBClientError):
    def __init__(self, arn: str) -> None:
        super().__init__(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )


def install() -> None:
    """Mend moto's load balancers."""
    replace(ELBv2Backend, "delete_load_balancer", _delete)
    replace(ELBv2Backend, "create_listener", _create_listener)


def _delete(original: Function) -> Function:
    def delete(backend: ELBv2Backend, arn: str) -> None:
        balancer = backend.load_balancers.get(arn)
        if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
            raise _Protected(arn)
        original(backend, arn)

    return delete


def _create_listener(original: Function) -> Function:
    def create(backend: ELBv2Backend, load_balancer_arn: str, **wanted: Any) -> FakeListener:
        balancer, port = backend.load_balancers.get(load_balancer_arn), str(wanted["port"])
        if balancer is not None and port in {str(item.port) for item in list(balancer.listeners.values())}:
            raise DuplicateListenerError
        made: FakeListener = original(backend, load_balancer_arn, **wanted)
        return made

    return create
