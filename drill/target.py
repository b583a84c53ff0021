"""The target file: what is drilled, and every time scale that a drill may assume.

The file is YAML. It is written by ``drill lab up`` or by hand and says nothing secret.
No code outside this file assumes a time scale: warm-up, settling, deadlines and intervals
come from here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drill import restraints
from drill.errors import TargetError
from drill.restraints import Limits, NoGo, StopRules, Window

SCHEMA = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Environment(_Part):
    """What the report's header says of the place; nothing else reads it.

    Attributes:
        kind: ``aws``, or ``lab`` for the cloud on loopback.
        profile: Which time scale the lab runs on; empty on AWS.

    """

    kind: Literal["aws", "lab"] = "aws"
    profile: str = ""


class Tag(_Part):
    """The tag that every touched resource must carry."""

    key: str = "drill:opt-in"
    value: str = "true"


class Service(_Part):
    """How clients reach the system.

    Attributes:
        host: The name that fails over.
        port: TCP port of the regional load balancers.
        scheme: ``http`` or ``https``.
        resolver: ``address:port`` of the caching resolver that clients use; None for the
            machine's own.
        name_servers: ``address:port`` of the zone's authoritative servers; empty to look them up.
        health_path: What a client probe asks for.
        orders_path: Where orders are posted and listed.

    """

    host: str
    port: int = Field(443, ge=1, le=65535)
    scheme: Literal["http", "https"] = "https"
    resolver: str | None = None
    name_servers: tuple[str, ...] = ()
    health_path: str = "/health/regional"
    orders_path: str = "/orders"


AlarmRole = Literal["errors", "reachability", "replication-lag", "throttles"]
"""What an alarm watches: the service's errors, the way to the other region, replication, throttling."""

ALARMS: tuple[AlarmRole, ...] = get_args(AlarmRole)


class Region(_Part):
    """One of the two regions.

    Attributes:
        name: For example ``us-east-1``.
        load_balancer: DNS name of its load balancer.
        load_balancer_arn: ARN of the same.
        vpc_id: Its VPC.
        edge_subnet_ids: Subnets in which the load balancer answers.
        app_subnet_ids: Subnets in which the functions and the database run.
        health_check_id: The health check that its failover record carries.
        function_name: The application's Lambda function.
        function_alias: The alias that the load balancer invokes.
        cluster_id: Its Aurora cluster; None where nothing runs until one is restored.
        app_route_table_ids: The route tables of the app subnets, which hold the routes to the peer.
        secret_arn: The application's database login, or its replica, in this region.
        key_arn: The KMS key under which this region keeps its data.
        alert_topic_arn: The SNS topic that alarms here tell.
        alert_queue_url: The SQS queue behind it, from which a person's pager reads.
        drill_queue_url: Another SQS queue on the same topic, which drills alone read.
        backup_vault: The AWS Backup vault here.
        alarms: Names of the alarms here, by what they watch: see :data:`ALARMS`.
        database_subnet_group: Where a restored cluster goes.
        database_security_group_id: What a restored cluster must carry to be reached.
        database_parameter_group: The cluster parameter group of a restored cluster.

    """

    name: str
    load_balancer: str
    load_balancer_arn: str
    vpc_id: str
    edge_subnet_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    app_subnet_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    health_check_id: str
    function_name: str
    function_alias: str
    cluster_id: str | None = None
    app_route_table_ids: tuple[str, ...] = ()
    secret_arn: str | None = None
    key_arn: str | None = None
    alert_topic_arn: str | None = None
    alert_queue_url: str | None = None
    drill_queue_url: str | None = None
    backup_vault: str | None = None
    alarms: Mapping[AlarmRole, str] = {}
    database_subnet_group: str | None = None
    database_security_group_id: str | None = None
    database_parameter_group: str | None = None


class Dns(_Part):
    """The zone and the name that fails over."""

    hosted_zone_id: str
    record_name: str


class Table(_Part):
    """The global table.

    Attributes:
        name: The same in both regions.
        pause_role_arn: The role under which AWS FIS pauses replication; None where FIS is not
            set up, and then a drill can't pause it.

    """

    name: str
    pause_role_arn: str | None = None


