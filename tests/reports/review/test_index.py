"""The index, the list and the trend, over folders of runs in every state."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.record import Record
from reports.review import index, keys
from reports.review.index import Source
from reports.review.listing import Listing, Wanted, listing
from reports.review.sign_off import sign_off
from reports.review.trail import DISPUTE, Said, Trail
from reports.review.trend import trend
from tests.reports import factory
from tests.reports.factory import Drill
from tests.reports.review import stand


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Give an empty folder of runs and keys beside it."""
    root = tmp_path / "runs"
    root.mkdir()
    return Source(root, keys.signer(tmp_path / "keys", root))


def listed(source: Source, **wanted: Any) -> Listing:
    """Bring the index up to date and return what answers to the wishes."""
    index.refresh(source)
    return listing(source.path, replace(Wanted(), **wanted))


def test_only_what_changed_is_read_again(source: Source) -> None:
    """A second look reads nothing; a changed byte, a new run and one that is gone are seen."""
    folders = [stand.save(source.root, stand.at(day)) for day in range(3)]
    assert index.refresh(source) == 3
    assert index.refresh(source) == 0
    record = folders[1] / "record.json"
    before = record.stat()
    record.write_bytes(record.read_bytes().replace(b'"sam"', b'"pam"'))
    os.utime(record, ns=(before.st_atime_ns, before.st_mtime_ns))  # as who hides a change would
    shutil.rmtree(folders[2])
    stand.save(source.root, stand.at(7))
    assert index.refresh(source) == 2
    found = listed(source, review="tampered")
    assert [row.run_id for row in found.rows] == [folders[1].name]
    assert "record.json" in found.rows[0].changed
    assert found.counts["tampered"] == 1


def test_every_state_of_a_run_has_a_line(source: Source) -> None:
    """Half-written, unfinished, unreadable and foreign runs are listed with what to do."""
    whole = stand.save(source.root, stand.at(1))
    broken = stand.save(source.root, stand.at(2, factory.stopped()))
    early = stand.save(source.root, stand.at(3))
    (early / "record.json").unlink()
    newer = stand.save(source.root, stand.at(4))
    fields = json.loads((newer / "record.json").read_text())
    (newer / "record.json").write_text(json.dumps({**fields, "schema": 99}))
    half = stand.save(source.root, stand.at(5))
    (half / "record.json").write_bytes((half / "record.json").read_bytes()[:500])
    empty = source.root / "20260201t100000-region-outage-00ff"
    empty.mkdir()
    rows = {row.run_id: row for row in listed(source).rows}

    assert rows[whole.name].state == "finished"
    assert rows[broken.name].state == "unfinished"
    assert rows[early.name].state == rows[empty.name].state == "ended early"
    assert rows[newer.name].state == rows[half.name].state == "unreadable"
    assert "update drill" in rows[newer.name].reason
    assert "is damaged" in rows[half.name].reason
    assert rows[half.name].scenario == "region-outage"
    assert rows[half.name].changed


def test_the_list_answers_to_every_filter(source: Source) -> None:
    """Scenario, verdict, target, reviewer, state of the review and text each narrow the list."""
    met = stand.save(source.root, stand.at(1))
    breached = stand.save(source.root, stand.at(2, factory.breached()))
    other = stand.save(source.root, stand.at(3, renamed(factory.inversion(), scenario="peering-deletion")))
    trail = Trail(source.path)
    signer = keys.signer(source.ring.folder, source.root)
    sign_off(met, trail, signer, ("Nora", "Fine."), 0)
    trail.add(Said(breached.name, DISPUTE, "Otto", "The load was wrong.", {}), signer, 0)

    def names(**wanted: str) -> list[str]:
        return [row.run_id for row in listed(source, **wanted).rows]

    assert names() == [other.name, breached.name, met.name]
    assert names(scenario="peering-deletion") == [other.name]
    assert names(outcome="breached") == [breached.name]
    assert names(target="orders-production-eu") == [breached.name]
    assert names(reviewer="Nora") == names(review="sign-off") == [met.name]
    assert names(reviewer="Otto") == names(review="dispute") == [breached.name]
    assert names(review="overdue") == names(review="open") == [other.name]
    assert names(text="28 acknowledged") == [breached.name]
    assert names(text="%' OR 1=1 --") == []
    assert names(review="nonsense") == names()
    index.refresh(source)
    assert listing(source.path, Wanted(review="overdue"), due_days=100_000).rows == ()


def renamed(drill: Drill, **changes: str) -> Drill:
    """Return a drill with other words in its record."""
    record: Record = replace(drill.record, **changes)  # type: ignore[arg-type] # strings for strings
    return Drill(record, drill.observations)


def slower(drill: Drill, factor: float) -> Drill:
    """Return a drill whose detection took longer."""
    first, *others = drill.record.measured.phases
    assert first.ends is not None
    more_ns = round((first.ends.latest_ns - first.begins.earliest_ns) * (factor - 1))
    ends = replace(
        first.ends, earliest_ns=first.ends.earliest_ns + more_ns, latest_ns=first.ends.latest_ns + more_ns
    )
    measured = replace(drill.record.measured, phases=(replace(first, ends=ends), *others))
    return Drill(replace(drill.record, measured=measured), drill.observations)


def test_a_phase_that_got_slower_is_marked_and_nothing_else(source: Source) -> None:
    """Ten drills as ever and five whose detection took three times as long: one mark, on detection."""
    plain = Drill(factory.blackout().record, ())
    for day in range(15):
        stand.save(source.root, stand.at(day, slower(plain, 3.0) if day >= 10 else plain))
    index.refresh(source)
    found = trend(source.path, "", "")

    assert (found.scenario, found.drills) == ("region-outage", 15)
    assert [curve.label for curve in found.curves if curve.worse] == ["detection"]
    assert found.curves[0].label == "recovery time"
    assert "1 - q" not in found.curves[0].proves
    assert "in 15 drills" in found.curves[0].proves
    assert [curve.phase for curve in found.curves].index(True) == 3


def test_too_few_drills_are_said_to_be_too_few(source: Source) -> None:
    """With four drills nothing is tested; with none there is nothing to show."""
    assert trend(source.path, "", "").curves == ()
    for day in range(4):
        stand.save(source.root, stand.at(day, Drill(factory.blackout().record, ())))
    index.refresh(source)
    assert trend(source.path, "", "").curves[0].tested == "too few drills to test: 4 of at least 10"


def test_drills_of_another_kind_stand_in_a_series_of_their_own(source: Source) -> None:
    """Other parameters, another profile or AWS are never drawn on one line."""
    for day, drill in enumerate(
        (factory.blackout(), factory.blackout(), factory.breached(), factory.inversion())
    ):
        stand.save(source.root, stand.at(day, Drill(drill.record, ())))
    index.refresh(source)
    found = trend(source.path, "region-outage", "")
    assert [number for _, _, number in found.others] == [2, 1, 1]
    aws = next(key for key, words, _ in found.others if "AWS" in words)
    assert trend(source.path, "region-outage", aws).drills == 1
