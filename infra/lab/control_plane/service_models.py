"""One thread at a time reads moto's models of the AWS services.

moto's ``operation_model`` calls botocore's of the same name, and both keep their answer under that
name: for a moment botocore's plain model stands there, and a second thread takes it for moto's own.
"""

import threading

from moto.core.model import OperationModel, ServiceModel

from infra.lab.control_plane.mending import Function, replace


def install() -> None:
    """Mend moto's models."""
    replace(ServiceModel, "operation_model", _one_at_a_time)


def _one_at_a_time(original: Function) -> Function:
    lock = threading.Lock()

    def operation_model(model: ServiceModel, operation_name: str) -> OperationModel:
        with lock:
            read: OperationModel = original(model, operation_name)
        return read

    return operation_model