class Database(_Part):
    """How the relational database gets from one region to the other.

    Attributes:
        replication: ``backup``: the standby restores a copied recovery point; ``global``: an
            Aurora global database replicates to a cluster that runs there.
        global_cluster_id: That global database.
        backup_plan_id: The AWS Backup plan that copies recovery points to the standby.

    """

    replication: Literal["backup", "global"] = "backup"
    global_cluster_id: str | None = None
    backup_plan_id: str | None = None


class Drills(_Part):
    """What drills keep in the account; each is empty where it is not set up.

    Attributes:
        role_arn: The role that a drill assumes.
        scheduler_role_arn: The role under which EventBridge Scheduler undoes when nobody else can.
        schedule_group: The schedule group of those undos, of one name in both regions.
        lease_table: The DynamoDB table of leases, in the standby region.

    """

    role_arn: str = ""
    scheduler_role_arn: str = ""
    schedule_group: str = ""
    lease_table: str = ""


class Timing(_Part):
    """Every duration that a drill assumes, in seconds.

    Attributes:
        warm_up_s: How long steady state must hold before anything is touched.
        settle_s: How long a recovered system must stay good for it to count as recovered.
        deadline_s: How long after the injection a drill waits for recovery.
        failback_s: How long after the rollback it waits for the steady state.
        restore_s: How much longer than ``deadline_s`` it waits where a database is restored or copied.
        probe_interval_s: Between two attempts of a client probe.
        probe_timeout_s: When a client gives up one attempt.
        write_interval_s: Between two writes of the ledger.
        api_interval_s: Between two reads of an AWS API by a probe; AWS throttles these.
        api_timeout_s: When one AWS call is given up.
        poll_s: How often the engine looks at what the probes saw.
        effect_s: How long a called change may take to show.
        lease_s: How long whoever runs a drill may be silent before it is taken for dead.

    """

    warm_up_s: float = Field(60, gt=0)
    settle_s: float = Field(30, gt=0)
    deadline_s: float = Field(1800, gt=0)
    failback_s: float = Field(900, gt=0)
    restore_s: float = Field(7200, gt=0)
    probe_interval_s: float = Field(0.1, gt=0)
    probe_timeout_s: float = Field(5, gt=0)
    write_interval_s: float = Field(0.2, gt=0)
    api_interval_s: float = Field(5, gt=0)
    api_timeout_s: float = Field(10, gt=0)
    poll_s: float = Field(0.5, gt=0)
    effect_s: float = Field(120, gt=0)
    lease_s: float = Field(30, gt=0)


class Objectives(_Part):
    """What is wanted of a recovery; each may be left out, none is then judged.

    Attributes:
        rto_s: Recovery time, in seconds.
        rpo_s: Recovery point, in seconds.
        rpo_writes: Acknowledged writes that may be lost at cutover; 0 is a legal objective.
        alert_s: Time from the fault until its alert can be read where a person's pager reads, in seconds.
        failed_share: Share of clients' writes that may fail after the SDK's retries, 0 to 1.
        cold_starts: Answers of the region that takes over that may come from a function that had to
            start for them; 0 is a legal objective.

    """

    rto_s: float | None = Field(None, gt=0)
    rpo_s: float | None = Field(None, ge=0)
    rpo_writes: int | None = Field(None, ge=0)
    alert_s: float | None = Field(None, gt=0)
    failed_share: float | None = Field(None, ge=0, le=1)
    cold_starts: int | None = Field(None, ge=0)


def objective_option(name: str) -> str:
    """Return the option that a field of :class:`Objectives` is typed as: ``--rto`` of ``rto_s``."""
    return f"--{name.removesuffix('_s').replace('_', '-')}"


