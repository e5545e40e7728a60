# SPDX-License-Identifier: BSD-3-Clause
"""Flags of ts2021d that say how the tailnet is: what each refuses, and what nodes see of it."""

import datetime
import json
import os
import re
import signal
import tempfile
import time
import unittest

from programs import Daemon, main, refusal, run_client, start_client

RELAYS = {"Regions": {"7": {"RegionID": 7, "RegionCode": "t", "RegionName": "Test",
                            "Nodes": [{"Name": "7a", "RegionID": 7, "HostName": "relay.test", "IPv4": "192.0.2.7"}]}}}


class Node:
    """ts2021 map --json: whole messages as they come."""

    def __init__(self, daemon, *flags, key="test-key"):
        self.seen = set()
        self.process = start_client("map", daemon.http_url, "--auth-key", key, "--raw", "--seconds", "20", *flags)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def next(self, wanted=None):
        """The next message, or the next that has this member."""
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("the map has ended: " + self.process.stderr.read())
            message = json.loads(line)
            self.seen.update(peer["ID"] for peer in message.get("Peers") or message.get("PeersChanged") or [])
            self.seen.difference_update(message.get("PeersRemoved") or [])
            if wanted is None or wanted in message:
                return message

    def peers(self, wanted):
        """Reads until the set of peers' ids is as wanted."""
        while not wanted(self.seen):
            self.next()
        return set(self.seen)


def first_map(daemon, *flags, **more):
    with Node(daemon, *flags, **more) as node:
        return node.next()


def join(daemon, key, *flags):
    return run_client("map", daemon.http_url, "--auth-key", key, "--seconds", "1", *flags)


class Refused(unittest.TestCase):
    def test_values_that_make_no_sense(self):
        cases = {
            "--auth-key": ["", 'a"b', "a b", ",ephemeral", "k,", "k,nonsense", "k,tag:", "k,tag:1x", "k,tag:a b", "k,user=nobody", "k,expires=",
                           "k,expires=1", "k,expires=1w", "k,expires=0s", "k,expires=-5m", "k,expires=99999999999999999999d", "k,expires=3651d",
                           257 * "k"],
            "--owner": ["alice", "@b", "a@", "a@b@c", 'a"@b', "a b@c"],
            "--key-lifetime": ["", "12", "h", "12 h", "1.5h"],
            "--base-domain": ["", ".a", "a.", "a..b", "Upper.Case", "a b"],
            "--derp-map": ["/does/not/exist"],
            "--dns-resolver": ["", "dns.example", "300.1.1.1", "http://192.0.2.1", "https://", 'https://a"b', "1.1.1.1:99999"],
            "--dns-route": ["", "corp.example", "=192.0.2.1", "corp.example=nothing", "corp.example=192.0.2.1;192.0.2.2"],
            "--dns-record": ["", "a.example", "a.example=", "a.example=b.example", "=192.0.2.1"],
            "--dns-search": ["", ".example"],
            "--client-version": ["", "1..2"],
        }
        for flag, values in cases.items():
            for value in values:
                with self.subTest(flag=flag, value=value):
                    self.assertIn(flag, refusal(flag + "=" + value))

    def test_an_auth_key_is_not_repeated_where_it_is_refused(self):
        self.assertNotIn("verysecret", refusal("--auth-key", "verysecret key"))

    def test_a_flag_takes_one_value_at_a_time(self):
        self.assertIn("other", refusal("--auth-key", "one", "other"))
        for flag in ("--owner", "--base-domain", "--key-lifetime"):
            value = {"--owner": "a@b", "--base-domain": "a.b", "--key-lifetime": "1h"}[flag]
            self.assertIn(flag, refusal(flag, value, flag, value))


