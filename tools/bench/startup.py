"""How long the help text takes, beside Chaos Toolkit's."""

import statistics

from bench.running import CHAOS, CHAOS_WITH_PLUGINS, DRILL, Table, ran, spread

RUNS = 9


def measured() -> Table:
    """Run the three in turn, so that a slow moment of the machine meets all of them."""
    commands = {
        "drill --help": [DRILL, "--help"],
        "chaos --help (bare)": [CHAOS, "--help"],
        "chaos --help (with its AWS and reporting plugins)": [CHAOS_WITH_PLUGINS, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, float] = {}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            one = ran(command, CHAOSTOOLKIT_DISABLE_TELEMETRY="1")
            if turn:  # the first warms the disk's cache
                times[name].append(one.wall_s)
                peaks[name] = one.peak_mb
    own = statistics.median(times["drill --help"])
    rows = tuple(
        (name, spread(taken, 3), f"{peaks[name]:.0f}", f"{own / statistics.median(taken):.2f}")
        for name, taken in times.items()
    )
    how = f"Wall seconds of the whole process, median (range) of {RUNS} runs in turn; and its peak memory."
    return Table("Start-up", how, ("command", "seconds", "MB", "drill's share of it"), rows)
