"""Which ways are open from functions: security groups, endpoints and NAT gateways decide, as on AWS."""

from dataclasses import replace

import pytest

from infra.lab.paths import callers, to_database, to_service
from infra.lab.reachability import OPEN, Openness
from infra.lab.world import Route, SecurityGroup, SecurityRule, Snapshot, VpcEndpoint
from tests.infra.lab.netlab import (
    DENY_ALL,
    EAST,
    WEST,
    cluster,
    function,
    two_regions,
    vpc,
    with_acl,
)

PORT = 5432


def tcp(port: int, *, egress: bool, **peer: str) -> SecurityRule:
    """Make a rule about one port."""
    return SecurityRule(egress=egress, protocol="tcp", from_port=port, to_port=port, **peer)


def group(name: str, region: str, *rules: SecurityRule) -> SecurityGroup:
    """Make a security group."""
    return SecurityGroup(name, region, vpc(region), rules)


OUT = (tcp(PORT, egress=True, cidr="10.0.0.0/8"), tcp(443, egress=True, cidr="0.0.0.0/0"))
GROUPS = (
    group("app-east", EAST, *OUT),
    group("app-west", WEST, *OUT),
    group(
        "database",
        EAST,
        tcp(PORT, egress=False, group="app-east"),
        tcp(PORT, egress=False, cidr="10.2.0.0/16"),
    ),
    group("endpoint", EAST, tcp(443, egress=False, group="app-east")),
)
DATABASE = replace(cluster(EAST, PORT), security_group_ids=("database",))


def snapshot(*groups: SecurityGroup) -> Snapshot:
    """Make two regions with functions and one guarded database; named groups take the others' place."""
    found = {item.id: item for item in (*GROUPS, *groups)}
    functions = tuple(
        replace(function(region), security_group_ids=(f"app-{side}",))
        for region, side in ((EAST, "east"), (WEST, "west"))
    )
    return replace(
        two_regions(), functions=functions, clusters=(DATABASE,), security_groups=tuple(found.values())
    )


def database(seen: Snapshot, region: str) -> Openness:
    """Return whether a region's functions reach the database."""
    return to_database(seen, callers(seen, region), DATABASE)


def service(seen: Snapshot, name: str, region: str = EAST) -> Openness:
    """Return whether a region's functions reach a service."""
    return to_service(seen, callers(seen, region), name)


def test_a_database_lets_in_its_neighbours_by_group_and_the_peer_by_range() -> None:
    """Both regions' functions get through when each rule says so."""
    assert database(snapshot(), EAST) == OPEN
    assert database(snapshot(), WEST) == OPEN


def test_without_the_peers_range_packets_vanish_across_the_peering_alone() -> None:
    """A rule that names a group means nothing across regions."""
    group_only = group("database", EAST, tcp(PORT, egress=False, group="app-east"))
    seen = snapshot(replace(group_only, rules=(*group_only.rules, tcp(PORT, egress=False, group="app-west"))))
    assert database(seen, EAST) == OPEN
    assert database(seen, WEST) == (False, "no rule of database lets tcp 5432 in from 10.2.20.0/24")


@pytest.mark.parametrize(
    "rule",
    [
        tcp(PORT + 1, egress=False, cidr="10.0.0.0/8"),
        tcp(PORT, egress=False, cidr="10.1.20.0/25"),
        tcp(PORT, egress=True, cidr="10.0.0.0/8"),
        SecurityRule(egress=False, protocol="udp", cidr="0.0.0.0/0"),
    ],
    ids=["another port", "half the range", "the other way", "another protocol"],
)
def test_a_rule_about_something_else_lets_nothing_in(rule: SecurityRule) -> None:
    """Port, range, direction and protocol must all fit."""
    assert database(snapshot(group("database", EAST, rule)), EAST)[0] is False


def test_who_may_not_go_out_does_not_get_there() -> None:
    """The functions' own group must let them out, and an all-protocols rule does."""
    silent = snapshot(group("app-east", EAST))
    assert database(silent, EAST)[1].startswith("no rule of app-east lets tcp 5432 out to")
    free = group("app-east", EAST, SecurityRule(egress=True, protocol="-1", cidr="0.0.0.0/0"))
    assert database(snapshot(free), EAST) == OPEN


def test_one_function_that_is_shut_out_closes_the_path() -> None:
    """Functions of a region share the path: it is open when it is for each of them."""
    seen = snapshot(group("other", EAST))
    other = replace(function(EAST), name="other", security_group_ids=("other",))
    assert database(replace(seen, functions=(*seen.functions, other)), EAST)[0] is False


def without_nat(seen: Snapshot) -> Snapshot:
    """Take the NAT gateways away."""
    return replace(seen, nat_gateways=())


