# SPDX-License-Identifier: BSD-3-Clause
"""From reports to the rows of the table: what was measured, what is to be reached, and whether it is."""

import dataclasses
import statistics

from cases import APART, BARE, HEADSCALE, ONE, OURS, TESTCONTROL, TWO


@dataclasses.dataclass
class Figure:
    """Of several rounds; nodes: where it is another number than that of the row."""
    values: list
    nodes: int = 0

    @property
    def median(self):
        return statistics.median(self.values)


@dataclasses.dataclass
class Row:
    measure: str
    unit: str
    ours: Figure | None
    rivals: dict  # name → Figure
    target: str = ""
    reached: bool | None = None  # none: not judged, or not measured

    @property
    def verdict(self):
        return "" if not self.target else "not measured" if self.reached is None else "reached" if self.reached else "MISSED"


class Results:
    def __init__(self, plan, reports, handshakes=None, memory=None):
        """`reports`: by case, by server, one a round."""
        self.plan, self.reports, self.handshakes, self.memory = plan, reports, handshakes or {}, memory or []

    def scenarios(self, case, server, scenario):
        """Results of the scenario that came to their end."""
        return [result for report in self.reports.get(case, {}).get(server, []) for result in report["results"]
                if result["scenario"] == scenario and result["done"] and not result["timed_out"]]

    def figure(self, case, server, scenario, take, nodes=0):
        values = [take(result) for result in self.scenarios(case, server, scenario)]
        values = [value for value in values if value is not None]
        return Figure(values, nodes) if values else None


def cpu(result):
    return result.get("server_cpu_us_per_op")


def cpu_seconds(result):
    return result.get("server_cpu_s")


def memory_each(result):
    return result.get("server_anon_kib_each")


def wall(name, part="p50"):
    return lambda result: result["ms"].get(name, {}).get(part)


def size(name):
    return lambda result: result["bytes"].get(name, {}).get("p50")


def value(name):
    return lambda result: result["values"].get(name)


def present(figures):
    return {name: figure for name, figure in figures.items() if figure}


def at_most(measure, unit, ours, rivals, most, target=None):
    """Judged by the median."""
    return Row(measure, unit, ours, present(rivals), target or f"≤ {most} {unit}", None if not ours else ours.median <= most)


def handshake_rows(results):
    times = {name: Figure([nanoseconds / 1000 for nanoseconds in all]) for name, all in results.handshakes.items()}
    go = times.get("go_responder")
    rows = []
    for backend, title, ratio in (("system", "system crypto", 2.8), ("awslc", "AWS-LC", 4)):
        for name, who, judged in (("responder", "first-time machine", True), ("known_responder", "machine that it knows", False)):
            ours = times.get(f"{backend} {name}")
            reached = go.median / ours.median >= ratio if ours and go and judged else None
            rows.append(Row(f"Noise responder, {title}, {who}", "µs", ours, present({"Go": go}),
                            f"≤ 1/{ratio:g} of Go" if judged else "", reached))
    return rows


def full_map_row(results, plan):
    ours, theirs = (results.figure("full map", server, "full-map", lambda result: cpu(result) / 1000) for server in (OURS, TESTCONTROL))
    return at_most(f"full map of {plan.peers:,} peers, second viewer of a class, CPU", "ms", ours, {TESTCONTROL: theirs}, 10)


def change_rows(results, plan):
    rows, figures = [], []
    for nodes in plan.judged:
        rivals = {}
        if nodes == plan.judged[0]:
            rivals = {name: results.figure("rivals", name, "fan-out", cpu, plan.rivals) for name in (TESTCONTROL, HEADSCALE)}
        if nodes == plan.thousand:
            rivals = {TESTCONTROL: results.figure(f"change {nodes}", TESTCONTROL, "fan-out", cpu)}
        ours = results.figure(f"grow {nodes}", OURS, "fan-out", cpu)
        figures.append(ours)
        rows.append(at_most(f"endpoint change, CPU per viewer, {nodes:,} nodes", "µs", ours, rivals, 10))
    last = {f"{TESTCONTROL}": results.figure(f"change {plan.thousand}", TESTCONTROL, "fan-out", wall("last_peer"))}
    rows.append(at_most(f"change → last of {plan.thousand:,} viewers, wall time on one core", "ms",
                        results.figure(f"grow {plan.thousand}", OURS, "fan-out", wall("last_peer")), last, 50))
    return rows


