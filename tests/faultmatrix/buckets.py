"""A proxy before AWS's API that refuses calls that come too fast, and answers in pages where AWS does."""

import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

from tests.faultmatrix.answers import Answer
from tests.faultmatrix.proxy import Kind, Proxy, Request

# How many tokens a bucket holds, and how many come back a second. Route 53's is what an account was
# granted until July 2026, which is half of what it is since; a single action has less.
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
# https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
_ROUTE53 = (5.0, 5.0)
_ROUTE53_STATUS = (4.0, 1.0)
_EC2_READS = (100.0, 20.0)


class _Bucket:
    def __init__(self, holds: float, per_s: float) -> None:
        self._holds, self._per_s = holds, per_s
        self._tokens, self._at = holds, time.monotonic()

    def take(self) -> bool:
        """Take a token; say whether there was one."""
        now = time.monotonic()
        self._tokens = min(self._holds, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Granting(Proxy):
    """Refuses what Route 53 and EC2 would not grant, and answers DescribeRouteTables in pages."""

    def __init__(self, upstream: str, page: int = 100) -> None:
        """Begin with full buckets.

        Args:
            upstream: Where calls go.
            page: How many route tables are in an answer, at most.

        """
        super().__init__(upstream)
        self._page = page
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._taking = threading.Lock()
        self.refused: list[str] = []
        """The actions that were refused."""
        self.pages = 0
        """How many answers named a page after them."""

    def drawn(self, request: Request) -> tuple[Kind | None, Answer | None]:
        """Return that a call is throttled, or nothing."""
        with self._taking:
            # Every bucket gives a token, or none: what is refused costs too.
            granted = [self._buckets.setdefault(key, _Bucket(*size)).take() for key, size in _of(request)]
            if all(granted):
                return None, None
            self.refused.append(f"{request.scope[1]} {request.action}")
            return Kind.THROTTLED, None

    def forward(self, request: Request) -> Answer:
        """Ask upstream; of many route tables return a page."""
        answer = super().forward(request)
        if request.action != "DescribeRouteTables" or answer.status != 200:
            return answer
        asked = parse_qs(request.body.decode())
        begin = int(asked.get("NextToken", ["0"])[0])
        root = ET.fromstring(answer.body)  # noqa: S314 (the lab answered it)
        space = root.tag.partition("}")[0] + "}"
        rows: Any = root.find(f"{space}routeTableSet")
        every = list(rows)
        for one in (*every[:begin], *every[begin + self._page :]):
            rows.remove(one)
        if begin + self._page < len(every):
            ET.SubElement(root, f"{space}nextToken").text = str(begin + self._page)
            self.pages += 1
        return replace(answer, body=ET.tostring(root))


def _of(request: Request) -> list[tuple[tuple[str, ...], tuple[float, float]]]:
    """Return the buckets from which a call takes, each by its name and its size."""
    region, service = request.scope
    if service == "route53":
        account = (("route53",), _ROUTE53)
        return [account, (("status",), _ROUTE53_STATUS)] if request.action.endswith("/status") else [account]
    return [(("ec2", region), _EC2_READS)] if service == "ec2" and request.reads else []
