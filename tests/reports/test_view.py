from dataclasses import replace

import pytest

from drill.model import Between, LedgerResult, Outcome
from reports import ledger, view
from reports.series import Lane
from reports.view import Page
from tests.reports import factory, parts
from tests.reports.factory import Drill
from tests.reports.world import Script


def _page(drill: Drill) -> Page:
    return view.page(drill.record, drill.observations)


def test_a_met_drill_says_so_and_that_all_was_put_back() -> None:
    """Verdict, restoration and the lab's caution stand in plain sight."""
    page = _page(factory.blackout())
    assert (page.verdict.word, page.verdict.tone) == ("Met", "met")
    assert page.restored.whole
    assert page.restored.sentence == "Everything was put back and checked. Both changes were undone."
    assert "the lab\u2019s, not AWS\u2019s" in page.place.caution
    assert "fast" in page.place.name


def test_a_drill_on_aws_carries_no_caution() -> None:
    """On AWS the header names the account instead."""
    page = _page(factory.breached())
    assert (page.place.lab, page.place.name, page.place.caution) == (False, "AWS, account 111122223333", "")
    assert page.verdict.word == "Breached"


def test_a_drill_that_was_not_put_back_names_the_command() -> None:
    """An incomplete rollback wins over every outcome, and says what is left and what to type."""
    drill = factory.stopped()
    page = _page(drill)
    assert page.verdict.tone == "broken"
    assert page.restored.command == f"drill recover {drill.record.run_id}"
    (left,) = page.restored.left
    assert left.startswith("cut-network")
    assert "AccessDenied" in left
    assert page.actions.rows[1][4] == "done, undo failed: ReplaceNetworkAclAssociation: AccessDenied"


def test_a_drill_that_changed_nothing_says_so() -> None:
    """Without an action nothing is claimed to have been put back."""
    record = replace(factory.inconclusive().record, actions=(), took_effect=None)
    page = view.page(record, None)
    assert page.restored.sentence == "Nothing in the system was changed."
    assert ("Fault took effect", "nothing was injected") in page.facts


def test_judged_measures_lead_and_show_their_objective() -> None:
    """Each objective has a tile with its interval, its bar and the judge's reason."""
    tiles = _page(factory.breached()).tiles
    assert [(tile.title, tile.word) for tile in tiles] == [
        ("recovery time", "breached"),
        ("recovery point", "inconclusive"),
        ("lost writes", "breached"),
        ("client outage", ""),
        ("failback", ""),
    ]
    recovery = tiles[0]
    assert recovery.value == "47.40 to 47.59\u00a0s"
    assert recovery.bar is not None
    assert (recovery.bar.limit, recovery.bar.limit_text) == (30.0, "30 s")
    assert tiles[1].part == "DynamoDB, at cutover"
    assert tiles[1].beside == (("Aurora, at cutover", "0 to 50 ms"),)


def test_an_objective_without_a_number_is_not_measured() -> None:
    """Nothing measured is never shown as a zero."""
    (tile,) = _page(factory.inconclusive()).tiles
    assert (tile.value, tile.bar, tile.word) == ("not\u00a0measured", None, "inconclusive")


def test_phases_tell_when_and_how_long() -> None:
    """A phase's row has its bounds relative to the fault; one that was skipped has no duration."""
    rows = _page(factory.inversion()).phases.rows
    assert rows[0][:4] == ("detection", "+0.00 to +0.14 s", "+0.67 to +0.92 s", "not exercised")
    assert rows[2][3] == "470 to 530 ms"
    assert _page(factory.stopped()).phases.rows[0][2:4] == ("never", "never ended")


def test_the_time_line_has_phases_actions_and_observations_on_one_axis() -> None:
    """Every phase, every action and every probe that shows something has a lane in one picture."""
    picture = _page(factory.blackout()).timeline
    labels = [panel.label for panel in picture.panels]
    assert labels[:4] == [phase.label for phase in factory.blackout().record.measured.phases]
    assert {"pause-replication", "cut-network", "clients", "zone", "primary-check"} <= set(labels)
    assert picture.marks[0].at_s == 0.0


