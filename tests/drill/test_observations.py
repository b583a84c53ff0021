"""The store of observations."""

import multiprocessing
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.clock import Instant
from drill.errors import DrillError
from drill.model import Goodness, LedgerRead, LedgerRow, Observation
from drill.observations import Store

NANOSECONDS = st.integers(0, 2**60)
SOUND = st.builds(
    Observation,
    probe=st.sampled_from(["clients", "writer"]),
    number=st.integers(0, 10**9),
    due_ns=NANOSECONDS,
    sent_ns=NANOSECONDS,
    done_ns=st.none() | NANOSECONDS,
    goodness=st.sampled_from(Goodness),
    answered_by=st.none() | st.just("us-east-1"),
    detail=st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5), max_size=3),
)


def seen(number: int, probe: str = "clients") -> Observation:
    """Return one plain observation."""
    due = 1_000 + number * 100
    return Observation(probe, number, due, due + 1, due + 5, Goodness.GOOD, "us-east-1", {"status": 200})


def make_store(folder: Path) -> Store:
    """Return a new store in a folder."""
    return Store.create(folder / "observations.sqlite")


class TestObservations:
    @settings(max_examples=25)
    @given(observations=st.lists(SOUND, max_size=5))
    def test_reads_what_was_added(
        self, tmp_path_factory: pytest.TempPathFactory, observations: list[Observation]
    ) -> None:
        """Every field comes back as it was, each probe's in the order of adding."""
        with make_store(tmp_path_factory.mktemp("run")) as store:
            store.add(observations)

            kept = store.read()[0]
            for probe in ("clients", "writer"):
                assert [one for one in observations if one.probe == probe] == [
                    one for one in kept if one.probe == probe
                ]
            assert len(observations) == len(kept)

    def test_keeps_an_unsent_attempt(self, tmp_path: Path) -> None:
        """An attempt that was due and never sent has no other instant afterwards either."""
        unsent = Observation("clients", 0, 5, None, None, Goodness.UNKNOWN)
        with make_store(tmp_path) as store:
            store.add([unsent])

            assert ([unsent], 1) == store.read()

    def test_cursor_gives_only_what_is_new(self, tmp_path: Path) -> None:
        """A second reading begins where the first one ended."""
        with make_store(tmp_path) as store:
            store.add([seen(0), seen(1)])
            _, cursor = store.read()
            store.add([seen(2)])

            assert ([seen(2)], 2) == store.read(cursor)
            assert ([], 2) == store.read(2)

    def test_by_probe(self, tmp_path: Path) -> None:
        """Only the observations of the named probe are given."""
        with make_store(tmp_path) as store:
            store.add([seen(0), seen(0, "writer"), seen(1)])

            assert [seen(0), seen(1)] == list(store.by_probe("clients"))
            assert [] == list(store.by_probe("nobody"))

    def test_a_batch_is_added_whole_or_not_at_all(self, tmp_path: Path) -> None:
        """An observation that can't be written leaves none of its batch behind."""
        with make_store(tmp_path) as store:
            with pytest.raises(TypeError):
                store.add([seen(0), Observation("new", 1, 1, 1, 1, Goodness.GOOD, None, {"a": object()})])  # type: ignore[dict-item]
            store.add([seen(2, "new")])

            assert [seen(2, "new")] == store.read()[0]

    def test_rows_are_small(self, tmp_path: Path) -> None:
        """A plain attempt takes less than a tenth of the same as indented JSON with its names."""
        count = 5_000
        with make_store(tmp_path) as store:
            store.add(
                Observation("clients", n, 10**15 + n * 10**8, None, None, Goodness.GOOD) for n in range(count)
            )
        assert (tmp_path / "observations.sqlite").stat().st_size / count < 40


def _write(path: Path, count: int) -> None:
    with Store.open(path) as store:
        for number in range(count):
            store.add([seen(number)])


class TestTwoProcesses:
    def test_one_reads_while_another_writes(self, tmp_path: Path) -> None:
        """A polling reader gets every observation once and in order, and never an error."""
        count = 300
        with make_store(tmp_path) as store:
            writer = multiprocessing.get_context("spawn").Process(target=_write, args=(store.path, count))
            writer.start()
            numbers: list[int] = []
            cursor, ended = 0, False
            while not ended or len(numbers) < count:
                ended = not writer.is_alive()
                fresh, cursor = store.read(cursor)
                numbers.extend(each.number for each in fresh)
                store.put_meta("polled", len(numbers))
                if ended and not fresh:
                    break
                writer.join(0.01)
            writer.join()

            assert list(range(count)) == numbers


