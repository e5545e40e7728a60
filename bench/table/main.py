# SPDX-License-Identifier: BSD-3-Clause
"""Measures ts2021d beside its rivals and prints the table of what is to be reached."""

import argparse
import json
import os
import sys

from cases import APART, BARE, HEADSCALE, ONE, OURS, TESTCONTROL, TWO, Plan
from plot import svg
from readme import put, write
from report import as_data, machine, markdown
from rows import Results, curves, ours_is_good
from runs import run_case, run_handshakes, run_memory
from servers import Announced, Headscale, Ours, OursOnAllCores

NOBODY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nobody.json")
PROGRAMS = ("ts2021d", "ts2021", "handshake_bench", "memory_bench", "awslc_handshake_bench", "go_reference", "bare", "testcontrol", "headscale")


def arguments():
    parser = argparse.ArgumentParser(prog="sh bench/table.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few nodes, one round: to try it out, its figures mean nothing")
    parser.add_argument("--rounds", type=int, help="of each case, with the servers in another order each time; 3, or 1 with --quick")
    parser.add_argument("--cases", help="only those whose names begin so, separated by commas")
    parser.add_argument("--json", metavar="FILE", help="the rows and all reports")
    parser.add_argument("--markdown", metavar="FILE", help="what is printed")
    parser.add_argument("--readme", metavar="FILE", help="puts what is printed between the two marks in there, and the plot beside it")
    parser.add_argument("--plot", metavar="FILE", help="cost against the number of nodes, as SVG")
    for name in PROGRAMS:
        parser.add_argument("--" + name.replace("_", "-"), help=argparse.SUPPRESS)
    return parser.parse_args()


def known_servers(options):
    ours = options.ts2021d
    servers = [Ours(OURS, ours), Ours(APART, ours, "--policy", NOBODY), Ours(ONE, ours, "--threads", "1"), OursOnAllCores(TWO, ours, "--threads", "2")]
    servers += [Announced(name, program) for name, program in ((BARE, options.bare), (TESTCONTROL, options.testcontrol)) if program]
    if options.headscale:
        servers.append(Headscale(HEADSCALE, options.headscale))
    return {server.name: server for server in servers}


def main():
    options = arguments()
    if options.readme and not options.plot:
        options.plot = os.path.join(os.path.dirname(options.readme), "scaling.svg")
    wanted = options.cases.split(",") if options.cases else [""]
    plan, servers, where = Plan(options.quick, options.rounds), known_servers(options), machine()
    handshakes, memory = {}, []
    if any("handshakes".startswith(name) for name in wanted):
        handshakes = run_handshakes({name: getattr(options, name) for name in PROGRAMS}, plan.rounds)
    if any("parts".startswith(name) for name in wanted) and options.memory_bench:
        memory = run_memory(options.memory_bench)
    reports = {}
    for case in plan.cases():
        if any(case.name.startswith(name) for name in wanted) and any(name in servers for name in case.servers):
            reports[case.name] = run_case(case, servers, options.ts2021)
    results = Results(plan, reports, handshakes, memory)
    text = markdown(results, where, os.path.basename(options.plot) if options.plot else None)
    print(text, end="")
    write(options.markdown, text)
    if options.readme:
        put(options.readme, "table.sh", text)
    write(options.plot, svg(curves(results)))
    write(options.json, json.dumps(as_data(results, where), indent=1) + "\n")
    # A rival may break down under what it is asked, and a target may be missed; we may not do wrong.
    return 0 if ours_is_good(results) else 1


if __name__ == "__main__":
    sys.exit(main())
