"""Drills run in their own role: with less than its policy they are stopped, and put back what they did.

``DRILL_EVERY_STATEMENT=1`` tries every statement of every policy; without it a few are drawn by
the seed of ``DRILL_SEED``.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drill import catalogue, permissions, plan, rollback, runs
from drill.aws import Aws
from drill.exit_codes import MET, ROLLBACK_INCOMPLETE
from drill.permissions import Statement
from drill.testing.ways import ways
from scenarios.region_outage import RegionOutage, RegionOutageParams
from tests.e2e.conftest import Lab, unstarved

pytestmark = pytest.mark.slow

FLAGS: tuple[tuple[str, ...], ...] = ((), ("--blackout",))
# So many of each policy's are tried where not all are.
DRAWN = 1
# Asked for by the check that is switched off here, and by nothing else.
ONLY_CHECKING = frozenset({"IamSimulatePrincipalPolicy"})


def _statements(lab: Lab, *flags: str) -> tuple[Statement, ...]:
    params = RegionOutageParams(blackout="--blackout" in flags)
    return permissions.statements(plan.make(RegionOutage(), params, lab.target))


def _each(document: Any) -> set[tuple[str, str, str]]:
    """Return what a policy permits, action by action and resource by resource."""

    def many(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    return {
        (action, resource, json.dumps(one.get("Condition", {}), sort_keys=True))
        for one in document["Statement"]
        for action in many(one["Action"])
        for resource in many(one["Resource"])
    }


class Role:
    """The role of drills on the lab, whose policies are put back in the end."""

    def __init__(self, lab: Lab) -> None:
        """Remember its policies."""
        self._iam = Aws.of(lab.target, as_operator=True).client("iam", "global")
        self._name = lab.target.drills.role_arn.rpartition("/")[2]
        self.before = self._policies()

    def _policies(self) -> dict[str, Any]:
        names = self._iam.list_role_policies(RoleName=self._name)["PolicyNames"]
        return {
            name: self._iam.get_role_policy(RoleName=self._name, PolicyName=name)["PolicyDocument"]
            for name in names
        }

    def put(self, policies: dict[str, Any]) -> None:
        """Make these its policies and no others."""
        for name, document in policies.items():
            self._iam.put_role_policy(
                RoleName=self._name, PolicyName=name, PolicyDocument=json.dumps(document)
            )
        for name in self._policies().keys() - policies.keys():
            self._iam.delete_role_policy(RoleName=self._name, PolicyName=name)


@pytest.fixture
def role(lab: Lab) -> Iterator[Role]:
    """Give the role of drills, and put its policies back."""
    one = Role(lab)
    try:
        yield one
    finally:
        one.put(one.before)


def test_the_stacks_role_is_what_the_policies_say(lab: Lab, role: Role) -> None:
    """The role in ``infra/stacks`` may do what all scenarios need together, no more and no less."""
    plans = [
        plan.make(way.scenario, way.params, lab.target)
        for name in catalogue.names()
        for way in ways(catalogue.find(name))
    ]
    wanted = {"Statement": [one.document() for one in permissions.statements(*plans)]}
    has = set().union(*(_each(document) for document in role.before.values()))

    assert _each(wanted) == has


def _run(lab: Lab, root: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drill", "run", "region-outage", *flags]
    where = ["--target", str(lab.target_path), "--runs", str(root)]
    return unstarved([*command, *where])


def _drawn() -> list[tuple[tuple[str, ...], int]]:
    """Return flags, and which statement of their policy is taken out: a place from 0 to 1 in thousandths."""
    chance = random.Random(os.environ.get("DRILL_SEED", "1"))
    return [(flags, chance.randrange(1000)) for flags in FLAGS for _ in range(DRAWN)]


@pytest.mark.parametrize("flags", FLAGS, ids=["inverted", "blackout"])
def test_a_drill_runs_under_the_printed_policy(
    lab: Lab, role: Role, flags: tuple[str, ...], tmp_path: Path
) -> None:
    """What ``drill iam-policy`` prints is enough for the whole drill, and it is enforced."""
    before = lab.fingerprint()
    documents = permissions.policies(_statements(lab, *flags))
    role.put({f"drill-{place}": document for place, document in enumerate(documents)})

    ended = _run(lab, tmp_path, *flags)

    assert ended.returncode == MET, ended.stdout + ended.stderr
    role.put(role.before)
    assert before == lab.fingerprint()


def _without(lab: Lab, role: Role, flags: tuple[str, ...], missing: Statement) -> None:
    rest = [one for one in _statements(lab, *flags) if one != missing]
    role.put({f"drill-{place}": one for place, one in enumerate(permissions.policies(rest))})


def _try_without(lab: Lab, role: Role, flags: tuple[str, ...], missing: Statement, root: Path) -> bool:
    """Drill without one statement and without the check; return whether its absence was felt.

    Whatever happens, nothing may be left that the drill does not say.
    """
    before = lab.fingerprint()
    _without(lab, role, flags, missing)
    ended = _run(lab, root, *flags, "--unchecked-permissions")
    role.put(role.before)
    said = ended.stdout + ended.stderr
    if ended.returncode == ROLLBACK_INCOMPLETE:
        # The undo itself was denied: it says so, and is made good by who may.
        rollback.replay(runs.find(root, "latest"))
    assert before == lab.fingerprint(), (missing, said)
    # Without a probe's permission a drill goes on, and what the probe would have seen is unknown.
    unseen = any(b"AccessDenied" in path.read_bytes() for path in root.glob("*/observations.sqlite*"))
    return ended.returncode != MET or unseen or missing.sid in ONLY_CHECKING


@pytest.mark.parametrize(("flags", "thousandth"), _drawn())
def test_without_the_check_the_enforcement_stops_it(
    lab: Lab, role: Role, flags: tuple[str, ...], thousandth: int, tmp_path: Path
) -> None:
    """With one statement less, and nobody asking before, a drill is stopped and what it did is put back."""
    wanted = _statements(lab, *flags)

    missing = wanted[len(wanted) * thousandth // 1000]
    assert _try_without(lab, role, flags, missing, tmp_path), missing


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not os.environ.get("DRILL_EVERY_STATEMENT"), reason="takes half an hour")
@pytest.mark.parametrize("flags", FLAGS, ids=["inverted", "blackout"])
def test_without_any_one_statement(lab: Lab, role: Role, flags: tuple[str, ...], tmp_path: Path) -> None:
    """So it is with every statement."""
    every = _statements(lab, *flags)
    unfelt = [one.sid for one in every if not _try_without(lab, role, flags, one, tmp_path / one.sid)]

    assert unfelt == []