class AuthKeys(unittest.TestCase):
    def test_each_key_has_attributes_of_its_own(self):
        keys = ("short-lived,ephemeral", "once,single-use", "servers,tag:web,tag:db", "bobs,user=bob@example.com", "late,expires=1s")
        with Daemon(*(part for key in keys for part in ("--auth-key", key)), "--owner", "alice@example.com") as daemon:
            self.assertEqual(daemon.ready["auth_key"], "test-key")
            self.assertIn("registered as alice@example.com", join(daemon, "test-key").stdout)
            self.assertIn("registered as alice@example.com", join(daemon, "test-key").stdout)
            self.assertIn("registered as bob@example.com", join(daemon, "bobs").stdout)
            self.assertEqual(first_map(daemon, key="servers")["Node"]["Tags"], ["tag:db", "tag:web"])
            self.assertNotIn("Tags", first_map(daemon)["Node"])
            self.assertEqual(join(daemon, "once").returncode, 0)
            self.assertEqual(join(daemon, "once").returncode, 3)
            time.sleep(1)
            self.assertEqual(join(daemon, "late").returncode, 3)
            self.assertEqual(join(daemon, "short-lived").returncode, 0)

    def test_key_lifetime(self):
        with Daemon("--key-lifetime", "12h") as daemon:
            expiry = datetime.datetime.fromisoformat(first_map(daemon)["Node"]["KeyExpiry"].replace("Z", "+00:00"))
            left = expiry - datetime.datetime.now(datetime.timezone.utc)
            self.assertLess(abs(left - datetime.timedelta(hours=12)), datetime.timedelta(minutes=2))
        with Daemon() as daemon:
            self.assertTrue(first_map(daemon)["Node"].get("KeyExpiry", "0001").startswith("0001"))


class Approval(unittest.TestCase):
    def test_new_nodes_wait_unless_their_key_says_otherwise(self):
        with Daemon("--require-approval", "--auth-key", "stranger,needs-approval") as daemon, Node(daemon) as known:
            self.assertTrue(known.next("Node")["Node"]["MachineAuthorized"])
            with Node(daemon, key="stranger") as stranger:
                message = stranger.next("Node")
                self.assertFalse(message["Node"].get("MachineAuthorized", False))
                self.assertFalse(message.get("Peers"))
        with Daemon("--auth-key", "stranger,needs-approval") as daemon:
            self.assertTrue(first_map(daemon, key="stranger")["Node"]["MachineAuthorized"])


class Login(unittest.TestCase):
    def test_nodes_without_a_key_are_sent_to_the_page(self):
        with Daemon("--login-page", "--public-url", "https://control.test:444/") as daemon:
            done = run_client("map", daemon.http_url, "--seconds", "1")
            self.assertRegex(done.stderr, r"log in at https://control\.test:444/a/[^/\s]+\n")
        with Daemon() as daemon:
            self.assertNotIn("log in at", run_client("map", daemon.http_url, "--seconds", "1").stderr)


class Dns(unittest.TestCase):
    def test_without_flags(self):
        with Daemon("--base-domain", "tail.example") as daemon:
            message = first_map(daemon, "--hostname", "one")
            self.assertEqual(message["Node"]["Name"], "one.tail.example.")
            dns = message["DNSConfig"]
            self.assertEqual((dns["Domains"], dns["Proxied"], dns.get("Resolvers")), (["tail.example"], True, None))

    def test_every_flag(self):
        with Daemon("--base-domain", "tail.example", "--dns-resolver", "192.0.2.53", "--dns-resolver", "https://dns.example/q",
                    "--dns-route", "corp.example=192.0.2.1,[2001:db8::1]:5353", "--dns-route", "lab.example=",
                    "--dns-record", "printer.tail.example=192.0.2.9", "--dns-record", "v6.tail.example=2001:db8::9",
                    "--dns-search", "corp.example", "--dns-certificates") as daemon:
            dns = first_map(daemon, "--hostname", "one")["DNSConfig"]
            self.assertEqual(dns["Resolvers"], [{"Addr": "192.0.2.53"}, {"Addr": "https://dns.example/q"}])
            self.assertEqual(dns["Routes"]["corp.example"], [{"Addr": "192.0.2.1"}, {"Addr": "[2001:db8::1]:5353"}])
            self.assertFalse(dns["Routes"]["lab.example"])
            self.assertEqual([(r["Name"], r["Value"]) for r in dns["ExtraRecords"]],
                             [("printer.tail.example", "192.0.2.9"), ("v6.tail.example", "2001:db8::9")])
            self.assertEqual(dns["Domains"], ["tail.example", "corp.example"])
            self.assertEqual(dns["CertDomains"], ["one.tail.example"])
        with Daemon("--no-magic-dns") as daemon:
            self.assertFalse(first_map(daemon)["DNSConfig"].get("Proxied", False))


