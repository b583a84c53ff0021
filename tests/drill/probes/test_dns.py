"""The dns probe, against DNS servers that really run."""

import pytest

from drill.errors import UsageError
from drill.model import Goodness, ProbeSpec
from drill.probes.contract import Context
from drill.probes.dns import DnsProbe
from tests.drill.probes.scripted import Attempts, Place, Zone

REGIONAL = {"us-east-1": "lb.east.test", "us-west-2": "lb.west.test"}
RECORDS = {
    "shop.test": ["127.9.0.1"],
    "lb.east.test": ["127.9.0.1", "127.9.0.2"],
    "lb.west.test": ["127.9.0.3"],
}


def make_probe(context: Context, timeout_s: float = 5, **options: object) -> DnsProbe:
    """Return a probe with sane values."""
    return DnsProbe(ProbeSpec("zone", "dns", 0.1, timeout_s, {"regional": REGIONAL, **options}), context)  # type: ignore[dict-item]


class TestAuthoritative:
    def test_which_region(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """An address is matched with the load balancer that has it."""
        zone.records.update(RECORDS)

        (seen,) = attempts(make_probe(place(host="shop.test", name_servers=(zone.server,))), 1)

        assert (Goodness.GOOD, "us-east-1") == (seen.goodness, seen.answered_by)
        assert {"addresses": ["127.9.0.1"], "ttl": 7, "server": zone.server} == seen.detail
        assert seen.done_ns is not None

    def test_failed_over_to_a_new_address(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """An address that was not known at the start is looked up once, for all attempts that met it."""
        zone.records.update(RECORDS)

        class Later(dict[str, object]):
            turn = 0

            def get(self, name: str, *_: object) -> object:
                self.turn += name == "lb.west.test"
                if name == "shop.test":
                    return ["127.9.0.4"]
                return ["127.9.0.4"] if name == "lb.west.test" and self.turn > 1 else ["127.9.0.1"]

        zone.records = Later()  # type: ignore[assignment]
        seen = attempts(make_probe(place(host="shop.test", name_servers=(zone.server,))), 5)

        assert ["us-west-2"] * 5 == [each.answered_by for each in seen]
        assert zone.asked["lb.west.test"] == 2

    def test_an_address_of_nobody(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """An answer with a stranger's address is an answer, of no region."""
        zone.records.update(RECORDS | {"shop.test": ["127.9.0.99"]})

        (seen,) = attempts(make_probe(place(host="shop.test", name_servers=(zone.server,))), 1)

        assert (Goodness.GOOD, None) == (seen.goodness, seen.answered_by)

    def test_servers_in_turn(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """The n-th attempt asks server n modulo their number; a dead one is bad without the others."""
        zone.records.update(RECORDS)

        probe = make_probe(place(name_servers=(zone.server, "127.0.0.1:9")), name="shop.test")
        seen = attempts(probe, 4)

        assert [Goodness.GOOD, Goodness.BAD] * 2 == [each.goodness for each in seen]
        assert [zone.server, "127.0.0.1:9"] * 2 == [each.detail["server"] for each in seen]
        assert seen[1].detail["error"] == "unreachable"

    def test_load_balancers_of_another_zone(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """Route 53 does not hold the load balancers' own zone: the resolver is asked for them then."""
        zone.records["shop.test"] = ["127.9.0.1"]
        zone.records.update(dict.fromkeys(REGIONAL.values(), "REFUSED"))

        (seen,) = attempts(
            make_probe(place(host="shop.test", name_servers=(zone.server,), resolver=zone.server)), 1
        )

        assert (Goodness.GOOD, None) == (seen.goodness, seen.answered_by)
        assert zone.asked["lb.west.test"] >= 2

    @pytest.mark.parametrize("answer", ["NXDOMAIN", "SERVFAIL"])
    def test_no_answer(self, zone: Zone, place: Place, attempts: Attempts, answer: str) -> None:
        """An answer without an address is bad and says why."""
        zone.records["shop.test"] = answer

        (seen,) = attempts(make_probe(place(host="shop.test", name_servers=(zone.server,)), regional={}), 1)

        assert (Goodness.BAD, answer.lower()) == (seen.goodness, seen.detail["error"])

    def test_silence(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """No answer within the time-out is bad; the question was repeated meanwhile."""
        zone.records["shop.test"] = "silent"

        seen = attempts(
            make_probe(place(host="shop.test", name_servers=(zone.server,)), 1.2, regional={}), 20
        )

        assert ["timeout"] * 20 == [each.detail["error"] for each in seen]
        assert zone.asked["shop.test"] > 20


class TestCaching:
    def test_server_option(self, zone: Zone, place: Place, attempts: Attempts) -> None:
        """With a resolver named, it is asked instead of the zone's servers."""
        zone.records.update(RECORDS)

        context = place(host="shop.test", name_servers=("127.0.0.1:9",))
        (seen,) = attempts(make_probe(context, server=zone.server), 1)

        assert (Goodness.GOOD, zone.server) == (seen.goodness, seen.detail["server"])

    def test_wrong_server(self, place: Place, attempts: Attempts) -> None:
        """A server that is no address and port is told before the first attempt."""
        with pytest.raises(UsageError, match="must be address:port"):
            attempts(make_probe(place(host="shop.test"), server="127.0.0.1:dns"), 1)
