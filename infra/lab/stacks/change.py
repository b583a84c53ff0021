"""One change of a stack: from the resources that it has to those that a template wants."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.models import Event, Stack
from moto.cloudformation.parsing import ResourceMap

from infra.lab.stacks import template as templates
from infra.lab.stacks.resource import Made, Properties, Request, ResourceType


class StackFailure(Exception):
    """A resource could not be made or changed; the text names it and says why."""


@dataclass(slots=True)
class Live:
    """A resource that a stack has now, and what it was made from."""

    kind: ResourceType
    request: Request
    made: Made


def live_of(stack: Stack) -> dict[str, Live]:
    """Return what a stack has now, in the order in which it was made."""
    found: dict[str, Live] = stack.__dict__.setdefault("live", {})
    return found


class StackChange:
    """Makes, changes and deletes the resources of one stack."""

    def __init__(
        self, stack: Stack, client: Callable[[str, str], Any], kind_of: Callable[[str], ResourceType]
    ) -> None:
        """Take the stack and where its types and clients come from."""
        self._stack = stack
        self._client = client
        self._kind_of = kind_of
        self._live = live_of(stack)

    def apply(self, resources: ResourceMap) -> None:
        """Make the stack what a template wants, then delete what it no longer wants.

        Raises:
            StackFailure: A resource failed; those before it are as the template wants them.

        """
        replaced: list[tuple[str, Live]] = []
        declared = resources._resource_json_map
        for name in templates.order(resources._template):
            if not templates.wanted(declared[name], resources):
                continue
            try:
                self._apply_one(name, declared[name], resources, replaced)
            except Exception as problem:  # (any failure of a resource fails the stack, whatever it is)
                action = "UPDATE" if name in self._live else "CREATE"
                reason = reason_of(problem)
                self._tell(name, declared[name]["Type"], f"{action}_FAILED", reason)
                msg = f"{name} ({declared[name]['Type']}): {reason}"
                raise StackFailure(msg) from problem
            resources._parsed_resources[name] = self._live[name].made
        wanted = {name for name in declared if templates.wanted(declared[name], resources)}
        gone = [(name, self._live[name]) for name in self._live if name not in wanted]
        for name, former in reversed(gone):
            self._delete(name, former)
            del self._live[name]
        for name, former in reversed(replaced):
            self._delete(name, former)

    def delete_all(self) -> str:
        """Delete everything, the last made first; returns what could not be deleted, else nothing."""
        left = []
        for name in reversed(list(self._live)):
            failure = self._delete(name, self._live[name])
            if failure:
                left.append(failure)
            else:
                del self._live[name]
        return "; ".join(left)

    def _apply_one(
        self, name: str, declared: dict[str, Any], resources: ResourceMap, replaced: list[tuple[str, Live]]
    ) -> None:
        kind = self._kind_of(declared["Type"])
        former = self._live.get(name)
        request = self._request(name, declared, resources, former)
        if former is not None and former.kind.name == kind.name:
            if former.request.properties.values_as_given() == request.properties.values_as_given():
                former.request = request
                return
            self._tell(name, kind.name, "UPDATE_IN_PROGRESS")
            changed = kind.update(request, former.made)
            if changed is not None:
                self._keep(name, Live(kind, request, changed), "UPDATE_COMPLETE")
                return
        self._tell(name, kind.name, "CREATE_IN_PROGRESS")
        made = kind.create(request)
        if former is not None:
            replaced.append((name, former))
            del self._live[name]
        self._keep(name, Live(kind, request, made), "CREATE_COMPLETE")
        unknown = request.properties.unread()
        if unknown:
            msg = f"the lab does not know the property {', '.join(unknown)} of {kind.name}"
            raise NotImplementedError(msg)

    def _keep(self, name: str, live: Live, status: str) -> None:
        live.made.logical_resource_id, live.made.cf_resource_type = name, live.kind.name
        self._live[name] = live
        self._tell(name, live.kind.name, status)

    def _request(
        self, name: str, declared: dict[str, Any], resources: ResourceMap, former: Live | None
    ) -> Request:
        region = self._stack.region_name
        here = partial(self._client_in, region)
        return Request(
            client=here,
            region=region,
            account=self._stack.account_id,
            stack=self._stack.name,
            logical_id=name,
            properties=Properties(templates.properties(declared, resources, here)),
            tags={key: value for key, value in self._stack.tags.items() if not key.startswith("aws:")},
            keep=declared.get("DeletionPolicy", "Delete"),
            before=Properties() if former is None else former.request.properties,
            tags_before={} if former is None else former.request.tags,
        )

    def _client_in(self, own_region: str, service: str, region: str = "") -> Any:
        return self._client(service, region or own_region)

    def _delete(self, name: str, live: Live) -> str:
        if live.request.keep == "Retain":
            self._tell(name, live.kind.name, "DELETE_SKIPPED")
            return ""
        self._tell(name, live.kind.name, "DELETE_IN_PROGRESS")
        try:
            live.kind.remove(live.request, live.made)
        except Exception as problem:  # noqa: BLE001 (the others must go all the same; the reason is in the events)
            reason = reason_of(problem)
            self._tell(name, live.kind.name, "DELETE_FAILED", reason)
            return f"{name} ({live.kind.name}): {reason}"
        self._tell(name, live.kind.name, "DELETE_COMPLETE")
        return ""

    def _tell(self, name: str, kind: str, status: str, reason: str | None = None) -> None:
        live = self._live.get(name)
        event = Event(
            stack_id=self._stack.stack_id,
            stack_name=self._stack.name,
            logical_resource_id=name,
            physical_resource_id="" if live is None else live.made.physical_resource_id,
            resource_type=kind,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
        self._stack.events.append(event)


def reason_of(problem: Exception) -> str:
    """Return a failure in one line, as stack events show it."""
    if isinstance(problem, ClientError):
        error = problem.response["Error"]
        return f"{error['Code']}: {error['Message']}"
    return f"{type(problem).__name__}: {problem}"