class PolicyFile(unittest.TestCase):
    OPEN = """{
        // Everybody reaches everybody.
        "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
    }"""
    WALLED = '{"groups": {"group:x": ["x@example.com"]}, "acls": [{"action": "accept", "src": ["group:x"], "dst": ["*:22"]}]}'
    WRONG = '{\n  "acls": [\n    {"action": "accept", "src": ["group:nobody"], "dst": ["*:*"]}\n  ]\n}'

    def test_a_wrong_file_ends_the_program_with_line_and_reason(self):
        with tempfile.NamedTemporaryFile("w", suffix=".hujson") as file:
            file.write(self.WRONG)
            file.flush()
            self.assertRegex(refusal("--policy", file.name), re.escape(file.name) + r":3:\d+: .*group:nobody")
        self.assertIn("--policy", refusal("--policy", "/does/not/exist"))
        with tempfile.TemporaryDirectory() as directory:
            self.assertNotEqual(refusal("--policy", directory), "")

    def test_sighup_takes_a_good_file_and_refuses_a_wrong_one(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "policy.hujson")

            def load(text, said, times=1):
                with open(path, "w") as file:
                    file.write(text)
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for_log(said, times)

            with open(path, "w") as file:
                file.write(self.OPEN)
            with Daemon("--policy", path) as daemon, Node(daemon, "--hostname", "one") as one, Node(daemon, "--hostname", "two"):
                me = one.next()["Node"]["ID"]
                seen = one.peers(lambda peers: len(peers) == 1)
                self.assertNotIn(me, seen)
                load(self.WRONG, "policy: the old stays in force: " + path + ":3:")
                self.assertEqual(len(first_map(daemon)["Peers"]), 2, "the old policy holds")
                load(self.WALLED, "policy: read again")
                one.peers(lambda peers: not peers)
                self.assertFalse(first_map(daemon).get("Peers"))
                load(self.OPEN, "policy: read again", 2)
                one.peers(lambda peers: seen <= peers)

    def test_roles(self):
        with tempfile.NamedTemporaryFile("w", suffix=".hujson") as file:
            file.write('{"acls": [{"action": "accept", "src": ["autogroup:admin", "autogroup:owner"], "dst": ["*:*"]}]}')
            file.flush()
            keys = ("--auth-key", "b,user=bob@example.com", "--auth-key", "c,user=carol@example.com")
            for flags, bob, carol in ((("--policy-admin", "bob@example.com"), True, False), (("--owner", "carol@example.com"), False, True), ((), False, False)):
                with self.subTest(flags=flags), Daemon("--policy", file.name, *keys, *flags) as daemon:
                    # The base is a node of somebody without a role, which only others' roles make visible.
                    with Node(daemon, key="test-key" if "--owner" not in flags else "b") as base:
                        known = base.next()["Node"]["ID"]
                        for key, sees in (("b", bob), ("c", carol)):
                            peers = first_map(daemon, key=key).get("Peers") or []
                            self.assertEqual(known in [peer["ID"] for peer in peers], sees)


class Rest(unittest.TestCase):
    def test_client_version(self):
        with Daemon("--client-version", "1.98.1") as daemon:
            self.assertEqual(first_map(daemon)["ClientVersion"]["LatestVersion"], "1.98.1")
        with Daemon() as daemon:
            self.assertNotIn("ClientVersion", first_map(daemon))

    def test_collect_services(self):
        with Daemon("--collect-services") as daemon:
            self.assertIn(first_map(daemon)["CollectServices"], (True, "true"))

    def test_tailnet_lock_can_be_left_out(self):
        lock = "https://tailscale.com/cap/tailnet-lock"
        with Daemon() as daemon:
            self.assertIn(lock, first_map(daemon)["Node"]["CapMap"])
        with Daemon("--no-tailnet-lock") as daemon:
            self.assertNotIn(lock, first_map(daemon)["Node"].get("CapMap", {}))

    def test_relays_are_read_again_on_sighup(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "derp.json")

            def write(relays):
                with open(path, "w") as file:
                    json.dump(relays, file)
            write(RELAYS)
            with Daemon("--derp-map", path) as daemon, Node(daemon) as node:
                self.assertEqual(list(node.next("DERPMap")["DERPMap"]["Regions"]), ["7"])
                write({"Regions": [1]})
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for_log("relays: the old stays in force: " + path)
                write({"Regions": {"9": dict(RELAYS["Regions"]["7"], RegionID=9)}})
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for_log("relays: read again")
                self.assertEqual(list(node.next("DERPMap")["DERPMap"]["Regions"]), ["9"])


if __name__ == "__main__":
    main()