class TestRest:
    def test_ledgers(self, tmp_path: Path) -> None:
        """Readings of the stores come back whole, with repeated rows and with errors."""
        reads = [
            LedgerRead("aurora", "cutover", 1, 2, "us-west-2", (LedgerRow(1, "a"), LedgerRow(1, "a"))),
            LedgerRead("dynamodb", "cutover", 3, 4, None, (), "timeout"),
        ]
        with make_store(tmp_path) as store:
            for read in reads:
                store.add_ledger(read)

            assert reads == store.ledgers()

    def test_clocks_and_meta(self, tmp_path: Path) -> None:
        """Clock readings keep their order; a value of the run replaces the one before."""
        instants = [
            Instant(1, "2026-01-01T00:00:00.000001+00:00"),
            Instant(2, "2025-01-01T00:00:00.000001+00:00"),
        ]
        with make_store(tmp_path) as store:
            for instant in instants:
                store.add_clock(instant)
            store.put_meta("scenario", "a")
            store.put_meta("scenario", ["b", 1])

            assert instants == store.clocks()
            assert {"scenario": ["b", 1]} == store.meta()


class TestBadFiles:
    def test_none(self, tmp_path: Path) -> None:
        """Opening what is not there makes nothing and says so."""
        with pytest.raises(DrillError, match="no observations"):
            Store.open(tmp_path / "observations.sqlite")
        assert [] == list(tmp_path.iterdir())

    def test_one_run_one_file(self, tmp_path: Path) -> None:
        """A file that exists is never begun again."""
        make_store(tmp_path).close()

        with pytest.raises(DrillError, match="exist already"):
            make_store(tmp_path)

    def test_damaged(self, tmp_path: Path) -> None:
        """A file that is not SQLite is told in one line."""
        path = tmp_path / "observations.sqlite"
        path.write_bytes(b"not a database, " * 1000)

        with pytest.raises(DrillError, match=r"can't be used: file is not a database; see: drill runs"):
            Store.open(path)

    def test_damaged_in_the_middle(self, tmp_path: Path) -> None:
        """Damage that shows only when it is read is told in one line too."""
        with make_store(tmp_path) as store:
            store.add(seen(number) for number in range(2000))
        content = bytearray(store.path.read_bytes())
        content[8192:] = b"\x5a" * (len(content) - 8192)
        store.path.write_bytes(content)

        with pytest.raises(DrillError, match=r"can't be used"), Store.open(store.path) as again:
            again.read()

    def test_another_version(self, tmp_path: Path) -> None:
        """A file of another version is not read as if it were of this one."""
        make_store(tmp_path).close()
        path = tmp_path / "observations.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()

        with pytest.raises(DrillError, match="version 99, and this drill reads 2"):
            Store.open(path)

    def test_full(self, tmp_path: Path) -> None:
        """A file that can't grow is told with what to do."""
        with make_store(tmp_path) as store:
            store._file._connection.execute("PRAGMA max_page_count = 20")

            with pytest.raises(DrillError, match=r"can't grow.*free space, then: drill recover"):
                store.add(replace(seen(number), detail={"at": number**9}) for number in range(10_000))


def full_store(folder: Path) -> Path:
    """Make a sealed file with some of everything in it."""
    with make_store(folder) as store:
        for begin in range(0, 600, 20):
            store.add(
                replace(seen(n, probe), detail={"status": 200, "total_s": n / 1e6, "nonce": f"{n:016x}"})
                for n in range(begin, begin + 20)
                for probe in ("clients", "writer")
            )
            store.add_clock(Instant(begin, "2026-01-01T00:00:00.000001+00:00"))
        rows = [LedgerRow(n, f"{n:016x}") for n in range(3000)]
        for occasion in ("cutover", "resumed"):
            store.add_ledger(LedgerRead("dynamodb", occasion, 1, 2, "us-west-2", rows))
        store.seal()
        return store.path


