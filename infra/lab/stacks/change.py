"""One change of a stack: from the resources that it has to those that a template wants."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from moto.cloudformation.models import Stack

from infra.lab.stacks import template as templates
from infra.lab.stacks.live import Leftover, Live, live_of, policy
from infra.lab.stacks.order import in_order
from infra.lab.stacks.record import Record, reason_of, tell
from infra.lab.stacks.resource import Made, Properties, Request, ResourceType
from infra.lab.stacks.scope import Scope

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class StackFailure(Exception):
    """Resources could not be made or changed; the text names them as a stack's reason does."""


class _CancelledError(Exception):
    """A resource was made although another had failed meanwhile."""


class StackChange:
    """Makes and changes the resources of one stack, those side by side that do not need one another."""

    def __init__(
        self, stack: Stack, client: Callable[[str, str], Any], kind_of: Callable[[str], ResourceType]
    ) -> None:
        """Take the stack and where its types and clients come from."""
        self._stack = stack
        self._client = client
        self._kind_of = kind_of
        self._live = live_of(stack)
        self._created: set[str] = set()
        self._replaced: dict[str, Live] = {}
        self._leftovers: list[Leftover] = []
        self._stopped = False

    def stop(self) -> None:
        """Begin nothing more; what is being made counts as cancelled."""
        self._stopped = True

    def make(self, scope: Scope) -> None:
        """Make the stack's resources what a template wants; what it no longer wants stays for now.

        Raises:
            StackFailure: A resource failed; those before it are as the template wants them.

        """
        wanted, graph = scope.wanted(), templates.needs(scope.template)
        needs = {name: graph[name] & wanted.keys() for name in wanted}

        def make_one(name: str) -> None:
            action = "UPDATE" if name in self._live else "CREATE"
            try:
                self._make_one(name, scope, frozenset(needs[name]))
            except Exception as problem:
                self._stopped = True
                self._tell(name, wanted[name]["Type"], f"{action}_FAILED", _why(action, problem))
                raise
            scope.resources[name] = self._live[name].made

        failures = in_order(needs, make_one)
        if failures or self._stopped:
            verb = "update" if "UPDATE" in self._stack.status else "create"
            msg = f"The following resource(s) failed to {verb}: [{', '.join(sorted(failures))}]. "
            raise StackFailure(msg)
        for name in self._live.keys() - wanted.keys():
            former = self._live.pop(name)
            keep = policy(former, "DeletionPolicy", created_now=name in self._created)
            self._leftovers.append(Leftover(name, former, keep, replaced=False))

    def take_back(self) -> None:
        """Have the resources again that others took the place of; the others are to go."""
        self._stopped = False
        for name, former in self._replaced.items():
            other = self._live[name]
            keep = policy(other, "DeletionPolicy", created_now=True)
            self._leftovers.append(Leftover(name, other, keep, replaced=True))
            self._live[name] = former
        self._replaced.clear()

    def take_leftovers(self) -> list[Leftover]:
        """Hand out, once, what is to be deleted when everything else is as it should be."""
        replaced = [
            Leftover(name, former, policy(self._live[name], "UpdateReplacePolicy"), replaced=True)
            for name, former in self._replaced.items()
        ]
        taken = [*self._leftovers, *replaced]
        self._leftovers.clear()
        self._replaced.clear()
        return taken

    def inherit(self, earlier: "StackChange") -> None:
        """Take over what an earlier change, which stopped half-way, still had to delete."""
        self._leftovers += earlier.take_leftovers()

    def _make_one(self, name: str, scope: Scope, needs: frozenset[str]) -> None:
        former, source = self._live.get(name), scope.template["Resources"][name]
        declared = scope.value(source.get("Properties") or {})
        request = self._request(name, source, declared, former)
        wanted = Live(self._kind_of(source["Type"]), request, Made(""), declared, needs, source)
        if former is None or former.kind.name != wanted.kind.name:
            self._create(name, wanted, former)
        elif former.is_wanted_as(wanted):
            former.needs, former.source = needs, source
        else:
            self._update(name, wanted, former)

    def _update(self, name: str, wanted: Live, former: Live) -> None:
        """Change a resource in place, or put another in its place where its type can't."""
        self._tell(name, wanted.kind.name, "UPDATE_IN_PROGRESS")
        attempted, former.attempted = former.attempted, wanted.request
        changed = wanted.kind.update(wanted.request, former.made)
        if changed is None:
            former.attempted = attempted
            if former.declared != wanted.declared or attempted is not None:
                self._create(name, wanted, former)
                return
            # Only the stack's own tags differ, which this type does not take in place.
            changed = former.made
        wanted.made = changed
        self._keep(name, wanted, "UPDATE")

    def _create(self, name: str, wanted: Live, former: Live | None) -> None:
        """Make a resource; one that had its name stays until all the others are as they should be."""
        action = "CREATE" if former is None else "UPDATE"
        reason = None if former is None else _REPLACING
        self._tell(name, wanted.kind.name, f"{action}_IN_PROGRESS", reason)
        request = wanted.request
        # What an update has read of the properties says nothing about what creating reads.
        fresh = replace(
            request, properties=Properties(request.properties.values_as_given()), before=Properties()
        )
        wanted.request = fresh
        wanted.made = wanted.kind.create(fresh)
        if former is None:
            self._created.add(name)
        else:
            self._replaced.setdefault(name, former)
        unknown = fresh.properties.unread()
        self._live[name] = wanted
        if unknown:
            msg = f"the lab does not know the property {', '.join(unknown)} of {wanted.kind.name}"
            raise NotImplementedError(msg)
        self._keep(name, wanted, action)

    def _keep(self, name: str, live: Live, action: str) -> None:
        live.made.logical_resource_id, live.made.cf_resource_type = name, live.kind.name
        self._live[name] = live
        if self._stopped:
            raise _CancelledError
        self._tell(name, live.kind.name, f"{action}_COMPLETE")

    def _request(
        self, name: str, source: Mapping[str, Any], declared: Mapping[str, Any], former: Live | None
    ) -> Request:
        last = None if former is None else former.attempted or former.request
        return Request(
            client=self._here,
            region=self._stack.region_name,
            account=self._stack.account_id,
            stack=self._stack.name,
            logical_id=name,
            properties=Properties(templates.with_secrets(declared, self._here)),
            tags={key: value for key, value in self._stack.tags.items() if not key.startswith("aws:")},
            keep=source.get("DeletionPolicy", "Delete"),
            before=Properties() if last is None else last.properties,
            tags_before={} if last is None else last.tags,
        )

    def _here(self, service: str, region: str = "") -> Any:
        return self._client(service, region or self._stack.region_name)

    def _tell(self, name: str, kind: str, status: str, reason: str | None = None) -> None:
        live = self._live.get(name)
        physical_id = "" if live is None else live.made.physical_resource_id
        tell(self._stack, Record(name, kind, status, physical_id, reason))


def _why(action: str, problem: BaseException) -> str:
    if isinstance(problem, _CancelledError):
        return "Resource creation cancelled" if action == "CREATE" else "Resource update cancelled"
    return reason_of(problem)
