# SPDX-License-Identifier: BSD-3-Clause
"""The rows as markdown, which is also what is printed."""

import datetime
import os
import platform
import shutil
import subprocess

from rows import curves, detail_rows, main_rows, memory_parts, remarks, thread_rows


def first_line(command):
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done.stdout else ""


def cpu_model():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return models[0] if models else "unknown"


def machine():
    return {"cpu": cpu_model(), "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(), "compiler": first_line(["c++", "--version"]),
            "go": first_line(["go", "version"]), "load": os.getloadavg(), "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(figure):
    if not figure:
        return "–"
    if len(figure.values) == 1:
        return number(figure.values[0])
    return " / ".join(number(value) for value in (min(figure.values), figure.median, max(figure.values)))


def rival_cell(row):
    cells = []
    for name, figure in row.rivals.items():
        times = f", ×{number(figure.median / row.ours.median)}" if row.ours and row.ours.median > 0 else ""
        at = f" ({figure.nodes:,} nodes)" if figure.nodes else ""
        cells.append(f"{name}{at} {spread(figure)}{times}")
    return "<br>".join(cells)


def table(rows, judged=True):
    lines = ["| measure | | ts2021d | rivals |" + (" to reach | |" if judged else ""), "|---|---|---:|---|" + ("---|---|" if judged else "")]
    for row in rows:
        verdict = f"**{row.verdict}**" if row.verdict == "MISSED" else row.verdict
        end = f" {row.target} | {verdict} |" if judged else ""
        lines.append(f"| {row.measure} | {row.unit} | {spread(row.ours)} | {rival_cell(row)} |{end}")
    return "\n".join(lines)


def scaling_table(results):
    all_curves = curves(results)
    sizes = sorted({nodes for _, _, points in all_curves for nodes, _ in points})
    lines = ["| nodes | | " + " | ".join(f"{nodes:,}" for nodes in sizes) + " |", "|---|---|" + "---:|" * len(sizes)]
    for title, unit, points in all_curves:
        at = {nodes: number(figure.median) for nodes, figure in points}
        lines.append(f"| {title} | {unit} | " + " | ".join(at.get(nodes, "") for nodes in sizes) + " |")
    return "\n".join(lines)


def thread_table(results):
    lines = ["| server | scenario | CPU per operation, µs | CPU seconds: coordinator and listener | loops |", "|---|---|---:|---:|---:|"]
    for server, scenario, seconds, each in thread_rows(results):
        lines.append(f"| {server} | {scenario} | {number(each)} | {seconds[0]:.3f} | {', '.join(f'{one:.3f}' for one in seconds[1:])} |")
    return "\n".join(lines)


def memory_table(results):
    nodes, parts = memory_parts(results)
    lines = [f"| the process's own, {nodes:,} nodes | KiB each |", "|---|---:|"]
    lines += [f"| {name} | {size:.1f} |" for name, size in parts] + [f"| sum | {sum(size for _, size in parts):.1f} |"]
    lines += [f"| *heap:* {name} | {size / 1024:.2f} |" for name, size in results.memory]
    return "\n".join(lines)


def markdown(results, where, plot_name=None):
    plan = results.plan
    load = where["load"]
    parts = [
        f"{where['date']}; {where['cpu']} (as the kernel has it), {where['cores']} cores, Linux {where['kernel']}, {where['compiler']}, {where['go']}. "
        f"Load {load[0]:.1f}, {load[1]:.1f}, {load[2]:.1f} over the last 1, 5, 15 minutes before. "
        f"Min / median / max of {plan.rounds} round{'s' if plan.rounds > 1 else ''}; ×: the rival's median over ours; CPU is the server's. Judged by medians.",
        table(main_rows(results)),
        "Cost against the number of nodes, medians" + (f" ([plot]({plot_name}))" if plot_name else "") + ":",
        scaling_table(results),
        f"CPU by thread, {plan.thousand:,} nodes, medians of the rounds. With one loop the server has one core to itself; with two it shares both with the generator:",
        thread_table(results),
    ]
    parts += ["Memory by part: what each step adds, nobody seeing anybody up to the last, medians; and what malloc has handed out "
              "(`memory_bench`); the rest are gaps in the heap, its pages' ends and logs:", memory_table(results)]
    parts += [f"All that was seen with {plan.rivals} nodes; * more is better:", table(detail_rows(results), judged=False)]
    noted = remarks(results)
    parts.append("Not as it should be: " + ("nothing." if not noted else "\n\n" + "\n".join(f"- {line}" for line in noted)))
    return "\n\n".join(parts) + "\n"


def as_data(results, where):
    def figure(one):
        return one and {"min": min(one.values), "median": one.median, "max": max(one.values), "runs": len(one.values)}
    def data(row):
        return {"measure": row.measure, "unit": row.unit, "ts2021d": figure(row.ours), "rivals": {name: figure(one) for name, one in row.rivals.items()},
                "target": row.target, "verdict": row.verdict}
    return {"machine": where, "table": [data(row) for row in main_rows(results)], "details": [data(row) for row in detail_rows(results)],
            "scaling": [{"title": title, "unit": unit, "points": [{"nodes": nodes, **figure(one)} for nodes, one in points]}
                        for title, unit, points in curves(results)],
            "threads": [{"server": server, "scenario": scenario, "cpu_s": seconds, "cpu_us_per_op": each}
                        for server, scenario, seconds, each in thread_rows(results)],
            "memory_parts": {"own_kib": dict(memory_parts(results)[1]), "heap_bytes": dict(results.memory)},
            "remarks": remarks(results), "handshake_ns": results.handshakes, "reports": results.reports}
