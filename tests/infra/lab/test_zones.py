import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.lab.world import DnsRecord
from infra.lab.zones import Zones
from tests.infra.lab.netlab import (
    NAME,
    PRIMARY,
    SECONDARY,
    ZONE,
    failover,
    failover_pair,
    zone_of,
)


@pytest.mark.parametrize("secondary_check", ["s", ""])
@pytest.mark.parametrize("primary", [True, False])
@pytest.mark.parametrize("secondary", [True, False])
def test_failover_follows_route_53s_rules(primary: bool, secondary: bool, secondary_check: str) -> None:
    """Healthy primary; else a secondary that is healthy or unchecked; with both unhealthy the primary."""
    zones = Zones(failover_pair(secondary_check), {}, 1)
    shown = zones.answer(NAME, "A", {"p": primary, "s": secondary}.__getitem__).values()
    to_secondary = not primary and (secondary or not secondary_check)
    assert shown == ((SECONDARY,) if to_secondary else (PRIMARY,))


@given(st.permutations(list(failover_pair().records)), st.booleans(), st.booleans())
def test_the_order_of_records_does_not_matter(
    records: list[DnsRecord], primary: bool, secondary: bool
) -> None:
    """However the records are listed, the answer is the same."""
    states = {"p": primary, "s": secondary}.__getitem__
    shuffled = Zones(zone_of(*records), {}, 1).answer(NAME, "A", states)
    assert shuffled == Zones(failover_pair(), {}, 1).answer(NAME, "A", states)


def _alias(target: str, evaluates: bool = False, **more: str) -> DnsRecord:
    return DnsRecord(ZONE, NAME, "A", None, (), alias=target, alias_evaluates_health=evaluates, **more)


def test_aliases_cnames_and_negative_answers() -> None:
    """An alias answers in its own name; CNAMEs are followed; NODATA and NXDOMAIN carry the SOA."""
    inner = DnsRecord(ZONE, "inner.shop.test.", "A", 7, ("10.0.0.9",))
    canonical = DnsRecord(ZONE, "c.shop.test.", "CNAME", 9, ("www.shop.test.",))
    text = DnsRecord(ZONE, "deep.er.shop.test.", "TXT", 9, ('"x"',))
    snapshot = zone_of(_alias("inner.shop.test."), inner, canonical, text)
    zones = Zones(snapshot, {"lb-1.elb.test.": ("10.0.0.3", "10.0.0.4")}, 1)

    def ask(name: str, kind: str = "A") -> tuple[str, list[tuple[str, str, int]], int]:
        got = zones.answer(name, kind, lambda _: True)
        return got.rcode, [(r.name, r.value, r.ttl_s) for r in got.records], len(got.authority)

    assert ask(NAME) == ("NOERROR", [(NAME, "10.0.0.9", 7)], 0)
    assert ask("c.shop.test.") == (
        "NOERROR",
        [("c.shop.test.", NAME, 9), (NAME, "10.0.0.9", 7)],
        0,
    )
    assert ask("lb-1.elb.test.")[1] == [("lb-1.elb.test.", "10.0.0.3", 1), ("lb-1.elb.test.", "10.0.0.4", 1)]
    assert ask(NAME, "AAAA") == ("NOERROR", [], 1)
    assert ask("er.shop.test.") == ("NOERROR", [], 1)
    assert ask("nope.shop.test.") == ("NXDOMAIN", [], 1)
    assert ask("nope.elb.test.") == ("NXDOMAIN", [], 1)
    assert ask("example.com.") == ("REFUSED", [], 0)
    assert ask(ZONE, "SOA")[1][0][0] == ZONE
    assert ask(ZONE, "NS")[1][0][1] == "ns.shop.test."


def test_an_alias_that_evaluates_its_target_fails_over_with_it() -> None:
    """EvaluateTargetHealth looks at the health check behind the alias."""
    inner = DnsRecord(ZONE, "inner.shop.test.", "A", 7, (PRIMARY,), health_check_id="p")
    for evaluates, expected in ((True, SECONDARY), (False, PRIMARY)):
        first = _alias("inner.shop.test.", evaluates, set_identifier="1", failover="PRIMARY")
        zones = Zones(zone_of(first, inner, failover("SECONDARY", SECONDARY, "s")), {}, 1)
        assert zones.answer(NAME, "A", lambda check_id: check_id != "p").values() == (expected,)


def test_an_alias_that_points_at_itself_ends() -> None:
    """A circle of aliases answers nothing instead of hanging."""
    zones = Zones(zone_of(_alias(NAME, evaluates=True)), {}, 1)
    assert zones.answer(NAME, "A", lambda _: True).values() == ()
