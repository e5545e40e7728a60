# SPDX-License-Identifier: BSD-3-Clause
"""How each control server is started, on free ports of the loopback, and ended, by its pid."""

import json
import os
import socket
import sqlite3
import subprocess
import time
import urllib.request

PLAIN_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef"

CONFIG = """\
server_url: http://127.0.0.1:{port}
listen_addr: 127.0.0.1:{port}
metrics_listen_addr: 127.0.0.1:{metrics}
grpc_listen_addr: 127.0.0.1:{grpc}
noise:
  private_key_path: {folder}/noise_private.key
prefixes:
  v4: 100.64.0.0/10
  v6: fd7a:115c:a1e0::/48
derp:
  server:
    enabled: false
  urls: []
  paths: [{folder}/derp.yaml]
  auto_update_enabled: false
disable_check_updates: true
database:
  type: sqlite
  sqlite:
    path: {folder}/db.sqlite
    write_ahead_log: true
log:
  level: error
dns:
  magic_dns: true
  base_domain: rivals.test
  override_local_dns: false
unix_socket: {folder}/socket
logtail:
  enabled: false
"""
DERP = """\
regions:
  900:
    regionid: 900
    regioncode: test
    regionname: Test
    nodes:
      - {name: 900a, regionid: 900, hostname: derp.invalid, ipv4: 127.0.0.1}
"""


class Running:
    """A process that is ended at the end of `with`."""

    def __init__(self, process, url, auth_key):
        self.process, self.pid, self.url, self.auth_key = process, process.pid, url, auth_key

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start(command, core, **more):
    # taskset becomes the program: the pid is the server's.
    return subprocess.Popen(["taskset", "-c", str(core), *command], text=True, stderr=subprocess.DEVNULL, **more)


class Server:
    def __init__(self, name, program):
        self.name, self.program = name, program


class Announced(Server):
    """Prints one line of JSON when it is ready."""

    def __init__(self, name, program, flags=()):
        super().__init__(name, program)
        self.flags = flags

    def start(self, folder, core):
        process = start([self.program, *self.flags], core, stdout=subprocess.PIPE)
        line = process.stdout.readline()
        if not line:
            process.wait()
            process.stdout.close()
            raise RuntimeError(f"{self.name} did not start")
        ready = json.loads(line)
        return Running(process, ready["url"], ready["auth_key"])


class Ours(Announced):
    def __init__(self, name, program, *flags):
        super().__init__(name, program, ("--listen", "127.0.0.1:0", "--auth-key", PLAIN_KEY, "--json", *flags))


class OursOnAllCores(Ours):
    """For more threads than one, beside the generator."""

    def start(self, folder, core):
        return super().start(folder, ",".join(map(str, sorted(os.sched_getaffinity(0)))))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Headscale(Server):
    """With SQLite and an auth key of the old kind, in plain text: a new one costs a bcrypt at every join."""

    def start(self, folder, core):
        port, metrics, grpc = free_ports(3)
        config = os.path.join(folder, "config.yaml")
        with open(config, "w") as file:
            file.write(CONFIG.format(port=port, metrics=metrics, grpc=grpc, folder=folder))
        with open(os.path.join(folder, "derp.yaml"), "w") as file:
            file.write(DERP)
        with self.serve(config, core, port):
            for words in (["users", "create", "fleet"], ["preauthkeys", "create", "--user", "1", "--reusable", "--expiration", "24h"]):
                subprocess.run([self.program, "--config", config, *words], check=True, capture_output=True, timeout=60)
        # Once it has ended, so that it reads it at its start.
        with sqlite3.connect(os.path.join(folder, "db.sqlite")) as database:
            database.execute("UPDATE pre_auth_keys SET key = ?, prefix = NULL, hash = NULL", (PLAIN_KEY,))
        database.close()
        return self.serve(config, core, port)

    def serve(self, config, core, port):
        url = f"http://127.0.0.1:{port}"
        running = Running(start([self.program, "--config", config, "serve"], core, stdout=subprocess.DEVNULL), url, PLAIN_KEY)
        for _ in range(600):
            try:
                urllib.request.urlopen(url + "/health", timeout=1).close()
                return running
            except OSError:
                if running.process.poll() is not None:
                    break
                time.sleep(0.1)
        running.__exit__()
        raise RuntimeError("headscale did not start")
