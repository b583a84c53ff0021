"""The journal: on disk before the fault, chained, readable past a torn tail."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill import journal
from drill.errors import DrillError
from drill.journal import FILE, Journal


def make_journal(folder: Path, *steps: str) -> Journal:
    """Create a journal in which each step was intended."""
    made = Journal.create(folder, "region-outage", "orders")
    for step in steps:
        made.intend(step, "health-check-inversion", {"health_check_id": step}, {"inverted": False})
    return made


def _no_disk(_descriptor: int) -> None:
    raise OSError(5, "Input/output error")


class TestPending:
    def test_last_intended_comes_first(self, tmp_path: Path) -> None:
        """Undos are due in the reverse order of the intents."""
        with make_journal(tmp_path, "one", "two", "three"):
            pass

        assert ["three", "two", "one"] == [step.step for step in journal.pending(journal.read(tmp_path))]

    def test_undone_steps_are_gone(self, tmp_path: Path) -> None:
        """A step that was undone is not due any more."""
        with make_journal(tmp_path, "one", "two") as made:
            made.note("undone", "two", 1, 2)

        assert ["one"] == [step.step for step in journal.pending(journal.read(tmp_path))]

    @pytest.mark.parametrize("kind", ["injected", "failed", "unknown", "undo_failed"])
    def test_everything_else_stays_due(self, tmp_path: Path, kind: str) -> None:
        """Whatever became of the injection, its undo is due until it is done."""
        with make_journal(tmp_path, "one") as made:
            made.note(kind, "one", 1, 2, error="boom")

        assert ["one"] == [step.step for step in journal.pending(journal.read(tmp_path))]

    def test_carries_what_an_undo_needs(self, tmp_path: Path) -> None:
        """A fresh process gets fault, arguments and captured state back as they were."""
        with make_journal(tmp_path, "one"):
            pass

        step = journal.pending(journal.read(tmp_path))[0]

        assert ("health-check-inversion", {"health_check_id": "one"}, {"inverted": False}) == (
            step.fault,
            step.args,
            step.captured,
        )


class TestDisk:
    @settings(max_examples=60, deadline=None)
    @given(cut=st.integers(min_value=1, max_value=400))
    def test_torn_tail_loses_only_the_last_lines(
        self, tmp_path_factory: pytest.TempPathFactory, cut: int
    ) -> None:
        """However many bytes are missing at the end, the whole lines before are read."""
        folder = tmp_path_factory.mktemp("torn")
        with make_journal(folder, "one", "two"):
            pass
        raw = (folder / FILE).read_bytes()
        (folder / FILE).write_bytes(raw[:-cut])

        entries = journal.read(folder)

        assert raw[:-cut].count(b"\n") == len(entries)

    def test_goes_on_after_a_torn_tail(self, tmp_path: Path) -> None:
        """Reopened after a torn line, the chain is whole again."""
        with make_journal(tmp_path, "one", "two"):
            pass
        path = tmp_path / FILE
        path.write_bytes(path.read_bytes()[:-7])

        with Journal.reopen(tmp_path) as again:
            again.note("undone", "one", 1, 2)

        assert ["opened", "intend", "reopened", "undone"] == [entry.kind for entry in journal.read(tmp_path)]

    @pytest.mark.parametrize("line", [0, 1, 2])
    def test_a_changed_line_is_found(self, tmp_path: Path, line: int) -> None:
        """One changed byte in any line but the last breaks the chain, and the error names the next line."""
        with make_journal(tmp_path, "one", "two", "three"):
            pass
        path = tmp_path / FILE
        lines = path.read_bytes().splitlines(keepends=True)
        lines[line] = lines[line].replace(b'"wall":"2', b'"wall":"3')
        path.write_bytes(b"".join(lines))

        with pytest.raises(DrillError, match=rf"was changed: line {line + 2} "):
            journal.read(tmp_path)

    def test_a_missing_line_is_found(self, tmp_path: Path) -> None:
        """A line taken out of the middle breaks the chain."""
        with make_journal(tmp_path, "one", "two"):
            pass
        path = tmp_path / FILE
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0] + lines[2])

        with pytest.raises(DrillError, match="was changed"):
            journal.read(tmp_path)

    def test_no_intent_without_disk(self, tmp_path: Path) -> None:
        """When the undo does not fit on the disk there is no Intent, and the file stays whole."""
        program = (
            "import resource, signal, sys, pathlib\n"
            "from drill.errors import DrillError\n"
            "from drill.journal import Journal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "made = Journal.create(pathlib.Path(sys.argv[1]), 'region-outage', 'orders')\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
            "try:\n"
            "    made.intend('one', 'fault', {}, {'much': 'x' * 1000})\n"
            "except DrillError as problem:\n"
            "    print(problem)\n"
        )

        ended = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
        )

        assert "could not be written" in ended.stdout
        assert ["opened"] == [entry.kind for entry in journal.read(tmp_path)]

    def test_goes_on_after_a_failed_fsync(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A line that may not be on the disk is taken back, so that the next one follows."""
        with make_journal(tmp_path, "one") as made:
            with monkeypatch.context() as patched:
                patched.setattr(os, "fsync", _no_disk)
                with pytest.raises(DrillError, match="could not be written"):
                    made.phase("observe")
            made.note("undone", "one", 1, 2)

        assert ["opened", "intend", "undone"] == [entry.kind for entry in journal.read(tmp_path)]

    def test_survives_kill_right_after_intent(self, tmp_path: Path) -> None:
        """A process killed with SIGKILL right after ``intend`` leaves the undo readable."""
        program = (
            "import os, signal, sys, pathlib\n"
            "from drill.journal import Journal\n"
            "made = Journal.create(pathlib.Path(sys.argv[1]), 'region-outage', 'orders')\n"
            "made.intend('one', 'fault', {}, {})\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )

        ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

        assert -signal.SIGKILL == ended.returncode
        assert ["one"] == [step.step for step in journal.pending(journal.read(tmp_path))]


class TestLock:
    def test_a_living_runner_keeps_others_out(self, tmp_path: Path) -> None:
        """While one process holds the journal, a rollback elsewhere refuses."""
        with make_journal(tmp_path, "one"), pytest.raises(DrillError, match="still going"):
            Journal.reopen(tmp_path)

    def test_unwritable_folder_is_said(self, tmp_path: Path) -> None:
        """A folder that is not there gives one line with what to type."""
        with pytest.raises(DrillError, match="--runs DIR"):
            Journal.create(tmp_path / "missing", "region-outage", "orders")