def test_what_clients_saw_is_shaded_and_says_who_answered() -> None:
    """The outage is shaded, and the lane of clients goes from one region to the other and back."""
    page = _page(factory.blackout())
    assert page.clients is not None
    (shade,) = page.clients.shades
    assert shade.from_s == pytest.approx(0.11, abs=0.03)
    assert shade.to_s == pytest.approx(1.42, abs=0.03)
    (lane,) = [panel for panel in page.clients.panels if isinstance(panel, Lane) and panel.label == "clients"]
    assert [bar.tone for bar in lane.segments if bar.tone != "mixed"] == [
        "region-1",
        "bad",
        "region-2",
        "region-1",
    ]


def test_without_observations_the_numbers_stay() -> None:
    """A record whose observations are gone still has its phases, ledger and tiles."""
    page = view.page(factory.blackout().record, None)
    assert (page.clients, page.counts, page.over_time, page.replication) == (None, None, None, None)
    assert page.tiles
    assert page.phases.rows
    assert [panel.label for panel in page.timeline.panels][-1] == "cut-network"


def test_the_order_of_observations_does_not_matter() -> None:
    """The same observations make the same page, however they were stored."""
    drill = factory.blackout()
    assert view.page(drill.record, list(reversed(drill.observations))) == _page(drill)


def test_a_recovered_loss_is_not_a_loss_for_good() -> None:
    """What was missing at cutover and came back is told apart from what never did."""
    recovered, whole = _page(factory.blackout()).stores
    assert recovered.sentence == (
        "14 of 231 acknowledged writes were missing at cutover. "
        "All 14 came back after replication resumed: none is lost for good."
    )
    assert recovered.details == (("missing at cutover", "58\u201371"), ("came back", "58\u201371"))
    assert "below 1.3 %" in whole.sentence
    gone = _page(factory.breached()).stores[0]
    assert gone.sentence.endswith("19 came back after replication resumed; 9 lost for good.")
    assert gone.tone == "bad"


def test_corruption_is_the_worst_of_a_ledger() -> None:
    """Writes that are there twice or changed mark a store bad even though none is missing."""
    store = _page(factory.breached()).stores[1]
    assert store.tone == "bad"
    assert ("corrupt after replication resumed", "433") in store.details


def test_a_store_that_could_not_be_read_counts_nothing() -> None:
    """An unreadable store shows no zero that could be taken for a result."""
    unread = LedgerResult("aurora", "cutover", False, 0, 0, 0, 0, (), (), (), (), Between(0, 1), "time-out")
    (store,) = ledger.stores([unread])
    assert store.tone == "unknown"
    assert "could not be read" in store.sentence
    assert ledger.table([unread]).rows[0][1:3] == ("at cutover, not readable: time-out", "\u2013")


def test_the_worst_findings_come_first() -> None:
    """Findings are ordered by weight, and counted beside the verdict."""
    page = _page(factory.breached())
    assert [finding.severity for finding in page.findings] == ["critical", "critical", "warning", "note"]
    assert page.tally == "2 critical, 1 warning, 1 note"


def test_lag_is_shown_before_and_during_the_fault() -> None:
    """Quantiles stand side by side, and one that nothing bounds says at least."""
    lag = _page(factory.blackout()).lag
    assert lag.head == ("Quantile", "before the fault", "during the fault")
    assert lag.rows[0] == ("median", "61 to 83 ms", "61 to 83 ms")
    assert lag.rows[3] == ("longest", "\u2013", "at least 183 ms")


def test_a_starved_probe_is_named() -> None:
    """A probe that missed its schedule is not hidden among the others."""
    rows = {row[0]: row for row in _page(factory.inconclusive()).probes.rows}
    assert rows["clients"][5] == "431 of 690"
    assert rows["clients"][-1].startswith("starved")
    assert rows["writer"][-1] == "kept"


def test_a_drill_that_ended_early_says_by_what() -> None:
    """What stopped a drill is told, once."""
    assert _page(factory.stopped()).verdict.besides == (
        "Ended early: stop condition alarm orders-error-budget.",
    )
    told = replace(factory.stopped().record, reason="Ended: stop condition alarm orders-error-budget")
    assert view.page(told, None).verdict.besides == ()


def test_every_number_says_how_it_was_obtained() -> None:
    """Each measurement of the record is in the table with its sentence."""
    drill = factory.blackout()
    rows = _page(drill).measurements.rows
    assert [row[0] for row in rows] == [one.label for one in drill.record.measured.measurements]
    assert all(row[2] for row in rows)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_word(outcome: Outcome) -> None:
    """No outcome falls back on another's word."""
    record = replace(parts.plain_record(Script()), outcome=outcome)
    assert view.page(record, None).verdict.word.lower() == outcome.value