def with_endpoint(seen: Snapshot, name: str, **changed: object) -> Snapshot:
    """Give the east an endpoint of a service: an interface if it has subnets, a gateway otherwise."""
    defaults = {"gateway": "subnet_ids" not in changed, "private_dns": True}
    made = VpcEndpoint("vpce-1", EAST, vpc(EAST), name, **{**defaults, **changed})  # type: ignore[arg-type]
    return replace(seen, endpoints=(made,))


APPS = (f"app-a-{EAST}", f"app-b-{EAST}")


def test_without_endpoint_and_nat_gateway_no_service_is_reached() -> None:
    """Private addresses alone lead nowhere."""
    closed, why = service(without_nat(snapshot()), "dynamodb")
    assert (closed, why) == (
        False,
        f"app-a-{EAST} has no endpoint of the service and no way to a NAT gateway",
    )


def test_a_gateway_endpoint_serves_the_subnets_whose_tables_have_it() -> None:
    """It is for its own service, and for the route tables that it is in."""
    seen = without_nat(snapshot())
    tables = (f"rtb-app-{EAST}",)
    assert service(with_endpoint(seen, "dynamodb", route_table_ids=tables), "dynamodb") == OPEN
    assert service(with_endpoint(seen, "dynamodb", route_table_ids=()), "dynamodb")[0] is False
    assert service(with_endpoint(seen, "s3", route_table_ids=tables), "dynamodb")[0] is False
    assert service(with_endpoint(seen, "dynamodb", route_table_ids=tables), "dynamodb", WEST)[0] is False


def test_a_gateway_endpoint_is_let_out_by_its_prefix_list() -> None:
    """A rule may name the service's list of ranges instead of everything."""
    listed = group("app-east", EAST, tcp(443, egress=True, prefix_list="pl-1"))
    seen = with_endpoint(
        without_nat(snapshot(listed)), "dynamodb", route_table_ids=(f"rtb-app-{EAST}",), prefix_list="pl-1"
    )
    assert service(seen, "dynamodb") == OPEN
    (endpoint,) = seen.endpoints
    other = replace(seen, endpoints=(replace(endpoint, prefix_list="pl-2"),))
    assert service(other, "dynamodb")[0] is False


def test_an_interface_endpoint_is_guarded_by_its_own_group() -> None:
    """It answers to the service's name, lets in whom its group lets in, and is inside the subnets' ACLs."""
    seen = with_endpoint(
        without_nat(snapshot()), "secretsmanager", subnet_ids=APPS, security_group_ids=("endpoint",)
    )
    assert service(seen, "secretsmanager") == OPEN
    (endpoint,) = seen.endpoints
    nameless = replace(seen, endpoints=(replace(endpoint, private_dns=False),))
    assert service(nameless, "secretsmanager")[0] is False
    shut = snapshot(group("endpoint", EAST, tcp(443, egress=False, cidr="10.9.0.0/16")))
    assert service(replace(without_nat(shut), endpoints=seen.endpoints), "secretsmanager")[0] is False
    assert service(with_acl(seen, f"app-b-{EAST}", DENY_ALL), "secretsmanager")[0] is False


def test_a_broken_endpoint_is_not_gone_round() -> None:
    """Where an endpoint has the service's name, its packets do not take the NAT gateway instead."""
    seen = with_endpoint(
        snapshot(group("endpoint", EAST)), "monitoring", subnet_ids=APPS, security_group_ids=("endpoint",)
    )
    assert service(seen, "monitoring")[0] is False
    assert service(seen, "kms") == OPEN


def test_the_way_through_a_nat_gateway() -> None:
    """It needs the gateway, its own way out, and both subnets' ACLs; an internet gateway alone is no help."""
    assert service(snapshot(), "") == OPEN
    assert service(with_acl(snapshot(), f"app-b-{EAST}", DENY_ALL), "")[0] is False
    assert service(with_acl(snapshot(), f"edge-a-{EAST}", DENY_ALL), "")[0] is False
    assert service(rerouted("rtb-edge", "0.0.0.0/0", "pcx-1"), "")[0] is False
    assert service(rerouted("rtb-app", "0.0.0.0/0", "igw-1"), "")[0] is False
    assert service(snapshot(group("app-east", EAST)), "")[0] is False


def rerouted(table: str, destination: str, target: str) -> Snapshot:
    """Send a destination elsewhere in the east."""
    seen = snapshot()
    tables = tuple(
        replace(
            item,
            routes=tuple(
                Route(destination, target, "active") if route.destination == destination else route
                for route in item.routes
            ),
        )
        if item.id == f"{table}-{EAST}"
        else item
        for item in seen.route_tables
    )
    return replace(seen, route_tables=tables)


def test_functions_outside_a_vpc_are_nobodys_callers() -> None:
    """They have public addresses, and their own way."""
    outside = replace(function(EAST), subnet_ids=(), vpc_id="")
    assert len(callers(replace(snapshot(), functions=(outside,)), EAST)) == 1
    assert callers(replace(snapshot(), functions=(outside,)), EAST)[0].groups == ()
