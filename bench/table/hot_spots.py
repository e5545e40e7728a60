# SPDX-License-Identifier: BSD-3-Clause
"""Where ts2021d's time goes, by perf: the shares of kernel and libraries, and its own symbols that take most."""

import argparse
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile

from main import NOBODY
from readme import put, write
from report import machine
from runs import CAPABILITY, cores, say
from servers import PLAIN_KEY, Ours

HOT = 5.0  # percent: what needs an explanation
SHOWN = 1.0
# What is above HOT without being ours to change, and one's own: (name, pattern of the object's file).
GROUPS = (("kernel", r"\[kernel|\[unknown\]|\[guest"), ("libcrypto: records", "libcrypto"), ("libsodium: X25519", "libsodium"),
          ("nghttp2", "nghttp2"), ("zstd", "zstd"), ("C and C++ libraries, vDSO", r"libc\.|libc-|libstdc|libm\.|libgcc|ld-linux|\[vdso\]"),
          ("ours", "ts2021d"))
# Each is the last scenario of a run and the only one of it that is watched.
SCENARIOS = (("join, each sees all", 1000, "join", ()),
             ("join without peers", 5000, "join", ("--apart", "--fold", "0")),
             ("change to all", 2000, "join,idle,fan-out", ("--rounds", "60")),
             ("storm without peers", 5000, "join,idle,storm", ("--apart", "--fold", "0")),
             ("storm, each sees all", 2000, "join,idle,storm", ()),
             ("full maps of 2,000", 2000, "join,idle,full-map", ("--samples", "1000")))


def watch(server_pid, command, scenario, data):
    """Runs a fleet with perf on the server while the scenario is under way."""
    perf = None
    with subprocess.Popen([*command, "--progress"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as fleet:
        for line in fleet.stderr:
            if perf is None and line.startswith(scenario + ":"):
                perf = subprocess.Popen(["perf", "record", "-q", "-F", "2999", "-p", str(server_pid), "-o", data],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if perf:
        perf.send_signal(signal.SIGINT)
        perf.wait()
    return fleet.returncode == 0 and perf is not None


def shares(data):
    """(object, symbol) → percent."""
    done = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--stdio", "-t", "\t", "-F", "overhead,dso,symbol"],
                          capture_output=True, text=True, check=True)
    out = collections.Counter()
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) >= 3 and re.fullmatch(r"[0-9.]+%", parts[0]):
            out[parts[1], re.sub(r"^\[.\] ", "", parts[2])] += float(parts[0][:-1])
    return out


def group_of(dso):
    return next((name for name, pattern in GROUPS if re.search(pattern, dso)), dso)


def short(symbol):
    """Without its arguments and the insides of its templates."""
    while (fewer := re.sub(r"<[^<>]*>", "", symbol)) != symbol:
        symbol = fewer
    symbol = symbol.replace("(anonymous namespace)::", "").split("(", 1)[0]
    return symbol.split("<", 1)[0].removeprefix("ts2021::")


def profile(options, nodes, scenarios, flags):
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "perf.data")
        server = Ours("ts2021d", options.ts2021d, *(("--policy", NOBODY) if "--apart" in flags else ()))
        with server.start(folder, cores()[0]) as running:
            command = ["taskset", "-c", str(cores()[1]), options.ts2021, "fleet", running.url, "--nodes", str(nodes), "--scenario", scenarios,
                       "--capability", CAPABILITY, "--auth-key", PLAIN_KEY, "--hold", "1", *flags]
            if not watch(running.pid, command, scenarios.split(",")[-1], data):
                raise SystemExit(f"{scenarios} of {nodes} nodes failed, or perf did")
        return shares(data)


def markdown(seen, where):
    lines = [f"{where['date']}; {where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, {where['compiler']}. Percent of the server's samples.", "",
             "| | " + " | ".join(title for title, _ in seen) + " |", "|---|" + "---:|" * len(seen)]
    for group, _ in GROUPS:
        parts = [sum(percent for (dso, _), percent in found.items() if group_of(dso) == group) for _, found in seen]
        lines.append(f"| {group} | " + " | ".join(f"{part:.1f}" for part in parts) + " |")
    lines += ["", f"Symbols of ours and of the C and C++ libraries that take {SHOWN:g} % and more:", ""]
    hot = []
    for title, found in seen:
        own = [(percent, short(symbol)) for (dso, symbol), percent in found.most_common() if group_of(dso) in ("ours", "C and C++ libraries, vDSO")]
        lines.append(f"- {title}: " + (", ".join(f"`{symbol}` {percent:.1f}" for percent, symbol in own if percent >= SHOWN) or "none"))
        hot += [f"`{symbol}` ({title})" for percent, symbol in own if percent >= HOT]
    lines += ["", f"Above {HOT:g} %: " + (", ".join(hot) if hot else "none") + "."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="sh bench/profile.sh", description=__doc__)
    parser.add_argument("--readme", metavar="FILE", help="puts what is printed between the two marks in there")
    parser.add_argument("--only", default="", help="scenarios that begin so")
    for name in ("ts2021d", "ts2021"):
        parser.add_argument("--" + name, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seen, where = [], machine()
    for title, nodes, scenarios, flags in SCENARIOS:
        if title.startswith(options.only):
            say(f"{title}, {nodes} nodes")
            seen.append((title, profile(options, nodes, scenarios, flags)))
    text = markdown(seen, where)
    print(text, end="")
    if options.readme:
        put(options.readme, "profile.sh", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
