"""``drill verify``: has anybody changed what a run left?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill import runs
from drill.cli import options
from drill.exit_codes import INCONCLUSIVE, TAMPERED

if TYPE_CHECKING:
    from reports.review.proof import Proof


@click.command("verify")
@click.argument("run_id", default="latest")
@options.runs_folder
@options.keys_folder
@click.option("--signed", "must_be_signed", is_flag=True, help="Demand a sign-off: without one, end with 2.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def command(run_id: str, root: Path, keys: Path | None, must_be_signed: bool, as_json: bool) -> int:
    """Prove that nobody changed what RUN_ID left (default: the latest run).

    The journal's chain of hashes, the record and the manifest of the run's files are looked at, then
    every sign-off with its signature, and the audit trail. A folder that was copied elsewhere can be
    proved there with the public key alone: --keys DIR. Ends with 65 if something was changed.
    """
    from reports.review import database
    from reports.review.keys import default_folder, ring
    from reports.review.proof import prove
    from reports.review.trail import Trail
    from reports.text import clean

    folder = runs.find(root, run_id)
    proof = prove(folder, Trail(root / database.FILE), ring(keys or default_folder()))
    click.echo(json.dumps(_object(folder, proof)) if as_json else clean(_lines(folder, proof)))
    if not proof.intact:
        return TAMPERED
    return INCONCLUSIVE if must_be_signed and proof.signed is None else 0


def _lines(folder: Path, proof: "Proof") -> str:
    signs = {True: "ok ", False: "BAD", None: "-  "}
    lines = [f"{signs[check.holds]}  {check.words}" for check in proof.checks]
    if not proof.intact:
        end = f"{folder.name}: TAMPERED WITH; compare it with a backup, and trust nothing that it says"
    elif proof.signed is None:
        end = f"{folder.name}: nothing was changed that a hash would show; not signed off: drill review"
    else:
        end = f"{folder.name}: unchanged, and signed off by {proof.signed.who}"
    return "\n".join([*lines, end])


def _object(folder: Path, proof: "Proof") -> dict[str, object]:
    return {
        "run_id": folder.name,
        "intact": proof.intact,
        "signed_off_by": proof.signed.who if proof.signed else None,
        "signed_off_at": proof.signed.at if proof.signed else None,
        "checks": [{"holds": check.holds, "words": check.words} for check in proof.checks],
    }