def everything(path: Path) -> object:
    """Return all that a file holds."""
    with Store.open(path) as store:
        reader = store.reader()
        reader.more()
        store.see_that_all_is_there(reader)
        kept = {
            probe: [replace(one, detail=dict(one.detail)) for one in every]
            for probe, every in reader.seen.items()
        }
        ledgers = [replace(read, rows=tuple(read.rows)) for read in store.ledgers()]
        return kept, ledgers, store.clocks(), store.meta()


class Whole:
    """A file that is as it should be; no dataclass, since hypothesis would print all of its bytes."""

    def __init__(self, content: bytes, held: object, folder: Path) -> None:
        """Take its bytes, what it holds, and where damaged copies go."""
        self.content = content
        self.held = held
        self.folder = folder
        self.copies = 0

    def copy(self, content: bytes | bytearray) -> Path:
        """Write a copy with another content, in place of the last one; return where it is."""
        for old in self.folder.iterdir():
            old.unlink()
        self.copies += 1
        path = self.folder / f"{self.copies}.sqlite"
        path.write_bytes(content)
        return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return a file with some of everything in it."""
    path = full_store(tmp_path_factory.mktemp("whole"))
    return Whole(path.read_bytes(), everything(path), tmp_path_factory.mktemp("damaged"))


def told_or_the_same(whole: Whole, content: bytes | bytearray) -> None:
    """Hold a damaged file to this: an error that names it, or all that it held before."""
    path = whole.copy(content)
    try:
        found = everything(path)
    except DrillError as problem:
        assert str(path) in str(problem)  # noqa: PT017 (the other way to end is as good)
    else:
        assert whole.held == found


class TestDamage:
    @settings(max_examples=150)
    @given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def test_a_flipped_bit_is_told_or_changes_nothing(self, whole: Whole, at: float, bit: int) -> None:
        """No bit of the file can turn and give another number: it is an error, or it meant nothing."""
        flipped = bytearray(whole.content)
        flipped[int(at * len(flipped))] ^= 1 << bit
        told_or_the_same(whole, flipped)

    @settings(max_examples=40)
    @given(at=st.floats(0, 1, exclude_max=True))
    def test_a_file_that_was_cut_is_told(self, whole: Whole, at: float) -> None:
        """A file of which the end is missing never looks like a shorter drill."""
        told_or_the_same(whole, whole.content[: int(at * len(whole.content))])

    def test_a_missing_segment_is_told(self, tmp_path: Path) -> None:
        """Attempts that were lost in the middle, or at the end of a sealed file, are no quiet time."""
        path = full_store(tmp_path)
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM segment WHERE id = 30")
        connection.close()
        with pytest.raises(DrillError, match=r"damaged: it holds .*'segment': 29.*'segment': 30"):
            everything(path)
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM segment WHERE id = 7")
        connection.close()
        with pytest.raises(DrillError, match="damaged: segment 7 is missing"):
            everything(path)

    def test_a_file_that_was_deleted_or_replaced_is_told(self, tmp_path: Path) -> None:
        """An open file that nobody will find again is neither written nor read any more."""
        with make_store(tmp_path) as store:
            store.add([seen(0)])
            store.path.rename(tmp_path / "away")
            for use in (lambda: store.add([seen(1)]), store.read, store.clocks, store.ledgers):
                with pytest.raises(DrillError, match="are gone: the file was deleted or replaced"):
                    use()
            store.path.write_bytes(b"")
            with pytest.raises(DrillError, match="are gone"):
                store.read()

    def test_a_disk_that_takes_no_more_is_told(self, tmp_path: Path) -> None:
        """A limit on the size of files is met like a full disk, and what was there before is whole."""
        script = FILL.format(str(tmp_path / "observations.sqlite"))
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

        assert told.returncode == 7, told.stderr
        assert re.search(r"can't grow: .*; free space, then: drill recover", told.stdout)
        with Store.open(tmp_path / "observations.sqlite") as store:
            numbers = [one.number for one in store.read()[0]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) % 50 == 0


FILL = """
import resource, sys
from pathlib import Path
from drill.errors import DrillError
from drill.model import Goodness, Observation
from drill.observations import Store
def seen(n):
    return Observation("p", n, n, n, n, Goodness.GOOD, None, {{"at": n**9}})
store = Store.create(Path({!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    for begin in range(0, 10**6, 50):
        store.add(seen(n) for n in range(begin, begin + 50))
except DrillError as problem:
    print(problem)
    sys.exit(7)
"""
