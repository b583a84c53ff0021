"""What a lab tells of itself once it answers: ``lab.json`` in its state folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

FILE = "lab.json"
TRUTH = "truth.jsonl"
REGIONS = ("us-east-1", "us-west-2")


@dataclass(frozen=True, slots=True)
class Ready:
    """What a lab tells of itself once it answers.

    Attributes:
        pid: Its process.
        name: The name of its target.
        profile: Its time scale.
        regions: Primary and standby.
        endpoint_url: The AWS API.
        resolver: ``address:port`` of the clients' caching resolver.
        name_server: ``address:port`` of the zones' server.
        http_port: Port for load balancers' listeners.
        database_port: Port for databases.

    """

    pid: int
    name: str
    profile: str
    regions: tuple[str, str]
    endpoint_url: str
    resolver: str
    name_server: str
    http_port: int
    database_port: int

    def write(self, state: Path) -> None:
        """Write it so that a reader sees all of it or nothing."""
        partial = state / (FILE + ".partial")
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        partial.replace(state / FILE)

    @classmethod
    def read(cls, state: Path) -> Self:
        """Read what the lab of a folder told."""
        told = json.loads((state / FILE).read_text(encoding="utf-8"))
        return cls(**{**told, "regions": tuple(told["regions"])})
