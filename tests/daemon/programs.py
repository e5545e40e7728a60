# SPDX-License-Identifier: BSD-3-Clause
"""The programs under test; every test file is called with their paths: TS2021D TS2021 [unittest arguments]"""

import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

SERVER, CLIENT = sys.argv[1:3]


def main():
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[3:])


class Daemon:
    """ts2021d on a free port of the loopback, ended by its pid."""

    def __init__(self, *flags, key="test-key", descriptors=None, stderr=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        self.process = subprocess.Popen(
            [SERVER, "--listen", "127.0.0.1:0", "--auth-key", key, "--json", *flags],
            stdout=subprocess.PIPE, stderr=stderr or self.log, text=True, preexec_fn=limit if descriptors else None)
        line = self.process.stdout.readline()
        self.ready = json.loads(line) if line else None
        if self.ready:
            self.url = self.ready["url"]
            self.http_url = self.ready.get("http_url", self.url)
            self.port = urllib.parse.urlsplit(self.http_url).port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def get(self, path, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text, answer

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def noise_key(self):
        return json.loads(self.get("/key?v=138")[1])["publicKey"]

    def log_text(self):
        self.log.flush()
        with open(self.log.name) as log:
            return log.read()

    def wait_for_log(self, text, times=1):
        for _ in range(200):
            if self.log_text().count(text) >= times:
                return
            time.sleep(0.05)
        raise AssertionError(f"not {times} times in the log: {text}\n{self.log_text()}")


def run_client(*arguments, timeout=30):
    return subprocess.run([CLIENT, *arguments], capture_output=True, text=True, timeout=timeout)


def start_client(*arguments):
    return subprocess.Popen([CLIENT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def refusal(*flags):
    """What the server says on stderr when it does not start with these flags."""
    done = subprocess.run([SERVER, "--listen", "127.0.0.1:0", *flags], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and done.stdout == "", done
    return done.stderr
