"""A caching resolver: it keeps an answer exactly as long as its TTL says, and shows what is left of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from infra.lab.truth import TruthLog
from infra.lab.zones import Answer, Resource, negative_ttl_s

# Aurora's endpoints have this TTL:
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
CLUSTER_TTL_S = 5
_MOST_ENTRIES = 1000

Respond = Callable[[str, str], tuple[Answer, Callable[[], None]]]


class AnswerLog:
    """Notes in the truth log when the addresses in one server's replies change."""

    def __init__(self, server: str, address: str, truth: TruthLog) -> None:
        """Say whose replies these are: ``authoritative`` or ``resolver``, and its address."""
        self._server = server
        self._address = address
        self._truth = truth
        self._last: dict[str, tuple[tuple[str, ...], int]] = {}

    def sent(self, name: str, values: tuple[str, ...], expired_ns: int | None = None) -> None:
        """Note that a reply with these addresses has just been sent."""
        now_ns = time.monotonic_ns()
        before, last_ns = self._last.get(name, (values, now_ns))
        self._last[name] = (values, now_ns)
        if before != values:
            self._truth.log(
                "answer_changed",
                now_ns,
                server=self._server,
                address=self._address,
                name=name,
                before=before,
                after=values,
                last_before_ns=last_ns,
                expired_ns=expired_ns,
            )


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    expires_ns: int
    # When the entry before this one expired; None for the first.
    expired_ns: int | None


class Resolver:
    """Answers from its cache, and asks the authoritative server when that has expired."""

    authoritative = False

    def __init__(self, address: str, upstream: Respond, negative_s: int, truth: TruthLog) -> None:
        """Say where it answers and whom it asks; empty answers are kept at most ``negative_s``."""
        self._upstream = upstream
        self._negative_s = negative_s
        self._log = AnswerLog("resolver", address, truth)
        self._kept: dict[tuple[str, str], _Kept] = {}
        self.private: Mapping[str, str] = {}
        """Addresses by name that only those in this resolver's VPC see; never cached."""

    def respond(self, name: str, kind: str) -> tuple[Answer, Callable[[], None]]:
        """Answer a question, from the cache while the answer there has not expired."""
        if name in self.private:
            shown, expired_ns = self._own(name, kind), None
        else:
            now_ns = time.monotonic_ns()
            kept = self._fresh(name, kind, now_ns)
            expired_ns = kept.expired_ns
            shown = _aged(kept.answer, (kept.expires_ns - now_ns) // 1_000_000_000)

        def sent() -> None:
            if kind == "A":
                self._log.sent(name, shown.values(), expired_ns)

        return shown, sent

    def _own(self, name: str, kind: str) -> Answer:
        if kind != "A":
            return Answer("NOERROR")
        return Answer("NOERROR", (Resource(name, "A", CLUSTER_TTL_S, self.private[name]),))

    def _fresh(self, name: str, kind: str, now_ns: int) -> _Kept:
        old = self._kept.get((name, kind))
        if old is not None and now_ns < old.expires_ns:
            return old
        answer, sent = self._upstream(name, kind)
        sent()
        if answer.records:
            ttl_s = min(record.ttl_s for record in answer.records)
        else:
            ttl_s = min(negative_ttl_s(answer), self._negative_s)
        if answer.rcode == "REFUSED":
            answer = Answer("SERVFAIL")
        new = _Kept(answer, now_ns + ttl_s * 1_000_000_000, old.expires_ns if old else None)
        if len(self._kept) >= _MOST_ENTRIES:
            self._kept = {asked: kept for asked, kept in self._kept.items() if now_ns < kept.expires_ns}
        self._kept[name, kind] = new
        return new


def _aged(answer: Answer, left_s: int) -> Answer:
    """Return an answer whose TTLs are what is left, in whole seconds and never more than that."""
    return replace(
        answer,
        records=tuple(replace(record, ttl_s=min(record.ttl_s, left_s)) for record in answer.records),
        authority=tuple(replace(record, ttl_s=min(record.ttl_s, left_s)) for record in answer.authority),
    )
