import ipaddress
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.reachability import (
    INTERNET,
    OPEN,
    accepts_from,
    open_path,
    passes,
    passes_all,
)
from infra.lab.world import AclEntry, Route, Snapshot, Subnet
from tests.infra.lab.netlab import ALLOW_ALL, DENY_ALL, EAST, WEST, two_regions, vpc, with_acl

PORT = 5432
# A small world, so that every packet in it can be tried: 16 addresses and 8 ports.
WORLD = ipaddress.ip_network("10.0.0.0/28")
PORTS = (1000, 1007)


def _cidrs() -> st.SearchStrategy[str]:
    inside = [str(net) for length in range(28, 33) for net in WORLD.subnets(new_prefix=length)]
    return st.sampled_from([*inside, "0.0.0.0/0", "10.0.0.0/8", "192.168.0.0/16"])


@st.composite
def _entry(draw: st.DrawFn, number: int) -> AclEntry:
    first = draw(st.none() | st.integers(PORTS[0] - 1, PORTS[1] + 1))
    last = None if first is None else draw(st.integers(first, PORTS[1] + 1))
    protocol = draw(st.sampled_from(["-1", "6", "6", "17"]))
    return AclEntry(number, draw(st.booleans()), draw(st.booleans()), draw(_cidrs()), protocol, first, last)


@st.composite
def _acls(draw: st.DrawFn) -> tuple[AclEntry, ...]:
    numbers = draw(st.lists(st.integers(1, 9), max_size=5, unique=True))
    return tuple(draw(_entry(number)) for number in numbers)


@given(_acls(), st.booleans())
def test_a_range_passes_exactly_when_every_packet_of_it_does(acl: tuple[AclEntry, ...], egress: bool) -> None:
    """Looking only at the edges of rules gives what trying every address and port gives."""
    each = [
        passes(acl, egress=egress, address=int(address), port=port)
        for address in WORLD
        for port in range(PORTS[0], PORTS[1] + 1)
    ]
    assert passes_all(acl, egress=egress, cidr=str(WORLD), ports=PORTS) == all(each)


@given(_acls(), st.integers(0, 15), st.integers(*PORTS), st.randoms())
def test_only_numbers_order_the_rules(
    acl: tuple[AclEntry, ...], host: int, port: int, order: random.Random
) -> None:
    """In whatever order rules are listed, the lowest number that matches decides."""
    shuffled = list(acl)
    order.shuffle(shuffled)
    address = int(WORLD[host])
    verdict = passes(shuffled, egress=False, address=address, port=port)
    assert verdict == passes(acl, egress=False, address=address, port=port)
    first_word = AclEntry(0, egress=False, allow=not verdict, cidr="10.0.0.0/8", protocol="-1")
    last_word = replace(first_word, number=10)
    assert passes((*acl, first_word), egress=False, address=address, port=port) != verdict
    # Only what no rule matched, which is denied, is changed by a rule after all others.
    assert not verdict or passes((*acl, last_word), egress=False, address=address, port=port)


@given(_acls(), st.integers(0, 15), st.integers(*PORTS))
def test_directions_do_not_mix(acl: tuple[AclEntry, ...], host: int, port: int) -> None:
    """Rules for one direction say nothing about the other."""
    only_in = tuple(entry for entry in acl if not entry.egress)
    address = int(WORLD[host])
    verdict = passes(acl, egress=False, address=address, port=port)
    assert verdict == passes(only_in, egress=False, address=address, port=port)
    assert not passes(only_in, egress=True, address=address, port=port)


def test_an_empty_acl_denies_and_two_halves_make_a_whole() -> None:
    """No matching rule denies; two rules that together cover a range let it pass."""
    halves = tuple(
        AclEntry(n, egress=False, allow=True, cidr=cidr, protocol="6")
        for n, cidr in ((1, "0.0.0.0/1"), (2, "128.0.0.0/1"))
    )
    assert not passes_all((), egress=False, cidr="0.0.0.0/0", ports=(443, 443))
    assert passes_all(halves, egress=False, cidr="0.0.0.0/0", ports=(443, 443))
    assert not passes_all(halves[:1], egress=False, cidr="0.0.0.0/0", ports=(443, 443))


def test_answers_must_pass_too() -> None:
    """An ACL has no memory: a listener whose answers are denied is as dark as one that is denied."""
    subnet = Subnet("edge", EAST, vpc(EAST), "10.1.10.0/24", ALLOW_ALL)
    one_way = replace(subnet, acl=ALLOW_ALL[:1])
    assert accepts_from(subnet, INTERNET, 80) == OPEN
    assert accepts_from(one_way, INTERNET, 80) == (
        False,
        f"the network ACL of edge denies answers out to {INTERNET}",
    )


