"""The folder in which all of a lab's databases live, and the pristine one that each begins as.

A server's socket path may have 107 bytes, and root's servers run as ``nobody``: where the
lab's state folder is too deep or closed to that user, the home is a folder under the
machine's temporary one, and a symbolic link in the state folder tells where.
"""

import contextlib
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drill.errors import DrillError
from infra.lab.postgres import ENVIRONMENT, PORT, Software
from infra.lab.spawn import Owner, run_as

ADMIN = "rdsadmin"
PREFIX = "drill-pg-"
REPLICATION = "replication.conf"
SOCKET_BYTES = 107
_DEEPEST = f"/{PREFIX}12345678/1234/.s.PGSQL.{PORT}"

# fsync and synchronous_commit stay on: what is acknowledged must survive a crash, as on Aurora.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "16MB",
    "min_wal_size": "8MB",
    "max_wal_size": "128MB",
    "wal_level": "replica",
    # What a standby that was away for a while still finds.
    "wal_keep_size": "64MB",
    "include_if_exists": f"'{REPLICATION}'",
    "wal_retrieve_retry_interval": "100ms",
    "hot_standby": "on",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    # A failed ALTER ROLE must not write its password into the log.
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True, slots=True)
class Home:
    """Where the databases live.

    Attributes:
        folder: The folder itself; it belongs to ``owner``.
        link: Where the state folder tells of it; the same as ``folder`` if it lies there.
        owner: The user that servers run as; None for the daemon's own.
        admin_password: Of the superuser :data:`ADMIN`; never leaves the daemon.

    """

    folder: Path
    link: Path
    owner: Owner | None
    admin_password: str = field(repr=False)

    def initialise(self, software: Software) -> None:
        """Make the pristine database with the server's own ``initdb``.

        Raises:
            DrillError: It can't; with the last line that it said.

        """
        secret = self.folder / "password"
        self.write(secret, self.admin_password)
        template = self.folder / "template"
        # fmt: off
        done = self.run(
            str(software.bindir / "initdb"), f"--pgdata={template}", f"--username={ADMIN}",
            f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
            "--wal-segsize=1", "--no-sync", "--no-instructions",
        )
        # fmt: on
        secret.unlink()
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
            msg = f"PostgreSQL in {software.bindir} can't make a database: {said}; {software.mend}"
            raise DrillError(msg)
        with (template / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())

    def furnish(self, target: Path) -> None:
        """Copy the pristine database into a folder that is not there yet (blocking).

        Raises:
            DrillError: The copy failed, for example for want of room.

        """
        self.do("cp", "-a", str(self.folder / "template"), str(target))

    def room(self, name: str) -> Path:
        """Make a folder of this name that belongs to the databases' user, and return it."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self._give(folder)
        return folder

    def do(self, *arguments: str) -> str:
        """Run a program of the machine as the databases' user (blocking), and return what it says.

        Raises:
            DrillError: It failed, for example for want of room.

        """
        done = self.run(*arguments)
        if done.returncode != 0:
            said = (done.stderr.strip() or "no output").splitlines()[-1]
            msg = f"a database's folder can't be written: {said}; look at: df -h {self.folder}"
            raise DrillError(msg)
        return done.stdout

    def remove(self) -> None:
        """Delete every database and the home itself."""
        shutil.rmtree(self.folder, ignore_errors=True)  # a dying server may still hold a file
        if self.link.is_symlink():
            self.link.unlink()

    def _give(self, path: Path) -> None:
        if self.owner is not None:
            os.chown(path, self.owner.uid, self.owner.gid)

    def write(self, path: Path, text: str) -> None:
        """Write a file that belongs to the databases' user and that nobody else can read."""
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self._give(path)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the machine as the databases' user (blocking), whatever comes of it."""
        return subprocess.run(  # noqa: PLW1510 - the callers read the exit code
            arguments, capture_output=True, text=True, env=ENVIRONMENT, cwd=self.folder, **run_as(self.owner)
        )


def make_home(state_dir: Path, owner: Owner | None) -> Home:
    """Make the home of a lab's databases, after removing what a killed daemon left there.

    Raises:
        DrillError: No folder is shallow enough for a socket and open to ``owner``.

    """
    link = state_dir / "postgres"
    _remove_stale(link)
    password = secrets.token_urlsafe(24)
    if _suits(state_dir, owner):
        link.mkdir(mode=0o700)
        home = Home(link, link, owner, password)
    else:
        places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
        place = next((place for place in places if _suits(place, owner)), None)
        if place is None:
            msg = f"{places[0]} is too deep, or closed to the databases' user; try: TMPDIR=/tmp drill lab up"
            raise DrillError(msg)
        home = Home(Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)), link, owner, password)
        link.symlink_to(home.folder)
    if owner is not None:
        os.chown(home.folder, owner.uid, owner.gid)
    return home


def reachable(path: Path, owner: Owner | None) -> bool:
    """Say whether ``owner``, who is nobody in particular, may pass all folders down to ``path``."""
    if owner is None:
        return True
    with contextlib.suppress(OSError):  # what can't be looked at can't be passed
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
    return False


def _suits(place: Path, owner: Owner | None) -> bool:
    resolved = place.resolve()
    short = len(os.fsencode(resolved)) + len(_DEEPEST) <= SOCKET_BYTES
    return short and resolved.is_dir() and reachable(resolved, owner)


def _remove_stale(link: Path) -> None:
    if link.is_symlink():
        stale = link.resolve()
        if stale.name.startswith(PREFIX):
            shutil.rmtree(stale, ignore_errors=True)  # it may be gone already
        link.unlink()
    elif link.exists():
        shutil.rmtree(link)
