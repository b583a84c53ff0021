"""Requests that come at once to a service that nobody has asked before."""

import threading
import time

from moto.core.model import OperationModel, ServiceModel
from moto.core.utils import get_service_model

from infra.lab.control_plane import service_models


class _Kept(dict[object, object]):
    """What a model keeps; after each answer it stays for a moment as it is."""

    def __setitem__(self, key: object, value: object) -> None:
        super().__setitem__(key, value)
        time.sleep(0.02)


def test_threads_that_ask_at_once_get_motos_own_models() -> None:
    """Moto's models have what its router needs; botocore's, kept for a moment under their name, lack it."""
    service_models.install()
    fresh = ServiceModel(get_service_model("route53")._service_description, "route53")
    fresh._instance_cache = _Kept()
    together = threading.Barrier(4)
    got: list[OperationModel] = []

    def ask() -> None:
        together.wait()
        for _ in range(8):
            got.append(fresh.operation_model("GetHealthCheck"))
            time.sleep(0.004)

    threads = [threading.Thread(target=ask) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 8 * together.parties
    assert {type(model) for model in got} == {OperationModel}
