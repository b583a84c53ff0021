"""Points the application's function at the database that the same run restored, as the runbook does.

A new version of the function with another database host is published, and the alias that clients are
led to is moved to it. Versions never change, so the way back is the alias's old version.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drill.errors import DrillError
from drill.faults import databases
from drill.faults.contract import OPTED_IN, Call, Fault, Intent, Resource
from drill.faults.made import ANY, name_of
from drill.faults.reads import shown
from drill.model import Json

if TYPE_CHECKING:
    from drill.aws import Aws


@dataclass(frozen=True, slots=True)
class FunctionDatabase(Fault):
    """Changes one environment variable, by a version of the function's own.

    Attributes:
        region: Where the function and the restored cluster are.
        function_arn: The function, without a version.
        alias: The alias that clients are led to.
        key_arn: The KMS key that opens the function's environment; empty for AWS's own.
        variable: The variable that holds the database's host.
        wait_s: How long a change of the function may take.
        poll_s: How often that is looked at.

    """

    region: str
    function_arn: str
    alias: str
    key_arn: str = ""
    variable: str = "DB_HOST"
    wait_s: float = 120.0
    poll_s: float = 0.5

    kind = "function-database"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Reads and changes of the function; only versions of it are deleted."""
        function = (self.function_arn,)
        versions = (f"{self.function_arn}:*",)
        made = (f"arn:{{partition}}:rds:{self.region}:{{account}}:cluster:{ANY}",)
        read = ("GetFunctionConfiguration", "GetAlias", "ListVersionsByFunction")
        change = ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias")
        return (
            *(Call("capture", "lambda", action, function) for action in read),
            Call("inject", "rds", "DescribeDBClusters", made),
            *(Call("inject", "lambda", action, function) for action in read),
            *(Call("inject", "lambda", action, function, OPTED_IN) for action in change),
            *(Call("undo", "lambda", action, function) for action in read),
            *(
                Call("undo", "lambda", action, function, OPTED_IN)
                for action in ("UpdateAlias", "UpdateFunctionConfiguration")
            ),
            Call("undo", "lambda", "DeleteFunction", versions),
            *(Call("undone", "lambda", action, function) for action in read),
            *self._key(),
        )

    def _key(self) -> Iterator[Call]:
        """Yield the use of the environment's key.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
        """
        if self.key_arn:
            via = {"StringEquals": {"kms:ViaService": f"lambda.{self.region}.amazonaws.com"}}
            grants = ("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt")
            yield Call("inject", "lambda", "UpdateFunctionConfiguration", (self.key_arn,), via, grants)

    @property
    def dead_man_note(self) -> str:
        """Say why there is no call."""
        return (
            "none: the way back is several calls, of which each needs the one before; drill recover makes "
            "them. Until then the standby writes to the restored database"
        )

    def describe(self) -> str:
        """Say what is changed."""
        return (
            f"function {self._name()} in {self.region} gets a version that uses the restored database "
            f"({self.variable}), and its alias {self.alias} is moved to it"
        )

    def touches(self) -> tuple[Resource, ...]:
        """Return the function."""
        return (Resource("function", "lambda", self.region, self.function_arn),)

    def capture(self, aws: "Aws") -> Mapping[str, Json]:
        """Return the alias's version and the database's host; no other variable is kept.

        Raises:
            DrillError: The function has no such variable, or the alias leads to two versions.

        """
        client = aws.client("lambda", self.region)
        alias = client.get_alias(FunctionName=self._name(), Name=self.alias)
        variables = self._variables(client)
        if self.variable not in variables:
            msg = (
                f"function {self._name()} in {self.region} has no variable {self.variable}, so it can't be "
                f"pointed at a database; see: aws lambda get-function-configuration --region {self.region} "
                f"--function-name {self._name()}"
            )
            raise DrillError(msg)
        if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            msg = (
                f"alias {self.alias} of {self._name()} leads to two versions: a deployment is under way; "
                f"try again when it is over: aws lambda get-alias --region {self.region} "
                f"--function-name {self._name()} --name {self.alias}"
            )
            raise DrillError(msg)
        return {"version": alias["FunctionVersion"], "host": variables[self.variable]}

    def inject(self, aws: "Aws", before: Mapping[str, Json], intent: Intent) -> None:
        """Publish a version with the restored host, and move the alias.

        Raises:
            DrillError: The cluster is gone, or Lambda did not take the change in time.

        """
        name = name_of(intent.run_id)
        found = databases.cluster(aws, self.region, name)
        if found is None:
            msg = f"cluster {name} is gone; see: aws rds describe-db-clusters --region {self.region}"
            raise DrillError(msg)
        client = aws.client("lambda", self.region)
        self._set_host(client, str(found["Endpoint"]))
        made = client.publish_version(FunctionName=self._name(), Description=name)
        client.update_alias(FunctionName=self._name(), Name=self.alias, FunctionVersion=made["Version"])

    def ready(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether the alias shows the new version."""
        client = aws.client("lambda", self.region)
        alias = client.get_alias(FunctionName=self._name(), Name=self.alias)
        return alias["FunctionVersion"] in self._published(client, run_id)

    def undo(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> tuple[str, ...]:
        """Move the alias back, put the host back, and delete the run's versions.

        What somebody else changed meanwhile stays: an alias that leads to no version of the run's, a host
        that is not the run's.
        """
        client = aws.client("lambda", self.region)
        published = self._published(client, run_id)
        alias = client.get_alias(FunctionName=self._name(), Name=self.alias)["FunctionVersion"]
        if alias in published:
            client.update_alias(FunctionName=self._name(), Name=self.alias, FunctionVersion=before["version"])
        host = self._variables(client).get(self.variable, "")
        if self._is_of_run(host, run_id):
            self._set_host(client, str(before["host"]))
        for version in published:
            try:
                client.delete_function(FunctionName=self._name(), Qualifier=version)
            except ClientError as problem:
                if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
        return tuple(self._drift(alias, published, host, before, run_id))

    def undone(self, aws: "Aws", before: Mapping[str, Json], run_id: str) -> bool:
        """Say whether no version of the run is left, and neither alias nor host leads to its database."""
        client = aws.client("lambda", self.region)
        host = self._variables(client).get(self.variable, "")
        return not self._published(client, run_id) and not self._is_of_run(host, run_id)

    def _drift(
        self, alias: str, published: list[str], host: str, before: Mapping[str, Json], run_id: str
    ) -> Iterator[str]:
        see = (
            f"aws lambda get-alias --region {self.region} --function-name {self._name()} --name {self.alias}"
        )
        if alias not in (*published, before["version"]):
            yield f"alias {self.alias} leads to version {alias} now; see: {see}"
        if host != before["host"] and not self._is_of_run(host, run_id):
            yield f"{self.variable} was set to something else; see: {see}"

    def _name(self) -> str:
        return self.function_arn.rpartition(":")[2]

    @staticmethod
    def _is_of_run(host: str, run_id: str) -> bool:
        """Say whether a host is an endpoint of the run's cluster: its name is the first label."""
        return host.partition(".")[0] == name_of(run_id)

    def _variables(self, client: Any) -> dict[str, str]:  # noqa: ANN401 (a boto3 client)
        found = client.get_function_configuration(FunctionName=self._name()).get("Environment", {})
        if "Error" in found:
            msg = (
                f"the environment of {self._name()} can't be read: {found['Error'].get('ErrorCode')}; "
                "have its key's owner permit kms:Decrypt, see: drill iam-policy aurora-snapshot-restore"
            )
            raise DrillError(msg)
        return dict(found.get("Variables", {}))

    def _set_host(self, client: Any, host: str) -> None:  # noqa: ANN401 (a boto3 client)
        variables = self._variables(client)
        if variables.get(self.variable) != host:
            client.update_function_configuration(
                FunctionName=self._name(), Environment={"Variables": {**variables, self.variable: host}}
            )
        settled = shown(lambda: self._settled(client), self.wait_s, self.poll_s)
        if not settled:
            msg = (
                f"function {self._name()} did not take another {self.variable} in {self.wait_s:g} s; see: "
                f"aws lambda get-function-configuration --region {self.region} --function-name {self._name()}"
            )
            raise DrillError(msg)

    def _settled(self, client: Any) -> bool:  # noqa: ANN401 (a boto3 client)
        found = client.get_function_configuration(FunctionName=self._name())
        return bool(found.get("LastUpdateStatus", "Successful") == "Successful")

    def _published(self, client: Any, run_id: str) -> list[str]:  # noqa: ANN401 (a boto3 client)
        """Return the versions that the run published, which are described by its name."""
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=self._name())
        return [
            str(one["Version"])
            for page in pages
            for one in page["Versions"]
            if one["Version"] != "$LATEST" and one.get("Description") == name_of(run_id)
        ]
