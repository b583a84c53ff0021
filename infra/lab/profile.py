"""Time scales of the lab: ``fast`` for a drill in well under a minute, ``aws`` for documented intervals."""

from dataclasses import dataclass

from drill.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """How long things take in this lab; all in seconds.

    Attributes:
        name: ``fast`` or ``aws``.
        check_scale: A health check's configured interval is multiplied by this.
        clock_scale: Periods of CloudWatch, rates and cron expressions of schedules, rotations and
            backups pass this much faster: a minute of them takes 60 times this. So do updates of
            DynamoDB's tables, and the seconds of unused capacity that those keep. Instants that a
            caller names (``at(...)``) are never scaled.
        checkers: How many checkers look at each endpoint.
        check_connect_s: A checker gives up connecting after this.
        check_response_s: A checker gives up the response after this, once connected.
        dns_propagation_s: From a health change to the name servers' answer.
        alias_ttl_s: TTL of an alias to a load balancer, whole seconds.
        replication_median_s: Median of the replication lag of global tables (log-normal).
        replication_sigma: Its sigma.
        acl_s: From an accepted network change to the packets.
        database_create_s: The least time a cluster shows ``creating``.
        experiment_start_s: An AWS FIS experiment shows ``initiating`` this long.

    """

    name: str
    check_scale: float
    clock_scale: float
    checkers: int
    check_connect_s: float
    check_response_s: float
    dns_propagation_s: float
    alias_ttl_s: int
    replication_median_s: float
    replication_sigma: float
    acl_s: float
    database_create_s: float
    experiment_start_s: float


# aws: intervals and time-outs as documented, see
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
# The lag of global tables is "usually within a second"; the rest is an assumption of the lab.
AWS = Profile(
    name="aws",
    check_scale=1.0,
    clock_scale=1.0,
    checkers=3,
    check_connect_s=4.0,
    check_response_s=2.0,
    dns_propagation_s=1.0,
    alias_ttl_s=60,
    replication_median_s=0.7,
    replication_sigma=0.3,
    acl_s=1.0,
    database_create_s=5.0,
    experiment_start_s=5.0,
)

FAST = Profile(
    name="fast",
    check_scale=0.02,
    clock_scale=0.02,
    checkers=3,
    check_connect_s=0.5,
    check_response_s=0.5,
    dns_propagation_s=0.1,
    alias_ttl_s=1,
    replication_median_s=0.05,
    replication_sigma=0.4,
    acl_s=0.01,
    database_create_s=0.2,
    experiment_start_s=0.2,
)

PROFILES = {profile.name: profile for profile in (FAST, AWS)}


def profile(name: str) -> Profile:
    """Return a profile by name.

    Raises:
        UsageError: There is none of that name.

    """
    try:
        return PROFILES[name]
    except KeyError:
        msg = f"no lab profile {name!r}: it is one of {', '.join(PROFILES)}; see: drill lab up --help"
        raise UsageError(msg) from None
