# SPDX-License-Identifier: BSD-3-Clause
"""ts2021 fleet against ts2021d: every scenario, what it says of it, and servers that do not what they should."""

import http.client
import json
import os
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import xml.etree.ElementTree

from programs import CLIENT, Daemon, main

ALL = ["join", "idle", "fan-out", "churn", "roam", "storm", "full-map"]
NODES = 60


def fleet(daemon, *flags, nodes=NODES, key="test-key", timeout=120):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        done = subprocess.run(
            [CLIENT, "fleet", daemon.http_url, "--nodes", str(nodes), "--auth-key", key, "--settle", "0.3", "--json", path, *flags],
            capture_output=True, text=True, timeout=timeout)
        report = None
        if os.path.exists(path):
            with open(path) as file:
                report = json.load(file)
    return done, report


def put_faults(daemon, rules):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(daemon.ready["admin"]).netloc, timeout=10)
    connection.request("PUT", "/admin/faults", json.dumps(rules))
    status = connection.getresponse().status
    connection.close()
    assert status == 204, status


def results(report):
    return {result["scenario"]: result for result in report["results"]}


class Scenarios(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder, Daemon("--threads", "2") as daemon:
            plot = os.path.join(folder, "plot.svg")
            cls.done, cls.report = fleet(
                daemon, "--scenario", ",".join(ALL), "--hold", "1.5", "--rounds", "3", "--samples", "4", "--in-flight", "8",
                "--server-pid", str(daemon.process.pid), "--plot", plot, "--seed", "5")
            cls.svg = xml.etree.ElementTree.parse(plot).getroot() if os.path.exists(plot) else None
        cls.results = results(cls.report) if cls.report else {}

    def test_all_is_well(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
        self.assertEqual(self.done.stderr, "")
        self.assertTrue(self.report["good"])
        self.assertEqual(list(self.results), ALL)
        for result in self.results.values():
            self.assertEqual((result["errors"], result["missing"], result["surplus"], result["mismatch"]), (0, 0, 0, 0), result)
            self.assertFalse(result["timed_out"])
        self.assertEqual(self.report["streams_dropped_by_server"], 0)

    def test_join_is_seen_by_all(self):
        join = self.results["join"]
        self.assertEqual(join["done"], NODES)
        for step in ["tcp", "upgrade_noise", "register", "lite_update", "headers", "first_map", "total"]:
            self.assertEqual(join["ms"][step]["count"], NODES, step)
        # Every pair of which one was there before the other; those that come together need not tell each other.
        self.assertGreater(join["ms"]["visible"]["count"], NODES * (NODES - 1) // 2 * 0.5)
        self.assertLessEqual(join["ms"]["visible"]["count"], NODES * (NODES - 1))
        self.assertEqual(join["values"]["visible_to_all"], NODES)
        self.assertEqual(join["ms"]["visible"]["max"], join["ms"]["visible_last"]["max"])

    def test_percentiles_are_in_order(self):
        for result in self.results.values():
            for kind in ("ms", "bytes"):
                for name, values in result[kind].items():
                    ranks = [values[of] for of in ("min", "p50", "p90", "p99", "max")]
                    self.assertEqual(ranks, sorted(ranks), name)

    def test_fan_out_reaches_everybody(self):
        fan_out = self.results["fan-out"]
        self.assertEqual(fan_out["done"], 3 * (NODES - 1))
        self.assertEqual(len(fan_out["values"]["rounds"]), 3)
        for each in fan_out["values"]["rounds"]:
            self.assertEqual((each["peers_reached"], each["missing"]), (NODES - 1, 0))
            self.assertEqual(each["tcp_bytes"]["count"], NODES - 1)
            # The change as a frame, and what HTTP/2 and Noise need around it.
            self.assertGreater(each["tcp_bytes"]["p50"], each["frame_bytes"]["p50"])
            self.assertLess(each["tcp_bytes"]["p50"], each["frame_bytes"]["p50"] + 200)

    def test_changes_are_seen_while_many_come(self):
        roam, churn = self.results["roam"], self.results["churn"]
        self.assertGreaterEqual(roam["values"]["moves"], 10)
        self.assertEqual(roam["done"], roam["values"]["moves"] * (NODES - 1))
        self.assertEqual(roam["values"]["moves"], roam["values"]["moves_seen_by_all"])
        self.assertGreaterEqual(churn["values"]["leaves"], 3)
        self.assertEqual(churn["done"], churn["values"]["leaves"])
        self.assertGreater(churn["ms"]["back"]["count"], churn["done"] * (NODES - 8))

    def test_storm_brings_everybody_back(self):
        storm = self.results["storm"]
        self.assertEqual(storm["done"], NODES)
        self.assertEqual(storm["ms"]["served"]["count"], NODES)
        self.assertNotIn("register", storm["ms"])
        self.assertGreaterEqual(storm["ms"]["served"]["max"], storm["ms"]["connected"]["max"])

    def test_full_maps_have_everybody(self):
        full = self.results["full-map"]
        self.assertEqual(full["done"], 4)
        self.assertEqual(full["values"]["peers"], NODES - 1)
        self.assertGreater(full["bytes"]["first_map_json"]["min"], 200 * (NODES - 1))
        self.assertLess(full["bytes"]["first_map_wire"]["max"], full["bytes"]["first_map_json"]["min"])

    def test_costs_are_told(self):
        for result in self.results.values():
            self.assertGreater(result["server_after"]["rss_kib"], 1000)
            self.assertGreaterEqual(result["server_cpu_s"], 0)
            self.assertGreater(result["client_cpu_s"], 0)
        self.assertGreater(self.results["join"]["server_cpu_us_per_op"], 50)
        self.assertLess(self.results["idle"]["values"]["hold_cpu_percent"], 20)

    def test_equal_bytes_are_decoded_once_and_a_sample_is_folded(self):
        messages, fold = self.report["messages"], self.report["fold"]
        self.assertLess(messages["decoded"], messages["received"] / 2)
        self.assertEqual(fold["nodes"], 8)
        self.assertGreater(fold["messages"], 8 * 10)
        self.assertEqual(fold["harmful"], 0, fold)

    def test_plot_is_xml_with_a_panel_for_each_scenario_that_times(self):
        self.assertEqual(self.svg.tag, "{http://www.w3.org/2000/svg}svg")
        texts = [element.text for element in self.svg.iter("{http://www.w3.org/2000/svg}text")]
        for name in ALL:
            if name != "idle":
                self.assertIn(f"{name}, {NODES} nodes", texts)
        self.assertIn("100 %", texts)

    def test_text_says_the_same(self):
        self.assertIn(f"join: {NODES} done", self.done.stdout)
        self.assertIn("8 nodes folded", self.done.stdout)


class BeforeJoin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Daemon("--threads", "2") as daemon:
            cls.done, cls.report = fleet(daemon, "--scenario", "connect,register,idle", "--hold", "0.5",
                                         "--server-pid", str(daemon.process.pid))
        cls.results = results(cls.report) if cls.report else {}

    def test_join_comes_behind_those_that_need_no_stream(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
        self.assertEqual(list(self.results), ["connect", "register", "join", "idle"])

    def test_connect_ends_with_http2(self):
        connect = self.results["connect"]
        self.assertEqual((connect["done"], connect["missing"]), (NODES, 0))
        self.assertEqual(set(connect["ms"]), {"tcp", "upgrade_noise", "total"})
        self.assertEqual(connect["ms"]["total"]["count"], NODES)

    def test_register_opens_no_stream(self):
        register = self.results["register"]
        self.assertEqual(register["done"], NODES)
        self.assertEqual(set(register["ms"]), {"tcp", "upgrade_noise", "register", "total"})

    def test_all_join_afterwards(self):
        self.assertEqual(self.results["join"]["done"], NODES)
        self.assertEqual(self.results["join"]["values"]["visible_to_all"], NODES)

    def test_threads_are_told_apart(self):
        for result in self.results.values():
            threads = result["server_cpu_s_by_thread"]
            self.assertGreaterEqual(len(threads), 3)  # the coordinator's and two of connections
            self.assertAlmostEqual(sum(threads), result["server_cpu_s"], delta=0.02)
        for busy in self.results["connect"]["server_cpu_s_by_thread"][1:3]:
            self.assertGreater(busy, 0)

    def test_alone(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "connect", nodes=5)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(list(results(report)), ["connect"])

    def test_who_is_refused_is_missing(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "register", nodes=4, key="wrong-key")
        self.assertEqual(done.returncode, 3)
        register = report["results"][0]
        self.assertEqual((register["done"], register["missing"], register["errors"]), (0, 4, 12), register)


class Apart(unittest.TestCase):
    def run_apart(self, *flags):
        with Daemon(*flags) as daemon:
            return fleet(daemon, "--scenario", "join,storm,full-map", "--samples", "2", "--apart", nodes=20)

    def test_nobody_sees_anybody_and_nothing_is_waited_for(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = os.path.join(folder, "policy.json")
            with open(policy, "w") as file:
                file.write('{"acls": []}')
            done, report = self.run_apart("--policy", policy)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(results(report)["full-map"]["values"]["peers"], 0)

    def test_who_is_listed_is_surplus(self):
        done, report = self.run_apart()
        self.assertEqual(done.returncode, 3)
        self.assertEqual(results(report)["storm"]["surplus"], 20 * 19)


class Flags(unittest.TestCase):
    def test_json_on_standard_output_is_alone_there(self):
        with Daemon() as daemon:
            done = subprocess.run(
                [CLIENT, "fleet", daemon.url, "--nodes", "3", "--auth-key", "test-key", "--scenario", "join", "--settle", "0.1",
                 "--json", "-", "--compress", "none", "--progress"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual(report["results"][0]["done"], 3)
        self.assertEqual(report["results"][0]["bytes"]["first_map_wire"]["max"] - 4 - report["results"][0]["bytes"]["first_map_json"]["max"], 0)
        self.assertIn("join: streaming", done.stderr)

    def test_the_same_seed_is_the_same_nodes(self):
        with Daemon() as daemon:
            def peers(seed):
                done, report = fleet(daemon, "--scenario", "full-map", "--samples", "1", "--seed", str(seed), nodes=10)
                self.assertEqual(done.returncode, 0, done.stdout)
                return report["results"][1]["bytes"]["first_map_json"]["max"]
            first, again, others = peers(3), peers(3), peers(4)
            self.assertLess(abs(first - again), first / 5)
            self.assertGreater(others, first * 1.5)

    def test_rate_spreads_joins(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "join", "--rate", "20", nodes=20)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertGreater(report["results"][0]["seconds"], 0.8)

    def test_omit_peers_and_another_version(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "join,storm", "--omit-peers", "--capability", "90", nodes=10)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(report["results"][1]["values"]["omit_peers"], 1)

    def test_what_it_cannot_do_is_said(self):
        for flags, text in [(["http://127.0.0.1:1"], "ts2021: "), (["https://127.0.0.1:1"], "http:// only"),
                            (["http://127.0.0.1:1", "--scenario", "dance"], "no such scenario: dance")]:
            done = subprocess.run([CLIENT, "fleet", *flags], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(text, done.stderr)

    def test_time_is_up(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "join,idle,fan-out", "--hold", "30", "--timeout", "2", nodes=5)
        self.assertEqual(done.returncode, 4)
        self.assertEqual(report["error"], "the time was up in idle")
        self.assertTrue(report["results"][1]["timed_out"])
        self.assertEqual(len(report["results"]), 2)

    def test_it_leaves_nothing_behind(self):
        with Daemon() as daemon:
            done, _ = fleet(daemon, "--scenario", "join,storm", nodes=20)
            self.assertEqual(done.returncode, 0)
            with open("/proc/net/tcp") as file:
                port = f":{daemon.port:04X}"
                time_wait = [line for line in file if line.split()[2].endswith(port) and line.split()[3] == "06"]
            self.assertLessEqual(len(time_wait), 1)  # that of GET /key


class BadServers(unittest.TestCase):
    def with_faults_after(self, scenario, rules, *flags):
        """The rules come into force while the fleet idles, before the scenario."""
        with tempfile.TemporaryDirectory() as folder, Daemon("--admin", "127.0.0.1:0") as daemon:
            path = os.path.join(folder, "report.json")
            process = subprocess.Popen(
                [CLIENT, "fleet", daemon.url, "--nodes", "12", "--auth-key", "test-key", "--scenario", "join,idle," + scenario,
                 "--hold", "2.5", "--settle", "0.3", "--progress", "--json", path, *flags],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for line in process.stderr:
                if line.startswith("idle: "):
                    break
            put_faults(daemon, rules)
            process.communicate(timeout=60)
            with open(path) as file:
                return process.returncode, json.load(file)

    def test_a_change_that_never_comes_is_missing(self):
        code, report = self.with_faults_after(
            "fan-out", [{"layer": "api", "fault": "drop", "on": "frame", "count": 3}], "--rounds", "1", "--patience", "2")
        self.assertEqual(code, 3)
        fan_out = results(report)["fan-out"]
        self.assertEqual((fan_out["missing"], fan_out["done"], fan_out["errors"]), (3, 8, 0), fan_out)
        self.assertEqual(fan_out["values"]["rounds"][0]["missing"], 3)
        self.assertEqual(len(fan_out["missing_examples"]), 3)
        self.assertRegex(fan_out["missing_examples"][0], r"^node \d+ has not heard of node \d+$")
        self.assertFalse(report["good"])

    def test_a_slow_change_is_timed(self):
        code, report = self.with_faults_after(
            "fan-out", [{"layer": "api", "fault": "delay", "on": "frame", "delay": "700ms", "count": 0, "every": 1}], "--rounds", "1")
        self.assertEqual(code, 0)
        self.assertGreaterEqual(results(report)["fan-out"]["ms"]["delta"]["min"], 700)
        self.assertLess(results(report)["fan-out"]["ms"]["delta"]["min"], 2000)

    def test_a_peer_that_is_taken_away_is_missing(self):
        code, report = self.with_faults_after(
            "fan-out", [{"layer": "api", "fault": "contradiction", "count": 3}], "--rounds", "1", "--patience", "2")
        self.assertEqual(code, 3)
        fan_out = results(report)["fan-out"]
        self.assertEqual((fan_out["done"], fan_out["missing"], fan_out["values"]["peers_missing"]), (11, 3, 3), fan_out)

    def test_a_message_that_is_no_zstd_is_an_error(self):
        code, report = self.with_faults_after("fan-out", [{"layer": "map", "fault": "bad-zstd"}], "--rounds", "1")
        self.assertEqual(code, 3)
        self.assertEqual(len(results(report)["fan-out"]["error_messages"]), 1)
        self.assertIn("message: ", list(results(report)["fan-out"]["error_messages"])[0])

    def test_a_reset_in_the_storm_is_tried_again(self):
        code, report = self.with_faults_after("storm", [{"layer": "tcp", "fault": "reset", "count": 4, "every": 1}])
        self.assertEqual(code, 3)
        storm = results(report)["storm"]
        self.assertEqual((storm["done"], storm["missing"], storm["errors"]), (12, 0, 4), storm)
        self.assertEqual(storm["values"]["retries"], 4)

    def test_a_stream_that_the_server_ends_is_counted_and_opened_again(self):
        code, report = self.with_faults_after("fan-out", [{"layer": "map", "fault": "length-zero"}], "--rounds", "2")
        self.assertEqual(code, 3)
        self.assertEqual(report["streams_dropped_by_server"], 1, report)
        self.assertEqual(results(report)["fan-out"]["missing"], 0)

    def test_who_is_refused_is_counted_by_the_servers_words(self):
        with Daemon() as daemon:
            done, report = fleet(daemon, "--scenario", "join", nodes=4, key="wrong-key")
        self.assertEqual(done.returncode, 3)
        join = report["results"][0]
        self.assertEqual((join["done"], join["error_messages"]), (0, {"register: invalid auth key": 12}))


if __name__ == "__main__":
    main()