def _between(snapshot: Snapshot, source: str, destination: str) -> tuple[bool, str]:
    def subnets(prefix: str) -> tuple[Subnet, ...]:
        return tuple(subnet for subnet in snapshot.subnets if subnet.id.startswith(prefix))

    return open_path(snapshot, subnets(source), subnets(destination), PORT)


def _rerouted(table_id: str, routes: tuple[Route, ...]) -> Callable[[Snapshot], Snapshot]:
    def change(snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            route_tables=tuple(
                replace(table, routes=routes) if table.id == table_id else table
                for table in snapshot.route_tables
            ),
        )

    return change


def _peering(status: str) -> Callable[[Snapshot], Snapshot]:
    return lambda s: replace(s, peerings=(replace(s.peerings[0], status=status),))


WEST_BY_PEERING = Route("10.2.0.0/16", "pcx-1", "active")


def test_the_peered_path_is_open_both_ways() -> None:
    """Peering, routes on both sides and open ACLs make a path."""
    assert _between(two_regions(), f"app-a-{EAST}", "app-b-us-west") == OPEN
    assert _between(two_regions(), f"app-a-{WEST}", "app-b-us-east") == OPEN


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_peering("deleted"), "no active peering between vpc-us-east-1 and vpc-us-west-2: pcx-1 is deleted"),
        (_peering("pending-acceptance"), "pcx-1 is pending-acceptance"),
        (lambda s: replace(s, peerings=()), "there is none"),
        (
            _rerouted(f"rtb-app-{EAST}", ()),
            "rtb-app-us-east-1 of app-a-us-east-1 has no route to 10.2.20.0/24",
        ),
        (
            _rerouted(f"rtb-app-{WEST}", ()),
            "rtb-app-us-west-2 of app-a-us-west-2 has no route to 10.1.20.0/24",
        ),
        (_rerouted(f"rtb-app-{EAST}", (replace(WEST_BY_PEERING, state="blackhole"),)), "(blackhole)"),
        (
            # The longest prefix wins, even over an active route.
            _rerouted(f"rtb-app-{EAST}", (WEST_BY_PEERING, Route("10.2.20.0/22", "nat-1", "active"))),
            "sends 10.2.20.0/24 to nat-1 (active)",
        ),
        (
            lambda s: replace(
                s, vpcs=(s.vpcs[0], replace(s.vpcs[1], cidrs=("10.2.0.0/16", "10.1.128.0/20")))
            ),
            "the address ranges of vpc-us-east-1 and vpc-us-west-2 overlap",
        ),
        (
            lambda s: with_acl(s, f"app-a-{EAST}", DENY_ALL),
            "network ACL of app-a-us-east-1 denies tcp 5432 out",
        ),
        (lambda s: with_acl(s, f"app-a-{EAST}", ALLOW_ALL[1:]), "ACL of app-a-us-east-1 denies answers in"),
        (
            lambda s: with_acl(s, f"app-a-{WEST}", DENY_ALL),
            "network ACL of app-a-us-west-2 denies tcp 5432 in",
        ),
        (lambda s: with_acl(s, f"app-a-{WEST}", ALLOW_ALL[:1]), "ACL of app-a-us-west-2 denies answers out"),
    ],
)
def test_each_thing_that_is_missing_closes_the_peered_path(
    change: Callable[[Snapshot], Snapshot], why: str
) -> None:
    """Take away any one of them and the path is closed, with the reason."""
    is_open, reason = _between(change(two_regions()), f"app-a-{EAST}", f"app-a-{WEST}")
    assert not is_open
    assert why in reason


def test_a_subnet_without_a_table_of_its_own_uses_the_main_one() -> None:
    """The main route table serves subnets that no table names."""
    snapshot = two_regions()
    adopted = replace(
        snapshot,
        route_tables=tuple(
            replace(table, subnet_ids=(), main=table.id.startswith("rtb-app"))
            for table in snapshot.route_tables
        ),
    )
    assert _between(adopted, f"app-a-{EAST}", f"app-a-{WEST}") == OPEN


def test_packets_inside_one_subnet_meet_no_acl() -> None:
    """A deny-all ACL cuts subnets from one another, but not a subnet from itself."""
    snapshot = with_acl(two_regions(), "app-", DENY_ALL)
    assert _between(snapshot, f"app-a-{EAST}", f"app-a-{EAST}") == OPEN
    assert not _between(snapshot, f"app-a-{EAST}", f"app-b-{EAST}")[0]


def test_a_path_without_an_end_is_closed() -> None:
    """No subnet, no path."""
    assert open_path(two_regions(), (), two_regions().subnets, PORT)[0] is False
