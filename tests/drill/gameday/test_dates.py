"""Dates of game days: every zone, both nights of the clocks, blackouts, leap days; none twice."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.errors import UsageError
from drill.gameday.dates import first, occurrences, planned
from drill.gameday.form import Schedule
from drill.guards.hours import Span
from drill.guards.no_go import Event

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Pacific/Apia")
HOUR = timedelta(hours=1)


def schedules() -> st.SearchStrategy[Schedule]:
    """Return schedules by cron at one time of day, some of them on some days only."""
    return st.builds(
        lambda minute, hour, day, zone: Schedule(cron=f"{minute} {hour} * * {day}", zone=zone),
        st.integers(0, 59),
        st.integers(0, 23),
        st.sampled_from(("*", "2", "1-5", "0#1", "6")),
        st.sampled_from(ZONES),
    )


instants = st.datetimes(
    datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2032-12-31"), timezones=st.just(UTC)
)


class TestOccurrences:
    @given(schedules(), instants)
    def test_come_in_order_and_none_twice(self, schedule: Schedule, after: datetime) -> None:
        """Each date is later than the one before and than what was asked for, on any night of any zone."""
        found = list(islice(occurrences(schedule, after), 12))

        assert 12 == len(found)
        assert all(after < at for at in found)
        assert all(one < other for one, other in pairwise(found))
        local = [at.astimezone(ZoneInfo(schedule.zone)).date() for at in found]
        assert len(set(local)) == len(local), "held twice on one day"

    @given(schedules(), instants, st.integers(0, 40))
    def test_do_not_depend_on_when_they_are_asked_for(
        self, schedule: Schedule, after: datetime, later: int
    ) -> None:
        """A scheduler that looks later sees the same dates: no look makes another date of it."""
        begin = after + later * HOUR
        until = after + timedelta(days=30)

        early = [at for at in _until(schedule, after, until) if at > begin]

        assert early == _until(schedule, begin, until)

    @pytest.mark.parametrize(
        ("zone", "cron", "after", "expected"),
        [
            # 2027-03-28 02:30 does not exist in Berlin; 2027-10-31 02:30 is there twice.
            ("Europe/Berlin", "30 2 28 3 *", "2027-03-01", "2027-03-28T01:30:00+00:00"),
            ("Europe/Berlin", "30 2 31 10 *", "2027-10-01", "2027-10-31T00:30:00+00:00"),
            ("America/New_York", "30 2 14 3 *", "2027-03-01", "2027-03-14T07:30:00+00:00"),
            ("America/New_York", "30 1 7 11 *", "2027-11-01", "2027-11-07T05:30:00+00:00"),
            # Lord Howe moves its clocks by half an hour.
            ("Australia/Lord_Howe", "15 2 3 10 *", "2027-10-01", "2027-10-02T15:45:00+00:00"),
            ("UTC", "0 12 29 2 *", "2027-01-01", "2028-02-29T12:00:00+00:00"),
        ],
    )
    def test_of_the_nights_in_which_clocks_are_moved(
        self, zone: str, cron: str, after: str, expected: str
    ) -> None:
        """A skipped time is taken after the clocks have moved, a repeated one the first time."""
        begin = datetime.fromisoformat(f"{after}T00:00:00+00:00")

        at = next(occurrences(Schedule(cron=cron, zone=zone), begin))

        assert datetime.fromisoformat(expected) == at

    def test_of_leap_days(self) -> None:
        """Ten of them are forty years, one as good as the other."""
        every = occurrences(Schedule(cron="0 12 29 2 *", zone="UTC"), datetime(2027, 1, 1, tzinfo=UTC))

        found = list(islice(every, 10))

        assert list(range(2028, 2068, 4)) == [at.year for at in found]

    def test_of_a_recurrence_rule(self) -> None:
        """An rrule counts from its start, in local time, also across a change of clocks."""
        schedule = Schedule(
            rrule="FREQ=MONTHLY;BYDAY=1TU",
            start=datetime.fromisoformat("2027-01-05T10:00:00"),
            zone="Europe/Berlin",
        )

        found = list(islice(occurrences(schedule, datetime(2027, 2, 20, tzinfo=UTC)), 2))

        assert [datetime(2027, 3, 2, 9, tzinfo=UTC), datetime(2027, 4, 6, 8, tzinfo=UTC)] == found

    @pytest.mark.parametrize("cron", ["0 25 * * *", "often", "* * *", "0 0 10 * * 1"])
    def test_of_what_is_no_cron(self, cron: str) -> None:
        """The text says what it should look like."""
        with pytest.raises(UsageError, match="as in: 0 10"):
            next(occurrences(Schedule(cron=cron, zone="UTC"), datetime(2027, 1, 1, tzinfo=UTC)))

    def test_of_a_date_that_never_comes(self) -> None:
        """The 30th of February is told, and nobody waits for it for ever."""
        schedule = Schedule(cron="0 0 30 2 *", zone="UTC")

        with pytest.raises(UsageError):
            first(planned(schedule, datetime(2027, 1, 1, tzinfo=UTC), HOUR), 1)


class TestPlanned:
    @given(
        schedules(),
        instants,
        st.lists(st.tuples(st.integers(0, 24 * 20), st.integers(0, 72)), max_size=6),
        st.integers(1, 12),
    )
    def test_no_day_meets_a_blackout(
        self, schedule: Schedule, after: datetime, dark: list[tuple[int, int]], hours: int
    ) -> None:
        """What is held lies wholly outside every event; what is skipped meets one, and says which."""
        events = [
            Event(f"freeze {begin}", Span(after + begin * HOUR, after + (begin + length) * HOUR))
            for begin, length in dark
        ]
        length = hours * HOUR

        for one in islice(planned(schedule, after, length, events), 8):
            met = [event for event in events if event.span.meets(Span(one.at, one.at + length))]
            assert bool(met) is bool(one.skipped)
            assert not met or met[0].title in one.skipped


def _until(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for at in occurrences(schedule, after):
        if at > until:
            break
        found.append(at)
    return found
