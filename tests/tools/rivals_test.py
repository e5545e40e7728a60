# SPDX-License-Identifier: BSD-3-Clause
"""bench/rivals/run.sh at its smallest, against the official test server: TS2021D TS2021 SCRIPT"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SERVER, CLIENT, SCRIPT = (os.path.abspath(path) for path in sys.argv[1:4])
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "libts2021", "rivals")


class Rivals(unittest.TestCase):
    def test_smoke(self):
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.json")
            done = subprocess.run(["sh", SCRIPT, "--bin", os.path.dirname(SERVER), "--nodes", "20", "--rounds", "1",
                                   "--servers", "testcontrol", "--scenario", "join,fan-out", "--json", report],
                                  capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("| join: per second * |", done.stdout)
            with open(report) as file:
                told = json.load(file)
        self.assertEqual({name: len(all) for name, all in told["reports"].items()}, {"ts2021d": 1, "testcontrol": 1})
        self.assertTrue(told["reports"]["ts2021d"][0]["good"])
        rows = {row["measure"]: row["servers"] for row in told["comparison"]}
        for measure in ("join: per second *", "fan-out: delta p50, ms", "fan-out: server CPU per operation, µs"):
            self.assertGreaterEqual(rows[measure]["testcontrol"]["median"], 0, measure)
            self.assertEqual(rows[measure]["ts2021d"]["runs"], 1)
        self.assertGreater(rows["join: per second *"]["testcontrol"]["ratio"], 0)


if __name__ == "__main__":
    if not shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin"):
        print("skipped: it needs Go")
        sys.exit(77)
    if not glob.glob(os.path.join(CACHE, "testcontrol-*")):
        print("skipped: sh bench/rivals/run.sh has not been here to build the servers")
        sys.exit(77)
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[4:])
