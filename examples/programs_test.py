# SPDX-License-Identifier: BSD-3-Clause
"""The examples that need another program: TS2021D TS2021 FOLDER-OF-THE-EXAMPLES [unittest arguments]"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

SERVER, CLIENT, EXAMPLES = (os.path.abspath(path) for path in sys.argv[1:4])
KEY = "tskey-test"


class Program:
    """One that prints lines and runs until it is ended, by its pid."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"it ended: {self.process.communicate()[1]}")
        return line.rstrip("\n")

    def wait_for(self, text):
        while self.line() != text:
            pass


def blocking_server(*arguments):
    return Program(os.path.join(EXAMPLES, "blocking_server"), KEY, *arguments)


def client(url, key=KEY):
    host, port = url.removeprefix("http://").split(":")
    return Program(os.path.join(EXAMPLES, "client"), host, port, key)


def map_of(url, *flags):
    return subprocess.run([CLIENT, "map", url, "--auth-key", KEY, *flags], capture_output=True, text=True, timeout=30)


class Examples(unittest.TestCase):
    def two_clients(self, url, suffix):
        with client(url) as first:
            first.wait_for("0 peers")
            with client(url) as second:
                second.wait_for("1 peers")
                self.assertEqual(second.line(), "client." + suffix)
                first.wait_for("1 peers")
                self.assertEqual(first.line(), "client-1." + suffix)

    def test_client_with_ts2021d(self):
        with Program(SERVER, "--listen", "127.0.0.1:0", "--auth-key", KEY, "--json") as server:
            self.two_clients(json.loads(server.line())["url"], "ts2021.test.")

    def test_client_with_blocking_server(self):
        with blocking_server() as server:
            self.two_clients(server.line(), "ts2021.test.")

    def test_client_is_refused(self):
        with blocking_server() as server:
            with client(server.line(), key="wrong") as refused:
                self.assertEqual(refused.process.stderr.readline(), "refused: invalid auth key\n")

    def test_client_without_a_server(self):
        done = subprocess.run([os.path.join(EXAMPLES, "client"), "127.0.0.1", "1", KEY], capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 1)

    def test_blocking_server_with_ts2021_map(self):
        with blocking_server() as server, Program(CLIENT, "map", (url := server.line()), "--auth-key", KEY,
                                                  "--hostname", "one") as one:
            one.line()
            two = map_of(url, "--hostname", "two", "--peers", "1")
            self.assertEqual(two.returncode, 0, two.stderr)
            self.assertIn("one.ts2021.test.", two.stdout)
            while "two.ts2021.test." not in one.line():
                pass

    def test_blocking_server_remembers(self):
        with tempfile.TemporaryDirectory() as folder:
            flags = ("--state", os.path.join(folder, "state"), "--seconds", "1")
            told = []
            for _ in range(2):
                with blocking_server("0", os.path.join(folder, "records")) as server:
                    done = map_of(server.line(), *flags)
                    self.assertIn("self ", done.stdout, done.stderr)
                    told.append(next(line for line in done.stdout.splitlines() if line.startswith("self ")))
            # Its id and its addresses.
            self.assertEqual(told[0].split()[:5], told[1].split()[:5])


if __name__ == "__main__":
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[4:])
