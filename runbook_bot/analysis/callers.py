"""Who calls whom, as rows of a table: reachability, circles, and what a callee explains of its callers."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from runbook_bot.analysis.shift import Floats

NOISE = 2.0
"""Standard deviations of a callee's departure below which it explains nothing of its callers'."""


def reached(graph: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """The node and all that it calls, directly or not, nearest first. Circles are walked once."""
    found = dict.fromkeys([start])
    waiting = [start]
    for node in waiting:
        for called in graph.get(node, ()):
            if called not in found:
                found[called] = None
                waiting.append(called)
    return list(found)


def edges(graph: Mapping[str, Iterable[str]], nodes: Sequence[str]) -> dict[int, list[int]]:
    """For each called node its callers, as places in `nodes`, but those in a circle with it: they explain nothing."""
    place = {node: index for index, node in enumerate(nodes)}
    circle = _circles(graph, nodes)
    found: dict[int, list[int]] = {}
    for node in nodes:
        for called in dict.fromkeys(graph.get(node, ())):
            if called in place and circle[called] != circle[node]:
                found.setdefault(place[called], []).append(place[node])
    return found


def _circles(graph: Mapping[str, Iterable[str]], nodes: Sequence[str]) -> dict[str, int]:
    """A number for each strongly connected part (Kosaraju's two walks, without recursion)."""
    calls = {node: list(graph.get(node, ())) for node in nodes}
    callers: dict[str, list[str]] = {node: [] for node in nodes}
    for node, called in calls.items():
        for each in called:
            if each in callers:
                callers[each].append(node)
    number: dict[str, int] = {}
    for root in reversed(_finished(calls)):
        waiting = [root] if root not in number else []
        mark = len(number)
        while waiting:
            node = waiting.pop()
            if node not in number:
                number[node] = mark
                waiting += [each for each in callers[node] if each not in number]
    return number


def _finished(calls: Mapping[str, Sequence[str]]) -> list[str]:
    """Nodes in the order in which a walk leaves them."""
    seen: set[str] = set()
    order: list[str] = []
    for root in calls:
        path = [] if root in seen else [(root, iter(calls[root]))]
        seen.add(root)
        while path:
            node, rest = path[-1]
            following = next((each for each in rest if each in calls and each not in seen), None)
            if following is None:
                order.append(node)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(calls[following])))
    return order


def remainders(
    extra: Floats, departure: Floats, callers: Mapping[int, Sequence[int]], waits: Mapping[int, Floats]
) -> Floats:
    """What each node's own part of the extra time or errors is, once its callees have explained theirs.

    `extra[window, node]` is in seconds or errors, `departure` in standard deviations (callees within the noise explain
    nothing); `waits[called]` says for each of its callers, between 0 and 1, how far that one waits for it. What a
    callee has in excess is shared among its callers in proportion to what they suffer: self-time, as in a profile of
    calls, told from totals alone.
    """
    suffered = np.maximum(extra, 0.0)
    passed = suffered * np.clip(1.0 - (NOISE / np.maximum(departure, 1e-9)) ** 2, 0.0, 1.0)
    own = suffered.copy()
    for called, theirs in callers.items():
        total = suffered[:, theirs].sum(axis=1)
        share = passed[:, called] / np.where(total > 0, total, np.inf)
        own[:, theirs] -= suffered[:, theirs] * share[:, None] * waits[called]
    return np.maximum(own, 0.0)
