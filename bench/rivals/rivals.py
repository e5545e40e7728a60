# SPDX-License-Identifier: BSD-3-Clause
"""Runs `ts2021 fleet` against control servers in turn, each fresh and on a core of its own, and compares what it measures."""

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from servers import Headscale, Ours, TestControl

OURS = "ts2021d"


def arguments():
    parser = argparse.ArgumentParser(prog="sh bench/rivals/run.sh", description=__doc__)
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="of all servers, each time in another order")
    parser.add_argument("--scenario", default="join,idle,fan-out,storm,full-map", help="of ts2021 fleet")
    parser.add_argument("--timeout", type=int, default=300, help="seconds of one run")
    parser.add_argument("--patience", type=int, default=60, help="as ts2021 fleet has it")
    parser.add_argument("--servers", default="testcontrol,headscale", help="the rivals, separated by commas")
    parser.add_argument("--json", help="file for all reports and the comparison")
    parser.add_argument("--capability", type=int, default=138, help="a version that all servers know")
    for name in ("ours", "fleet", "testcontrol", "headscale"):
        parser.add_argument("--" + name, help=argparse.SUPPRESS)
    return parser.parse_args()


def cores():
    """One for the server, one for the generator; the same where there is no other."""
    own = sorted(os.sched_getaffinity(0))
    return own[0], own[-1]


def measure(server, options, folder):
    """One fresh server, one fleet. The fleet's report, or why there is none."""
    server_core, fleet_core = cores()
    with server.start(folder, server_core) as running:
        report = os.path.join(folder, "report.json")
        command = ["taskset", "-c", str(fleet_core), options.fleet, "fleet", running.url, "--nodes", str(options.nodes),
                   "--scenario", options.scenario, "--hold", "5", "--timeout", str(options.timeout),
                   "--patience", str(options.patience), "--capability", str(options.capability),
                   "--server-pid", str(running.pid), "--json", report]
        if running.auth_key:
            command += ["--auth-key", running.auth_key]
        done = subprocess.run(command, capture_output=True, text=True, timeout=options.timeout + 120)
        try:
            with open(report) as file:
                return json.load(file)
        except (OSError, ValueError):
            return {"good": False, "results": [], "error": (done.stderr or done.stdout)[-500:]}


def measures(report):
    """Its numbers by name, those that are the smaller the better; `*` marks the others."""
    numbers = {}
    for result in report["results"]:
        scenario = result["scenario"]
        if result["timed_out"] or not result["done"]:
            continue
        if scenario in ("join", "storm"):
            numbers[f"{scenario}: per second *"] = result.get("per_second")
            numbers[f"{scenario}: seconds"] = result["seconds"]
        for name, of in result["ms"].items():
            for part in ("p50", "p99"):
                numbers[f"{scenario}: {name} {part}, ms"] = of[part]
        for name, of in result["bytes"].items():
            numbers[f"{scenario}: {name} p50, bytes"] = of["p50"]
        if scenario == "idle":
            numbers["idle: server RSS per node, KiB"] = result.get("server_rss_kib_each")
            numbers["idle: server CPU, %"] = result["values"].get("hold_cpu_percent")
        else:
            numbers[f"{scenario}: server CPU per operation, µs"] = result.get("server_cpu_us_per_op")
    return {name: number for name, number in numbers.items() if number is not None}


def compare(reports):
    """Per measure and server: min, median, max over the rounds, and the median over ours."""
    of = {server: [measures(report) for report in all] for server, all in reports.items()}
    names = []
    for all in of.values():
        for one in all:
            names += [name for name in one if name not in names]
    rows = []
    for name in names:
        row = {"measure": name, "servers": {}}
        for server, all in of.items():
            values = [one[name] for one in all if name in one]
            if values:
                row["servers"][server] = {"min": min(values), "median": statistics.median(values), "max": max(values),
                                          "runs": len(values)}
        ours = row["servers"].get(OURS)
        for server, theirs in row["servers"].items():
            if server != OURS and ours and ours["median"] > 0:
                theirs["ratio"] = theirs["median"] / ours["median"]
        rows.append(row)
    return rows


# Steps on the way, which --json has.
STEPS = ("tcp p", "upgrade_noise", "connected", "headers", "register", "post", "first_map p", "lite")


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def table(rows, servers):
    lines = ["| measure | " + " | ".join(servers) + " |", "|---|" + "---:|" * len(servers)]
    for row in rows:
        if any(f": {step}" in row["measure"] for step in STEPS) and row["measure"].endswith("ms"):
            continue
        cells = []
        for server in servers:
            one = row["servers"].get(server)
            cell = "–" if not one else " / ".join(number(one[part]) for part in ("min", "median", "max"))
            if one and "ratio" in one:
                cell += f" (×{number(one['ratio'])})"
            cells.append(cell)
        lines.append(f"| {row['measure']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {"cpu": models[0] if models else "unknown", "cores": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0], "date": datetime.date.today().isoformat()}


def main():
    options = arguments()
    servers = [Ours(OURS, options.ours)]
    if options.testcontrol:
        servers.append(TestControl("testcontrol", options.testcontrol))
    if options.headscale:
        servers.append(Headscale("headscale", options.headscale))
    where = machine()
    reports = {server.name: [] for server in servers}
    for turn in range(options.rounds):
        first = turn % len(servers)
        for server in servers[first:] + servers[:first]:
            folder = tempfile.mkdtemp()
            try:
                report = measure(server, options, folder)
            finally:
                shutil.rmtree(folder)
            reports[server.name].append(report)
            ends = [f"{result['scenario']}: {result['done']} done" + ("" if result["good"] else
                    f" (errors {result['errors']}, missing {result['missing']})") for result in report["results"]]
            print(f"round {turn + 1}, {server.name}: " + "; ".join(ends) + report.get("error", ""), file=sys.stderr)
    rows = compare(reports)
    print(f"{options.nodes} nodes, {options.rounds} rounds; {where['cpu']}, {where['cores']} cores, load {where['load']:.1f} at the "
          f"start, {where['date']}. min / median / max (median over ours); * more is better.\n")
    print(table(rows, [server.name for server in servers]))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": where, "options": {"nodes": options.nodes, "rounds": options.rounds},
                       "comparison": rows, "reports": reports}, file, indent=1)
    # A rival may break down under what it is asked; we may not.
    return 0 if all(report["good"] for report in reports[OURS]) and all(
        any(report["results"] for report in all) for all in reports.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
