"""The runbooks' commands, typed as they stand there, on a system that is deployed on the lab."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drill.aws import Aws
from infra.lab import first_backup
from tests.e2e.conftest import Lab

BOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
# A person waits between two looks; the lab is quick. And the command line's first version leads RDS
# in us-east-1 past AWS_ENDPOINT_URL.
PRELUDE = """
sleep() { command sleep 0.2; }
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
"""


def _commands(book: str) -> str:
    text = (BOOKS / book).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def _type(lab: Lab, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DRILL_TARGET": str(lab.target_path),
        "AWS_ACCESS_KEY_ID": "loopback",
        "AWS_SECRET_ACCESS_KEY": "loopback",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", PRELUDE + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def _database_host(lab: Lab) -> str:
    functions = Aws.of(lab.target, as_operator=True).client("lambda", lab.target.standby.name)
    live = functions.get_function_configuration(
        FunctionName=lab.target.standby.function_name, Qualifier=lab.target.standby.function_alias
    )
    return str(live["Environment"]["Variables"]["DB_HOST"])


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_both_runbooks_do_what_they_say(lab: Lab, tmp_path: Path) -> None:
    """Failover moves traffic and restores the database in the standby; failback leaves nothing of it."""
    usual = _database_host(lab)
    # A recovery point of before may know no login in force.
    first_backup.make(lab.target)

    failover = _type(lab, tmp_path, _commands("failover.md"))

    assert failover.returncode == 0, failover.stdout + failover.stderr
    assert f"{lab.target.standby.name} answered 200" in failover.stdout
    assert _database_host(lab) != usual
    assert "restored" in _database_host(lab)

    failback = _type(lab, tmp_path, _commands("failback.md"))

    assert failback.returncode == 0, failback.stdout + failback.stderr
    assert f"{lab.target.primary.name} answered 200" in failback.stdout
    assert "are there" in failback.stdout
    assert _database_host(lab) == usual
    rds = Aws.of(lab.target, as_operator=True).client("rds", lab.target.standby.name)
    assert not [
        one for one in rds.describe_db_clusters()["DBClusters"] if "restored" in one["DBClusterIdentifier"]
    ]


def test_every_command_of_the_docs_exists() -> None:
    """A page names no command of this program that is not there."""
    from drill import cli
    from tests.test_docs import commands

    known = {name for name, _ in commands(cli.group, "drill")}
    groups = {name.rpartition(" ")[0] for name in known}
    for page in BOOKS.parent.rglob("*.md"):
        typed = re.findall(r"`(drill [a-z-]+(?: [a-z-]+)?)", page.read_text(encoding="utf-8"))
        for words in typed:
            first = " ".join(words.split()[:2])
            assert words in known or first in known or first in groups, f"{page.name}: {words}"
