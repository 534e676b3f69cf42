"""Which expression measures which signal of a Kubernetes workload, in the units of `Signal`.

Metrics of the kubelet's cAdvisor (`container_…`), of kube-state-metrics (`kube_…`), and for requests those of Istio's
proxy (`istio_…`, its standard metrics) or of Linkerd's (`response_…`), whichever is there.
"""

from collections.abc import Mapping

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Signal

RATE = "3m"
"""Over which counters are averaged: three points of the usual minute between scrapes."""
_PODS = {"Deployment": "-[a-z0-9]+-[a-z0-9]+", "StatefulSet": "-[0-9]+", "DaemonSet": "-[a-z0-9]+"}
"""What Kubernetes appends to a workload's name for those of its pods."""
_READY = {
    "Deployment": "kube_deployment_status_replicas_available",
    "StatefulSet": "kube_statefulset_status_replicas_ready",
    "DaemonSet": "kube_daemonset_status_number_ready",
}
_LACKING = {
    "Deployment": "kube_deployment_status_replicas_unavailable{%s}",
    "StatefulSet": "kube_statefulset_replicas{%s} - kube_statefulset_status_replicas_ready{%s}",
    "DaemonSet": "kube_daemonset_status_number_unavailable{%s}",
}
UNITS: Mapping[Signal, str] = {
    Signal.cpu: "percent",
    Signal.memory: "percent",
    Signal.latency: "s",
    Signal.latency_p99: "s",
    Signal.network_in: "bytes/s",
    Signal.network_out: "bytes/s",
}


def quoted(text: str) -> str:
    """As a string of PromQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _literally(name: str) -> str:
    """As a part of a regular expression: in names of Kubernetes only the dot means more than itself."""
    return "".join(c if c.isalnum() or c in "-_" else f"\\{c}" for c in name)


class Selectors:
    """How the metrics of one workload are chosen."""

    def __init__(self, resource: Resource, cluster_label: str | None) -> None:
        kind = _kind(resource)
        self.kind = kind if kind in _PODS else "Deployment"
        where = [f"namespace={quoted(resource.namespace)}"] if resource.namespace else []
        if cluster_label and resource.cluster:
            where.append(f"{cluster_label}={quoted(resource.cluster)}")
        mesh = [each.replace("namespace=", "destination_workload_namespace=", 1) for each in where]
        named = quoted(resource.name)
        self.pods = ",".join([*where, f"pod=~{quoted(_literally(resource.name) + _PODS[self.kind])}"])
        self.itself = ",".join([*where, f"{self.kind.lower()}={named}"])
        self.istio = ",".join([*mesh, f"destination_workload={named}", 'reporter="destination"'])
        self.linkerd = ",".join([*where, f"{self.kind.lower()}={named}", 'direction="inbound"'])


def _kind(resource: Resource) -> str:
    """As Kubernetes spells it."""
    known = {each.casefold(): each for each in _PODS}
    return known.get((resource.kind or "Deployment").casefold(), resource.kind or "")


def of_workload(resource: Resource, cluster_label: str | None = None) -> dict[Signal, str]:
    """The expression for each signal that can be measured of it."""
    s = Selectors(resource, cluster_label)
    running = f'{s.pods},container!=""'
    limits = "kube_pod_container_resource_limits"

    def istio(metric: str, more: str = "") -> str:
        return f"sum(rate(istio_{metric}{{{s.istio}{more}}}[{RATE}]))"

    def linkerd(metric: str, more: str = "") -> str:
        return f"sum(rate({metric}{{{s.linkerd}{more}}}[{RATE}]))"

    slow, fast = "request_duration_milliseconds", "response_latency_ms"
    bucket = f"sum by (le) (rate(istio_{slow}_bucket{{{s.istio}}}[{RATE}]))"
    linked = f"sum by (le) (rate({fast}_bucket{{{s.linkerd}}}[{RATE}]))"
    lacking = _LACKING[s.kind]
    return {
        Signal.cpu: f"100 * sum(rate(container_cpu_usage_seconds_total{{{running}}}[{RATE}]))"
        f' / sum({limits}{{{s.pods},resource="cpu"}})',
        Signal.memory: f"100 * max(sum by (pod) (container_memory_working_set_bytes{{{running}}})"
        f' / sum by (pod) ({limits}{{{s.pods},resource="memory"}}))',
        Signal.running_tasks: f"sum({_READY[s.kind]}{{{s.itself}}})",
        Signal.unhealthy_hosts: f"sum({lacking % ((s.itself,) * lacking.count('%s'))})",
        Signal.network_in: f"sum(rate(container_network_receive_bytes_total{{{s.pods}}}[{RATE}]))",
        Signal.network_out: f"sum(rate(container_network_transmit_bytes_total{{{s.pods}}}[{RATE}]))",
        Signal.requests: f"60 * ({istio('requests_total')} or {linkerd('response_total')})",
        Signal.errors: "60 * ("
        + istio("requests_total", ',response_code=~"5.."')
        + " or "
        + linkerd("response_total", ',classification="failure"')
        + ")",
        Signal.latency: f"({istio(slow + '_sum')} / {istio(slow + '_count')}"
        f" or {linkerd(fast + '_sum')} / {linkerd(fast + '_count')}) / 1000",
        Signal.latency_p99: f"(histogram_quantile(0.99, {bucket}) or histogram_quantile(0.99, {linked})) / 1000",
    }