class Target(_Part):
    """A deployed two-region system that has agreed to be drilled.

    Attributes:
        schema_version: Version of this file's form.
        name: What is typed back to confirm; part of lease and run ids.
        account: The twelve digits of the AWS account.
        endpoint_url: Where AWS's API answers, if not at AWS itself.
        disposable: Made to be broken: no name need be typed back.
        environment: For the report's header.
        opt_in: The tag that every touched resource must carry.
        service: How clients reach it.
        primary: The region that serves.
        standby: The region that takes over.
        dns: The failover record.
        table: The global table.
        database: How the relational database replicates.
        peering_id: The VPC peering between both.
        dashboard: The CloudWatch dashboard, in the primary region; None where there is none.
        drills: What drills keep in the account.
        timing: Durations.
        objectives: By scenario; ``default`` for those that are not named.
        windows: When it may be drilled; always, if there is none.
        no_go: When it may not be drilled.
        limits: How much one drill may touch.
        stop: What ends a drill early.

    """

    schema_version: Literal[1] = Field(1, alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    endpoint_url: str | None = None
    disposable: bool = False
    environment: Environment = Environment()
    opt_in: Tag = Tag()
    service: Service
    primary: Region
    standby: Region
    dns: Dns
    table: Table
    database: Database = Database()
    peering_id: str
    dashboard: str | None = None
    drills: Drills = Drills()
    timing: Timing = Timing()
    objectives: Mapping[str, Objectives] = {}
    windows: tuple[Window, ...] = ()
    no_go: NoGo | None = None
    limits: Limits = Limits()
    stop: StopRules = StopRules()

    def objectives_for(self, scenario: str) -> Objectives:
        """Return the objectives of a scenario: its own, else the default ones, else none."""
        return self.objectives.get(scenario) or self.objectives.get("default") or Objectives()


def load(path: Path) -> Target:
    """Read and check a target file.

    Args:
        path: The YAML file.

    Raises:
        TargetError: It can't be read, is not YAML, or a key is missing, unknown or wrong;
            the text names the key and what was expected.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        msg = f"target file {path} can't be read: {problem}; write one with: drill target init"
        raise TargetError(msg) from problem
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        where = " ".join(str(problem).split())
        msg = f"target file {path} is not YAML: {where}; its keys: drill target schema"
        raise TargetError(msg) from problem
    if not isinstance(document, dict):
        kind = type(document).__name__
        msg = f"target file {path} must be a mapping of keys, not {kind}; see: drill target schema"
        raise TargetError(msg)
    try:
        return _beside(Target.model_validate(document), path)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        more = f" ({problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        msg = f"target file {path}: {key}: {first['msg']}{more}; see: drill target schema"
        raise TargetError(msg) from problem


def _beside(target: Target, path: Path) -> Target:
    """Return a target whose files are found from anywhere: what it names lies beside the target file."""
    if target.no_go is None:
        return target
    calendar = path.parent.resolve() / target.no_go.calendar
    return target.model_copy(update={"no_go": target.no_go.model_copy(update={"calendar": calendar})})


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the target file, as ``docs/schemas/target.json`` publishes it.

    https://json-schema.org/draft/2020-12
    """
    schema = Target.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "drill target file"}


def variables(target: Target) -> dict[str, str]:
    """Return a target as environment variables: ``primary.vpc_id`` as ``PRIMARY_VPC_ID``, lists by commas.

    Where AWS answers and the primary region are besides called what AWS's own tools read.
    """
    shown = target.model_dump(mode="json", exclude_none=True, exclude=set(restraints.KEYS))
    found = dict(_variables(shown, ""))
    if target.endpoint_url:
        found["AWS_ENDPOINT_URL"] = target.endpoint_url
    return {**found, "AWS_REGION": target.primary.name, "AWS_DEFAULT_REGION": target.primary.name}


def _variables(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _variables(inner, f"{name}_{key}".strip("_").upper().replace("-", "_"))
    elif isinstance(value, list):
        yield name, ",".join(str(one) for one in value)
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def dump(target: Target, path: Path) -> None:
    """Write a target file that :func:`load` reads back as the same value."""
    document = target.model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    except OSError as problem:
        msg = f"target file {path} can't be written: {problem.strerror}; write it elsewhere with: --out FILE"
        raise TargetError(msg) from problem
