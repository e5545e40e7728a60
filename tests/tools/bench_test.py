# SPDX-License-Identifier: BSD-3-Clause
"""The table of bench/table.sh: how it judges, and a small run of it: TS2021D TS2021 FOLDER"""

import collections
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SERVER, CLIENT, FOLDER = (os.path.abspath(path) for path in sys.argv[1:4])
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "libts2021", "rivals")
sys.path.insert(0, FOLDER)

from cases import BARE, HEADSCALE, OURS, TESTCONTROL, Plan  # noqa: E402
import hot_spots  # noqa: E402
from plot import svg  # noqa: E402
from readme import put  # noqa: E402
from report import as_data, markdown  # noqa: E402
from rows import Figure, Results, curves, main_rows, memory_parts, ours_is_good, remarks, rise  # noqa: E402

PLAN = Plan(True)
WHERE = {"date": "today", "cpu": "a CPU", "cores": 2, "kernel": "6", "compiler": "c++", "go": "go", "load": (0.1, 0.2, 0.3)}


def result(scenario, cpu=10.0, **more):
    return {"scenario": scenario, "n": 60, "done": 60, "errors": 0, "missing": 0, "surplus": 0, "mismatch": 0, "timed_out": False, "good": True,
            "seconds": 1.0, "ms": {}, "bytes": {}, "values": {}, "server_cpu_us_per_op": cpu, "server_cpu_s": cpu / 1e6,
            "server_anon_kib_each": cpu, "server_cpu_s_by_thread": [0.5, 0.25]} | more


def report(*results, good=True, **more):
    return {"good": good, "results": list(results)} | more


def row(results, begin):
    found = [one for one in main_rows(results) if one.measure.startswith(begin)]
    assert len(found) == 1, [one.measure for one in main_rows(results)]
    return found[0]


def changes(*costs):
    """Each size of the quick plan with a change of that cost."""
    return {f"grow {nodes}": {OURS: [report(result("idle", 5.0, done=nodes), result("fan-out", cost))]} for nodes, cost in zip(PLAN.sizes, costs)}


class Judgement(unittest.TestCase):
    def test_a_cost_is_judged_by_its_median(self):
        for costs, verdict in (((240, 249, 400), "reached"), ((240, 251, 252), "MISSED")):
            results = Results(PLAN, {"connect": {OURS: [report(result("connect", cost)) for cost in costs]}})
            self.assertEqual(row(results, "TCP").verdict, verdict)

    def test_what_was_not_measured_is_neither(self):
        self.assertEqual({one.verdict for one in main_rows(Results(PLAN, {})) if one.target}, {"not measured"})

    def test_the_responder_is_judged_against_go(self):
        handshakes = {"system responder": [150e3], "awslc responder": [90e3], "go_responder": [361e3]}
        results = Results(PLAN, {}, handshakes)
        self.assertEqual(row(results, "Noise responder, system crypto, first").verdict, "MISSED")
        self.assertEqual(row(results, "Noise responder, AWS-LC, first").verdict, "reached")

    def test_a_run_that_was_out_of_time_counts_for_nothing_but_a_remark(self):
        broken = report(result("register", 1.0, timed_out=True, good=False, missing=7), good=False, error="the time was up in register")
        results = Results(PLAN, {"register": {OURS: [report(result("register", 200.0))], HEADSCALE: [broken, report(result("register", 900.0))]}})
        join = row(results, "join: the same")
        self.assertEqual((join.verdict, join.rivals[HEADSCALE].values), ("reached", [900.0]))
        self.assertIn("headscale, register, round 1: the time was up in register; register: 7 missing", remarks(results))
        self.assertTrue(ours_is_good(results))

    def test_a_rival_that_never_came_to_its_end_is_left_out(self):
        results = Results(PLAN, {"register": {OURS: [report(result("register", 301.0))], TESTCONTROL: [report(good=False, error="it did not start")]}})
        self.assertEqual((row(results, "join: the same").verdict, row(results, "join: the same").rivals), ("MISSED", {}))
        self.assertIn("it did not start", markdown(results, WHERE))

    def test_our_own_mistakes_are_not_forgiven(self):
        self.assertFalse(ours_is_good(Results(PLAN, {"storm": {"ts2021d, nobody sees anybody": [report(good=False)]}})))

    def test_the_rise_is_that_of_the_worst_pair_of_sizes(self):
        points = [(nodes, Figure([cost])) for nodes, cost in ((100, 30.0), (1000, 10.0), (10000, 20.0))]
        self.assertEqual(rise(points), 2.0)
        self.assertIsNone(rise(points[:1]))

    def test_a_cost_that_grows_with_the_tailnet_is_missed(self):
        self.assertEqual(row(Results(PLAN, changes(9.0, 8.0, 8.5)), "cost against N: change").verdict, "reached")
        self.assertEqual(row(Results(PLAN, changes(2.0, 4.0, 8.0)), "cost against N: change").verdict, "MISSED")

    def test_all_nodes_must_stream(self):
        few = changes(1.0, 1.0, 1.0)
        self.assertEqual(row(Results(PLAN, few), "streaming nodes").verdict, "reached")
        few[f"grow {PLAN.sizes[-1]}"][OURS][0]["results"][0]["done"] -= 1
        self.assertEqual(row(Results(PLAN, few), "streaming nodes").verdict, "MISSED")

    def test_parts_of_the_memory_add_up(self):
        reports = {"parts": {"ts2021d, nobody sees anybody": [report(result("connect", 12.0), result("register", 15.0), result("idle", 16.0))]},
                   f"grow {PLAN.sizes[-2]}": {OURS: [report(result("idle", 20.0))]}}
        self.assertEqual([size for _, size in memory_parts(Results(PLAN, reports))[1]], [12.0, 3.0, 1.0, 4.0])


