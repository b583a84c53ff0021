"""Does things in the order of their needs, those that do not need one another side by side."""

import graphlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

# CloudFormation itself works on many resources at once; more threads than this gain nothing here.
AT_ONCE = 8


def in_order(
    needs: Mapping[str, Collection[str]], act: Callable[[str], None], *, go_on: bool = False
) -> dict[str, Exception]:
    """Call ``act`` for each name, after it has been called for all that the name needs.

    Args:
        needs: For each name, the names that must come before it.
        act: Called in threads.
        go_on: After a failure begin all that does not need what failed; otherwise begin nothing.

    Returns:
        What ``act`` raised, by name; what needs a name that failed is not called.

    """
    sorter = graphlib.TopologicalSorter(needs)
    sorter.prepare()
    failures: dict[str, Exception] = {}
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            if go_on or not failures:
                running |= {pool.submit(act, name): name for name in sorter.get_ready()}
            if not running:
                return failures
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name, problem = running.pop(future), future.exception()
                if problem is None:
                    sorter.done(name)
                elif isinstance(problem, Exception):
                    failures[name] = problem
                else:
                    raise problem