def all_streaming_row(results, plan):
    """Every one of the largest tailnet has its stream, and knows what it should."""
    most = plan.sizes[-1]
    runs = results.scenarios(f"grow {most}", OURS, "idle")
    return Row("streaming nodes, generator on the same machine", "", results.figure(f"grow {most}", OURS, "idle", lambda result: result["done"]), {},
               f"{most:,}", all(result["good"] and result["done"] == most for result in runs) if runs else None)


def main_rows(results):
    plan = results.plan
    rows = handshake_rows(results)
    rows.append(at_most("TCP + upgrade + Noise + HTTP/2, server CPU", "µs", results.figure("connect", OURS, "connect", cpu),
                        {BARE: results.figure("connect", BARE, "connect", cpu)}, 250))
    rows.append(at_most("join: the same plus register", "µs", results.figure("register", OURS, "register", cpu),
                        {name: results.figure("register", name, "register", cpu) for name in (TESTCONTROL, HEADSCALE, BARE)}, 300))
    measure = f"memory per node + connection + idle stream, {plan.thousand:,} nodes, "
    rows.append(at_most(measure + "nobody sees anybody", "KiB", results.figure("streams", APART, "idle", memory_each),
                        {BARE: results.figure("streams", BARE, "idle", memory_each)}, 16))
    rivals = {name: results.figure("rivals", name, "idle", memory_each, plan.rivals) for name in (TESTCONTROL, HEADSCALE)}
    rows.append(at_most(measure + "each sees all", "KiB", results.figure(f"grow {plan.thousand}", OURS, "idle", memory_each), rivals, 16))
    rows += change_rows(results, plan)
    rows.append(full_map_row(results, plan))
    rows.append(at_most(f"reconnect storm of {plan.storm:,}, peers omitted, CPU", "s", results.figure("storm", APART, "storm", cpu_seconds),
                        {BARE: results.figure("storm", BARE, "storm", cpu_seconds)}, 2))
    rows.append(all_streaming_row(results, plan))
    return rows + scaling_rows(results)


# ---- cost against the number of nodes

FLAT = 1.5  # the rise up to which a cost counts as constant


def rise(points):
    """The most that a larger tailnet costs over a smaller one."""
    values = [figure.median for _, figure in points]
    rises = [later / earlier for at, earlier in enumerate(values) for later in values[at + 1:] if earlier > 0]
    return max(rises) if rises else None


def per_megabyte(result):
    bytes_each = size("first_map_json")(result)
    return cpu(result) / bytes_each * 1e6 if bytes_each else None


def idle_cpu(result):
    return result["server_cpu_s"] / result["seconds"] / result["n"] * 1e6


def curves(results):
    """What should not depend on the number of nodes: title, unit, points (nodes, Figure)."""
    plan = results.plan
    minutes = [int(case.split()[1]) for case in results.reports if case.startswith("minute ")]
    described = [
        ("change, CPU per viewer", "µs", "grow", OURS, "fan-out", cpu, plan.sizes),
        ("full map, CPU per MB of JSON", "µs", "grow", OURS, "full-map", per_megabyte, plan.sizes),
        ("join without peers, CPU", "µs", "apart", APART, "join", cpu, plan.sizes),
        ("idle, CPU per node and second", "µs", "minute", APART, "idle", idle_cpu, minutes),
        ("idle, memory per node", "KiB", "apart", APART, "idle", memory_each, plan.sizes),
        ("idle, memory per node that sees all", "KiB", "grow", OURS, "idle", memory_each, plan.sizes),
    ]
    out = []
    for title, unit, case, server, scenario, take, sizes in described:
        points = [(nodes, results.figure(f"{case} {nodes}", server, scenario, take)) for nodes in sizes]
        out.append((title, unit, [(nodes, figure) for nodes, figure in points if figure]))
    return out


