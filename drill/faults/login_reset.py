"""Gives the application's login its present password in the database that the same run restored.

Between the recovery point and its restore the login may have been rotated: the restored database then
knows a password that the secret no longer has. Nobody else can mend that, for the rotation function is in
the region that is lost. So the restored cluster's master user gets a new password, which nobody keeps, and
with it the login gets the one that the secret holds now.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Modifying.html
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pg8000.native import identifier, literal

from drill import clock, postgres, redaction
from drill.errors import DrillError
from drill.faults import databases, secret_reads
from drill.faults.contract import MADE_BY_A_DRILL, Call, Fault, Intent, Resource
from drill.faults.made import ANY, name_of
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws

_LENGTH = 32


@dataclass(frozen=True, slots=True)
class LoginReset(Fault):
    """Resets the login in the restored cluster.

    Attributes:
        region: Where the restored cluster is.
        secret_arn: The application's login there, in Secrets Manager.
        key_arn: The KMS key that opens it; empty for AWS's own.
        database: Name of the database.
        resolver: ``address:port`` of the resolver that knows the endpoint; None for this machine's own.
        connect_s: When one connection is given up.
        wait_s: How long RDS may take to change the master user's password.
        poll_s: How often that is looked at.

    """

    region: str
    secret_arn: str
    key_arn: str = ""
    database: str = "orders"
    resolver: str | None = None
    connect_s: float = 5.0
    wait_s: float = 600.0
    poll_s: float = 0.5

    kind = "login-reset"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads of the login, and a change of the cluster that a drill restored."""
        made = (f"arn:{{partition}}:rds:{self.region}:{{account}}:cluster:{ANY}",)
        return (
            Call("inject", "rds", "DescribeDBClusters", made),
            Call("inject", "rds", "ModifyDBCluster", made, MADE_BY_A_DRILL),
            *secret_reads.calls("inject", self.region, self.secret_arn, self.key_arn),
        )

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return "none is needed: only the restored cluster is changed, which goes again"

    def describe(self) -> str:
        """Say what is changed."""
        return (
            "in the restored database the master user gets a new password, and the application's login the "
            "one that its secret holds now"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return nothing: the cluster is the drill's own, and the secret is only read."""
        return ()

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return nothing: what is changed goes with the cluster."""
        return {}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Change both passwords, and return when the application's login works.

        Raises:
            DrillError: The cluster can't be reached, RDS did not change the password in time, or the
                restored database does not know the login at all.

        """
        text = aws.client("secretsmanager", self.region).get_secret_value(SecretId=self.secret_arn)
        login = postgres.login_of(self.secret_arn, text["SecretString"])
        name = name_of(intent.run_id)
        found = databases.cluster(aws, self.region, name)
        if found is None:
            msg = f"cluster {name} is gone; see: aws rds describe-db-clusters --region {self.region}"
            raise DrillError(msg)
        place = postgres.Place(
            str(found["Endpoint"]), int(found["Port"]), self.database, self.resolver, self.connect_s
        )
        ends_ns = clock.monotonic_ns() + round(self.wait_s * 1e9)
        master = postgres.Login(str(found["MasterUsername"]), secrets.token_hex(_LENGTH // 2))
        redaction.learn((master.password,))
        self._set_master(aws, name, master.password, ends_ns)
        self._set_login(place, master, login, ends_ns)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Do nothing: the cluster goes."""
        return ()

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say that nothing is left of it that does not go with the cluster."""
        return True

    def _set_master(self, aws: "Aws", name: str, password: str, ends_ns: int) -> None:
        """Have RDS change the master user's password; right after a restore it may not be ready for it."""
        client = aws.client("rds", self.region)
        while True:
            try:
                client.modify_db_cluster(
                    DBClusterIdentifier=name, MasterUserPassword=password, ApplyImmediately=True
                )
            except ClientError as problem:
                refused = problem.response["Error"]["Code"] == "InvalidDBClusterStateFault"
                if not refused or clock.monotonic_ns() >= ends_ns:
                    raise
            else:
                return
            clock.sleep(self.poll_s)

    def _set_login(
        self, place: postgres.Place, master: postgres.Login, login: postgres.Login, ends_ns: int
    ) -> None:
        """Set the login's password as the master user, as soon as RDS has given that one the new one."""
        while True:
            try:
                with postgres.connected(place, master) as connection:
                    known = connection.run(
                        "SELECT 1 FROM pg_roles WHERE rolname = :role", role=login.username
                    )
                    if known:
                        hashed = literal(postgres.verifier(login.password))
                        connection.run(f"ALTER ROLE {identifier(login.username)} PASSWORD {hashed}")
                        return
            except postgres.NotServed as problem:
                if clock.monotonic_ns() >= ends_ns:
                    msg = f"the master user's new password was not taken in {self.wait_s:g} s: {problem}"
                    raise DrillError(msg) from problem
            else:
                msg = (
                    f"the restored database knows no login {login.username}: its recovery point is older "
                    "than that; take a newer one with: drill run aurora-snapshot-restore --fresh"
                )
                raise DrillError(msg)
            clock.sleep(self.poll_s)
