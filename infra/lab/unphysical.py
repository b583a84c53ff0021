"""Which properties of the deployed stacks nothing in the lab obeys: they can only be read back.

The lab's process notes what its resource types obey; whoever asks for the lab's status reads that
and the deployed templates.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from infra import template_yaml

FILE = "physics.json"
Client: TypeAlias = Any
Clients: TypeAlias = Callable[[str, str], Client]


def note(state: Path, physics: Mapping[str, frozenset[str]]) -> None:
    """Keep what the lab obeys, by resource type, in its state folder."""
    text = json.dumps({kind: sorted(names) for kind, names in physics.items()})
    (state / FILE).write_text(text, encoding="utf-8")


def lines(state: Path, clients: Clients, regions: Sequence[str]) -> Iterator[str]:
    """Yield a line for each type of the deployed stacks that has properties without physics.

    Tags are left out: they are what a drill's guards and a bill are read by.

    Args:
        state: The lab's state folder.
        clients: Returns a boto3 client of a service in a region.
        regions: Where stacks may be.

    """
    obeyed = json.loads((state / FILE).read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for region in regions:
        for resource in _resources(clients("cloudformation", region)):
            kind = resource["Type"]
            names = {name for name in resource.get("Properties") or () if not name.endswith("Tags")}
            found.setdefault(kind, set()).update(names - set(obeyed.get(kind, ())))
    silent = {kind: names for kind, names in sorted(found.items()) if names}
    if silent:
        yield "properties of the deployed stacks that can be read back and do nothing in the lab:"
    for kind, names in silent.items():
        yield f"  {kind}: {', '.join(sorted(names))}"


def _resources(cloudformation: Client) -> Iterator[Mapping[str, Any]]:
    """Yield the resources that are there, as their templates declare them."""
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = stack["StackName"]
            text = cloudformation.get_template(StackName=name)["TemplateBody"]
            declared = template_yaml.parse(text).get("Resources") or {} if isinstance(text, str) else {}
            pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
            there = [item["LogicalResourceId"] for one in pages for item in one["StackResourceSummaries"]]
            yield from (declared[item] for item in there if item in declared)
