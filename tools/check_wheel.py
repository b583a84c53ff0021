"""Builds the wheel, checks what is in it, and runs a drill from it where there is nothing else."""

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
PACKAGES = ("drill", "infra", "reports", "scenarios")
FROM_OUTSIDE = ("HOME", "LANG", "PATH", "TMPDIR")


def main() -> None:
    """Build, look inside, install, run a drill; stop with a message at the first thing wrong."""
    with tempfile.TemporaryDirectory(prefix="drill-wheel-") as name:
        place = Path(name)
        # As root the lab's databases run under another user, who must get at their binaries.
        place.chmod(0o755)
        wheel = build(place / "dist")
        look_inside(wheel)
        binaries = install(wheel, place)
        run_drill(binaries, place / "empty")


def build(dist: Path) -> Path:
    """Build the source archive, and from that the wheel; return the wheel's path."""
    say("building the source archive and the wheel")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(TREE)], quiet=True)
    (wheel,) = dist.glob("*.whl")
    return wheel


def look_inside(wheel: Path) -> None:
    """Stop if a file of the packages is missing in the wheel, or one is in it that should not be."""
    wanted = {
        path.relative_to(TREE).as_posix()
        for package in PACKAGES
        for path in (TREE / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    if wanted != found:
        missing, surplus = sorted(wanted - found), sorted(found - wanted)
        sys.exit(f"the wheel is not the tree: missing {missing}, surplus {surplus}; see pyproject.toml")
    say(f"{len(found)} files in the wheel, as in the tree")


def install(wheel: Path, place: Path) -> Path:
    """Install the wheel with its lab into an empty environment; return where its commands are."""
    say("installing it into an empty environment")
    environment = place / "environment"
    venv.create(environment, with_pip=True)
    # pip takes no hashes for a wheel that was built a moment ago, so the versions alone are held.
    versions = place / "versions.txt"
    pins = (TREE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions.write_text("\n".join(pin.removesuffix(" \\") for pin in pins if pin[:1].isalpha()))
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-qq", "--no-input"]
    run([*pip, "--only-binary", ":all:", "-c", str(versions), f"{wheel}[lab]"])
    return environment / "bin"


def run_drill(binaries: Path, folder: Path) -> None:
    """Run the region-outage drill in an empty folder; stop if it leaves no report."""
    say("running a drill from it in an empty folder")
    folder.mkdir()
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    run([str(binaries / "drill"), "run", "region-outage"], cwd=folder, env=outside)
    if not list(folder.glob("runs/*/report.html")):
        sys.exit(f"the drill wrote no report below {folder}; try: make drill")
    say("the wheel is good")


def run(
    command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, quiet: bool = False
) -> None:
    """Run a command; stop with its output and its exit code if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout or ''}exit code {done.returncode} from: {' '.join(command)}")


def say(what: str) -> None:
    """Tell the person who waits what is going on."""
    print(f"wheel: {what}", flush=True)


if __name__ == "__main__":
    main()