class Output(unittest.TestCase):
    def test_the_plot_is_xml_with_a_line_for_each_curve(self):
        results = Results(PLAN, changes(9.0, 8.0, 8.5))
        root = xml.etree.ElementTree.fromstring(svg(curves(results)))
        lines = root.findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual([len(line.get("points").split()) for line in lines], [3, 3])  # changes, and memory
        self.assertIsNone(svg(curves(Results(PLAN, {}))))

    def test_ratios_stand_beside_the_rivals(self):
        reports = {"connect": {OURS: [report(result("connect", 200.0))], BARE: [report(result("connect", each)) for each in (500.0, 600.0, 640.0)]}}
        self.assertIn("| µs | 200 | bare Go 500 / 600 / 640, ×3 | ≤ 250 µs | reached |", markdown(Results(PLAN, reports), WHERE))

    def test_each_script_writes_between_its_own_marks(self):
        text = "a\n<!-- from here on by {} --readme -->{}<!-- up to here -->\nz\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "README.md")
            with open(path, "w") as file:
                file.write(text.format("one.sh", "\nold\n") + text.format("two.sh", "\nother\n"))
            put(path, "one.sh", "new\n")
            with open(path) as file:
                self.assertEqual(file.read(), text.format("one.sh", "\n\nnew\n\n") + text.format("two.sh", "\nother\n"))
            with self.assertRaises(SystemExit):
                put(path, "three.sh", "new\n")

    def test_hot_is_what_takes_much_and_is_ours(self):
        found = {("[kernel.kallsyms]", "tcp_ack"): 40.0, ("libnghttp2.so.14", "0x1"): 20.5, ("ts2021d", "ts2021::h2::Out<std::pair<int, int> >::set(int)"): 5.5,
                 ("ts2021d", "ts2021::f()"): 2.0, ("libc.so.6", "memcpy"): 0.5}
        text = hot_spots.markdown([("storm", collections.Counter(found))], WHERE)
        for line in ("| kernel | 40.0 |", "| nghttp2 | 20.5 |", "| ours | 7.5 |", "- storm: `h2::Out::set` 5.5, `f` 2.0", "Above 5 %: `h2::Out::set` (storm)."):
            self.assertIn(line + "\n", text)

    def test_data_is_json(self):
        data = json.loads(json.dumps(as_data(Results(PLAN, changes(1.0, 2.0, 3.0)), WHERE)))
        self.assertEqual({one["verdict"] for one in data["table"]} & {"reached", "MISSED", "not measured"}, {"reached", "MISSED", "not measured"})


class SmallRun(unittest.TestCase):
    def test_ours_beside_a_rival(self):
        bare = glob.glob(os.path.join(CACHE, "bare-*"))
        if not bare:
            self.skipTest("sh bench/table.sh has not been here to build the rivals")
        with tempfile.TemporaryDirectory() as folder:
            data, text = os.path.join(folder, "data.json"), os.path.join(folder, "text.md")
            done = subprocess.run([sys.executable, "-B", os.path.join(FOLDER, "main.py"), "--ts2021d", SERVER, "--ts2021", CLIENT, "--bare", bare[0],
                                   "--quick", "--cases", "connect,threads", "--json", data, "--markdown", text],
                                  capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(text) as file:
                self.assertEqual(file.read(), done.stdout)
            with open(data) as file:
                told = json.load(file)
        connect = [one for one in told["table"] if one["measure"].startswith("TCP")][0]
        self.assertGreater(connect["ts2021d"]["median"], 0)
        self.assertGreater(connect["rivals"][BARE]["median"], 0)
        self.assertEqual([len(one["cpu_s"]) for one in told["threads"] if one["scenario"] == "join"], [2, 3])
        self.assertEqual(told["remarks"], [])


if __name__ == "__main__":
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[4:])
