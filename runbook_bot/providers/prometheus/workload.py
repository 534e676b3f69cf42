"""What Kubernetes tells of a workload through kube-state-metrics: restarts and their reasons, images, copies."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

from runbook_bot.domain.observation import Change, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.providers.prometheus.expressions import Selectors
from runbook_bot.providers.prometheus.ranges import Line

EVENTS = ("waiting", "terminated", "restarts")
CHANGES = ("images", "copies")


def questions(resource: Resource, cluster_label: str | None) -> dict[str, str]:
    """An expression for each of `EVENTS` and `CHANGES`."""
    s = Selectors(resource, cluster_label)
    wanted = {"Deployment": "kube_deployment_spec_replicas", "StatefulSet": "kube_statefulset_replicas"}
    copies = wanted.get(s.kind, "kube_daemonset_status_desired_number_scheduled")
    return {
        "waiting": f"max by (container, reason) (kube_pod_container_status_waiting_reason{{{s.pods}}}) > 0",
        "terminated": "max by (container, reason) "
        f'(kube_pod_container_status_last_terminated_reason{{{s.pods},reason!="Completed"}}) > 0',
        "restarts": f"sum by (container) (kube_pod_container_status_restarts_total{{{s.pods}}})",
        "images": f"count by (container, image) (kube_pod_container_info{{{s.pods}}})",
        "copies": f"max({copies}{{{s.itself}}})",
    }


def events(resource: Resource, told: dict[str, list[Line]], start: datetime) -> list[LogLine]:
    """One line for each beginning of a state, and for each growth of the count of restarts; oldest first."""
    found = []
    words = {"waiting": "waits: %s", "terminated": "was terminated: %s"}
    for what, said in words.items():
        for line in told.get(what, ()):
            at = datetime.fromtimestamp(line.times[0], UTC)
            since = " (since before this window)" if (at - start).total_seconds() < 1 else ""
            container = line.labels.get("container", "a container")
            text = f"{container} of {resource.name} {said % line.labels.get('reason', 'no reason given')}{since}"
            found.append(LogLine(at=at, text=text, stream="kube-state-metrics"))
    for line in told.get("restarts", ()):
        for at, before, after in _steps(line):
            if after > before:
                container = line.labels.get("container", "a container")
                text = f"{container} of {resource.name} restarted, {after - before:.0f} times since the last look"
                found.append(LogLine(at=at, text=text, stream="kube-state-metrics"))
    return sorted(found, key=lambda each: each.at)


def changes(resource: Resource, told: dict[str, list[Line]], start: datetime, step: float) -> list[Change]:
    """A new image is a deployment, at the moment its first pod appeared; another number of copies a scaling."""
    found = list(_images(resource, told.get("images", ()), start, step))
    for line in told.get("copies", ()):
        for at, before, after in _steps(line):
            found.append(
                Change(
                    at=at,
                    kind="scaling",
                    summary=f"{resource.name} was scaled from {before:.0f} to {after:.0f} copies",
                    resource=resource,
                    before={"desired_count": f"{before:.0f}"},
                    after={"desired_count": f"{after:.0f}"},
                )
            )
    return sorted(found, key=lambda each: each.at)


def _images(resource: Resource, lines: Iterable[Line], start: datetime, step: float) -> Iterable[Change]:
    by_container: dict[str, list[tuple[float, float, str]]] = {}
    for line in lines:
        spans = by_container.setdefault(line.labels.get("container", ""), [])
        spans.append((line.times[0], line.times[-1], line.labels.get("image", "")))
    for container, spans in by_container.items():
        for began, _, image in spans:
            if began <= start.timestamp() + step:
                continue  # it was there when the window began
            earlier = [each for each in spans if each[0] < began]
            if not earlier:
                continue  # the first that is known of it: no change, only the beginning of what is kept
            before = max(earlier, key=lambda each: (each[1], each[0]))[2]
            yield Change(
                at=datetime.fromtimestamp(began, UTC),
                kind="deployment",
                summary=f"{container} of {resource.name} runs {image}, before that {before}",
                resource=resource,
                before={"image": before},
                after={"image": image},
            )


def _steps(line: Line) -> Iterable[tuple[datetime, float, float]]:
    for (_, before), (at, after) in pairwise(zip(line.times, line.values, strict=True)):
        if after != before:
            yield datetime.fromtimestamp(at, UTC), before, after