def scaling_rows(results):
    rows = []
    for title, unit, points in curves(results):
        most = rise(points)
        first, last = (points[0][0], points[-1][0]) if points else (0, 0)
        grown = f", {points[0][1].median:.3g} → {points[-1][1].median:.3g} {unit}" if points else ""
        rows.append(Row(f"cost against N: {title}, {first:,} → {last:,} nodes{grown}", "×", Figure([most]) if most is not None else None, {},
                        f"rise ≤ {FLAT}", None if most is None else most <= FLAT))
    return rows


# ---- memory, threads, and what else was seen

def memory_parts(results):
    """KiB of its own for each more that a node does: a connection, being registered, a stream, being seen by all."""
    nodes = results.plan.sizes[-2]
    steps = [("connection, inside Noise and HTTP/2", results.figure("parts", APART, "connect", memory_each)),
             ("registered: the node's record and its place in the store", results.figure("parts", APART, "register", memory_each)),
             ("stream, endpoints and host", results.figure("parts", APART, "idle", memory_each)),
             ("seen by all: its JSON, its share of packed maps", results.figure(f"grow {nodes}", OURS, "idle", memory_each))]
    parts, before = [], 0
    for name, figure in steps:
        if figure:
            parts.append((name, figure.median - before))
            before = figure.median
    return nodes, parts


def thread_rows(results):
    """Server, scenario, and the median CPU seconds of each thread: the coordinator's, then those of connections."""
    rows = []
    for server in (ONE, TWO):
        for scenario in ("join", "fan-out", "storm"):
            each = [result["server_cpu_s_by_thread"] for result in results.scenarios("threads", server, scenario)]
            if each:
                rows.append((server, scenario, [statistics.median(times) for times in zip(*each)],
                             statistics.median(result["server_cpu_us_per_op"] for result in results.scenarios("threads", server, scenario))))
    return rows


def detail_rows(results):
    """Everything that the case of all rivals has measured."""
    take = {}
    for scenario in ("join", "storm"):
        take[f"{scenario}: per second *", "1/s"] = (scenario, lambda result: result.get("per_second"))
    for scenario, names in (("join", ("visible", "visible_last")), ("fan-out", ("delta", "last_peer")), ("storm", ("served",)), ("full-map", ("total",))):
        for name in names:
            for part in ("p50", "p99"):
                take[f"{scenario}: {name} {part}", "ms"] = (scenario, wall(name, part))
    take["fan-out: frame", "bytes"] = ("fan-out", size("frame"))
    take["full-map: first map on the wire", "bytes"] = ("full-map", size("first_map_wire"))
    take["full-map: first map as JSON", "bytes"] = ("full-map", size("first_map_json"))
    for scenario in ("join", "fan-out", "storm", "full-map"):
        take[f"{scenario}: server CPU per operation", "µs"] = (scenario, cpu)
    take["idle: server memory per node", "KiB"] = ("idle", memory_each)
    rows = []
    for (measure, unit), (scenario, get) in take.items():
        rivals = {name: results.figure("rivals", name, scenario, get) for name in (TESTCONTROL, HEADSCALE)}
        rows.append(Row(measure, unit, results.figure("rivals", OURS, scenario, get), present(rivals)))
    return rows


def remarks(results):
    """What did not go as it should, a line for each server and case."""
    out = []
    for case, servers in results.reports.items():
        for server, reports in servers.items():
            for turn, report in enumerate(reports, 1):
                faults = [report["error"]] if report.get("error") else []
                for result in report["results"]:
                    faults += [f"{result['scenario']}: {result[what]} {what}" for what in ("errors", "missing", "surplus", "mismatch") if result[what]]
                faults += [f"{finding['count']} × {finding['text']}" for finding in report.get("fold", {}).get("findings", []) if finding["harm"] != "none"]
                if faults:
                    out.append(f"{server}, {case}, round {turn}: " + "; ".join(faults))
    return out


def ours_is_good(results):
    return all(report["good"] for servers in results.reports.values() for server, reports in servers.items()
               if server.startswith(OURS) for report in reports)
