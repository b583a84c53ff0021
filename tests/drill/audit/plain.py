"""Checks that tell what they are made to tell, and findings made of them."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from drill.audit.contract import Check, Found, Part
from drill.audit.system import System
from drill.model import Severity

Look = Callable[[], Iterator[Found]]


def check(id_: str, *looks: Look, **declared: Any) -> Check:
    """Return a check whose parts do what is given."""

    class Plain(Check):
        id: ClassVar = id_
        title: ClassVar = f"{id_} is wrong"
        why: ClassVar = "it matters"
        severity: ClassVar = declared.get("severity", Severity.WARNING)
        mend: ClassVar = "mend it"
        source: ClassVar = ("https://docs.aws.amazon.com/",)
        calls: ClassVar = ()
        caused_by: ClassVar = declared.get("caused_by", ())
        explains: ClassVar = declared.get("explains", ())

        def parts(self, system: System) -> Iterator[Part]:
            for number, look in enumerate(looks):
                yield Part(f"part {number}", look)

        def writing(self, system: System) -> Iterator[Part]:
            for number, look in enumerate(declared.get("writes", ())):
                yield Part(f"write {number}", look)

    return Plain()


def tells(*things: str, **more: Any) -> Look:
    """Return a look that tells these."""

    def look() -> Iterator[Found]:
        yield from (Found("there", what, **more) for what in things)

    return look


def fails(problem: BaseException, *before: str) -> Look:
    """Return a look that tells these, and then fails."""

    def look() -> Iterator[Found]:
        yield from (Found("there", what) for what in before)
        raise problem

    return look
