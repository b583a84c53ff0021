"""The functions as the templates set them up, against the code that runs in them."""

from importlib.resources import files

import pytest

from infra.app.canary import Peer
from infra.app.settings import rotation_settings_from, settings_from
from infra.function_package import HANDLER
from tests.infra.stacks.templates import Resource, everywhere

# What Lambda itself adds, see
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
LAMBDAS_OWN = {"AWS_REGION": "us-east-1"}
READERS = {
    HANDLER: settings_from,
    "infra.app.rotation.handle": rotation_settings_from,
    "infra.app.canary.handle": Peer.of,
}
FUNCTIONS = list(everywhere("AWS::Lambda::Function"))


def handler_of(function: Resource) -> str:
    """Return what Lambda calls; the application's is the one parameter."""
    handler = function.properties["Handler"]
    return handler if isinstance(handler, str) else HANDLER


def test_there_is_a_function_for_each_handler() -> None:
    """One for the orders, one for the logins, one for the way to the other region."""
    assert {handler_of(function) for function in FUNCTIONS} == set(READERS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=handler_of)
def test_a_function_has_the_variables_that_its_code_reads(function: Resource) -> None:
    """A variable that is missing would end the function before its first request."""
    variables = function.properties["Environment"]["Variables"]
    ports = {name: "5432" for name in variables if name.endswith(("_PORT", "_S"))}
    READERS[handler_of(function)]({**dict.fromkeys(variables, "x"), **ports, **LAMBDAS_OWN})


@pytest.mark.parametrize("function", FUNCTIONS, ids=handler_of)
def test_a_handler_is_in_the_package(function: Resource) -> None:
    """Its module is one of the application's, and has the function."""
    package, _, name = handler_of(function).rpartition(".")
    folder, _, module = package.rpartition(".")
    assert f"\ndef {name}(" in (files(folder) / f"{module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("function", FUNCTIONS, ids=handler_of)
def test_a_function_is_in_the_vpc(function: Resource) -> None:
    """Where the database is, and from where the peering leads to the other region."""
    assert set(function.properties["VpcConfig"]) == {"SubnetIds", "SecurityGroupIds"}
