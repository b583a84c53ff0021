"""The lease: one drill per target at a time, freed by the kernel."""

import subprocess
import sys
from pathlib import Path

import pytest

from drill import lease_file
from drill.errors import Refused


def test_only_one_holds_it(tmp_path: Path) -> None:
    """A second drill on the same target is refused while the first one runs."""
    with (
        lease_file.taken(tmp_path, "orders"),
        pytest.raises(Refused, match="another drill is running on orders"),
    ):
        lease_file.taken(tmp_path, "orders").__enter__()


def test_targets_do_not_mind_one_another(tmp_path: Path) -> None:
    """Drills on two targets may run side by side."""
    with lease_file.taken(tmp_path, "orders"), lease_file.taken(tmp_path, "payments") as other:
        assert other.lost() == ""


def test_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    """A holder that died by SIGKILL holds nothing."""
    program = (
        "import os, pathlib, signal, sys\n"
        "from drill import lease_file\n"
        "with lease_file.taken(pathlib.Path(sys.argv[1]), 'orders'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    with lease_file.taken(tmp_path, "orders") as held:
        assert held.lost() == ""


def test_notices_that_its_file_is_gone(tmp_path: Path) -> None:
    """A lock whose file was removed protects nobody: it counts as lost."""
    with lease_file.taken(tmp_path, "orders") as held:
        held.path.unlink()

        assert held.lost()


def test_notices_that_its_file_was_replaced(tmp_path: Path) -> None:
    """Another file under the same name is another lock."""
    with lease_file.taken(tmp_path, "orders") as held:
        held.path.unlink()
        held.path.touch()

        assert held.lost()
