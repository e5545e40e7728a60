# SPDX-License-Identifier: BSD-3-Clause
"""What is run: fleets against fresh servers in turn, each on a core of its own, and microbenchmarks beside Go's."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

CAPABILITY = "138"  # a version that all servers know


@dataclasses.dataclass(frozen=True)
class Case:
    """One comparison: a fleet against each of the servers, each of them fresh, in every round."""
    name: str
    nodes: int
    servers: tuple  # names
    scenario: str
    flags: tuple = ()
    rounds: int = 3
    limit: int = 120  # seconds of one run
    registered: int = 0  # nodes that another fleet has registered before


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def cores():
    """One for the server, one for the generator; the same where there is no other."""
    own = sorted(os.sched_getaffinity(0))
    return own[0], own[-1]


def run_fleet(fleet, running, nodes, scenario, flags, limit, folder):
    """Its report; one without results, and with an error, when there is none."""
    path = os.path.join(folder, "report.json")
    if os.path.exists(path):
        os.remove(path)
    command = ["taskset", "-c", str(cores()[1]), fleet, "fleet", running.url, "--nodes", str(nodes), "--scenario", scenario,
               "--capability", CAPABILITY, "--timeout", str(limit), "--server-pid", str(running.pid), "--json", path, *flags]
    if running.auth_key:
        command += ["--auth-key", running.auth_key]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit + 120)
        with open(path) as file:
            return json.load(file)
    except subprocess.TimeoutExpired:
        return {"good": False, "results": [], "error": "the fleet did not end in time"}
    except (OSError, ValueError):
        return {"good": False, "results": [], "error": (done.stderr or done.stdout)[-300:].strip()}


def run_once(case, server, fleet):
    folder = tempfile.mkdtemp()
    try:
        with server.start(folder, cores()[0]) as running:
            if case.registered:
                first = run_fleet(fleet, running, case.registered, "register", ("--seed", "7", "--in-flight", "64"), case.limit, folder)
                if not first["good"]:
                    return first
            return run_fleet(fleet, running, case.nodes, case.scenario, case.flags, case.limit, folder)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return {"good": False, "results": [], "error": str(error)}
    finally:
        shutil.rmtree(folder)


def summary(report):
    ends = []
    for result in report["results"]:
        faults = [f"{result[what]} {what}" for what in ("errors", "missing", "surplus", "mismatch") if result[what]]
        faults += ["out of time"] if result["timed_out"] else []
        ends.append(f"{result['scenario']} {result['done']}" + (f" ({', '.join(faults)})" if faults else ""))
    return "; ".join(ends + ([report["error"]] if report.get("error") else []))


def run_case(case, servers, fleet):
    """Reports by server, one a round; the order of the servers changes from round to round."""
    mine = [servers[name] for name in case.servers if name in servers]
    reports = {server.name: [] for server in mine}
    for turn in range(case.rounds):
        first = turn % len(mine)
        for server in mine[first:] + mine[:first]:
            begun = time.monotonic()
            report = run_once(case, server, fleet)
            reports[server.name].append(report)
            say(f"{case.name}, round {turn + 1}, {server.name}, {case.nodes} nodes, {time.monotonic() - begun:.0f} s: {summary(report)}")
    return reports


def run_handshakes(programs, rounds):
    """Nanoseconds of a responder, by name, one a round, in turns."""
    times = {}
    quick = ["--benchmark_filter=_?responder$", "--benchmark_repetitions=5"]
    commands = {"system": [programs["handshake_bench"], *quick], "awslc": [programs.get("awslc_handshake_bench"), *quick],
                "go": [programs.get("go_reference"), "handshake"]}
    for turn in range(rounds):
        for prefix, command in commands.items():
            if not command[0]:
                continue
            done = subprocess.run(["taskset", "-c", str(cores()[0]), *command], capture_output=True, text=True, timeout=300)
            for name, nanoseconds in re.findall(r"^best (\S+) +([0-9.]+)", done.stdout, re.MULTILINE):
                times.setdefault(name if prefix == "go" else f"{prefix} {name}", []).append(float(nanoseconds))
        say(f"handshakes, round {turn + 1}")
    return times


def run_memory(program):
    """Bytes of heap by part."""
    done = subprocess.run([program], capture_output=True, text=True, timeout=300)
    return [(part.strip(), float(size)) for part, size in re.findall(r"^ *(\S.*?) +(\d+) bytes$", done.stdout, re.MULTILINE)]
