"""Whether security groups let a connection pass: pure rules over a snapshot.

They are stateful, so that only the way of the first packet counts; rules allow, nothing denies,
and what no rule allows does not pass. A group named in a rule means its members, in the same VPC;
across regions a group can't be named.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html

What has no group at all in a snapshot is not judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from infra.lab.reachability import OPEN, Openness
from infra.lab.world import SecurityRule, Snapshot

_TCP = frozenset({"-1", "6", "tcp", "all"})


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection, as rules name it.

    Attributes:
        cidr: Its range; a rule must let all of it pass.
        groups: Its security groups, where it is in the same VPC.
        prefix_list: The list of ranges that it is of, if it is one of AWS's services.

    """

    cidr: str
    groups: tuple[str, ...] = ()
    prefix_list: str = ""


def lets_out(snapshot: Snapshot, groups: Sequence[str], peer: Peer, port: int) -> Openness:
    """Tell whether what has these groups may connect to a port of another end."""
    return _lets(snapshot, groups, peer, port, egress=True)


def lets_in(snapshot: Snapshot, groups: Sequence[str], peer: Peer, port: int) -> Openness:
    """Tell whether another end may connect to a port of what has these groups."""
    return _lets(snapshot, groups, peer, port, egress=False)


def _lets(snapshot: Snapshot, groups: Sequence[str], peer: Peer, port: int, *, egress: bool) -> Openness:
    rules = [
        rule
        for group in snapshot.security_groups
        if group.id in groups
        for rule in group.rules
        if rule.egress == egress and rule.protocol in _TCP
    ]
    if not groups or any(_covers_port(rule, port) and _names(rule, peer) for rule in rules):
        return OPEN
    way = "out to" if egress else "in from"
    return False, f"no rule of {', '.join(groups)} lets tcp {port} {way} {peer.cidr}"


def _covers_port(rule: SecurityRule, port: int) -> bool:
    first = 0 if rule.from_port is None else rule.from_port
    last = 65535 if rule.to_port is None else rule.to_port
    return first <= port <= last


def _names(rule: SecurityRule, peer: Peer) -> bool:
    if rule.cidr:
        return IPv4Network(peer.cidr).subnet_of(IPv4Network(rule.cidr, strict=False))
    return (
        rule.group in peer.groups
        if rule.group
        else bool(rule.prefix_list) and rule.prefix_list == peer.prefix_list
    )
