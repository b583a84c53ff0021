"""Stores for the application: started once for all tests, empty for each."""

import os
from collections.abc import Iterator

import pytest
from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer

from tests.infra.app.shoplab import REGION, Backend, backend


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Give a PostgreSQL server and moto's AWS API, whatever they hold."""
    BackendDict.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with backend(tmp_path_factory.mktemp("stores")) as running:
            yield running
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        server.stop()


@pytest.fixture
def shop(stores: Backend) -> Iterator[Backend]:
    """Give both stores, empty."""
    stores.begin()
    yield stores
    stores.end()
