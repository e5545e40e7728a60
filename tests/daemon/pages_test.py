# SPDX-License-Identifier: BSD-3-Clause
"""The pages for people in a browser. With TS2021_PICTURES=FOLDER it leaves pictures there, to be looked at."""

import http.client
import json
import os
import select
import tempfile
import time
import unittest

import browser
from programs import Daemon, main, start_client

ADMIN = ("--admin", "127.0.0.1:0", "--test-mode")
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"


def setUpModule():
    global chromium
    if why := browser.missing():
        print("skipped:", why)
        raise unittest.SkipTest(why)
    chromium = browser.Browser()
    unittest.addModuleCleanup(chromium.close)


def picture(name):
    if folder := os.environ.get("TS2021_PICTURES"):
        chromium.save_picture(os.path.join(folder, name + ".png"))


class Page(unittest.TestCase):
    def start(self, *flags, **more):
        self.daemon = Daemon(*ADMIN, *flags, **more)
        self.addCleanup(self.daemon.__exit__)
        self.site = self.daemon.ready["admin"]
        return self.daemon

    def admin(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(self.site.removeprefix("http://"), timeout=20)
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Authorization": "Bearer " + token} if token else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertLess(answer.status, 300, (method, path, text))
        return json.loads(text) if text else None

    def join(self, hostname):
        node = start_client("map", self.daemon.url, "--auth-key", "k", "--hostname", hostname)
        self.addCleanup(lambda: (node.kill(), node.communicate()))
        self.assertRegex(node.stdout.readline(), "^registered")
        return node

    def keys(self):
        return [node["Key"] for node in self.admin("GET", "/admin/nodes")]

    def is_calm(self):
        self.assertEqual(chromium.complaints(), [])
        overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        self.assertLessEqual(chromium.run(overflow), 0, "the page is wider than the window")


class Live(Page):
    def test_nodes_and_their_changes_appear_without_a_reload(self):
        self.start()
        chromium.reset().open(self.site + "/")
        chromium.wait_for("\u25cf live")
        self.assertIn("0 nodes, 0 open streams", chromium.text("header"))
        chromium.run("window.untouched = true")
        first = self.join("one")
        chromium.wait_for("one", "#nodes")
        self.join("two")
        shown = chromium.wait_for("two", "#nodes")
        for address in ("100.64.0.1", "100.64.0.2", "fd7a:"):
            self.assertIn(address, shown)
        chromium.wait_for("2 nodes, 2 open streams", "header")
        self.assertEqual(chromium.text("#nodes").count("\u25cf open"), 2)
        chromium.wait_for("first map", "#messages")
        first.kill()
        chromium.wait_for("2 nodes, 1 open stream", "header")
        self.assertIn("\u25cb none", chromium.text("#nodes"))
        last_seen = "return document.querySelector('#nodes time[datetime]')?.innerText || ''"
        for _ in range(200):
            if chromium.run(last_seen):
                break
            time.sleep(0.05)
        self.assertRegex(chromium.run(last_seen), r"^\d\d:\d\d:\d\d$")
        self.admin("POST", "/admin/reset", {})
        chromium.wait_for("0 nodes", "header")
        self.assertTrue(chromium.run("return window.untouched"), "the page was loaded again")
        self.is_calm()

    def test_the_timeline_of_a_node_says_why(self):
        self.start()
        chromium.reset()
        self.join("one")
        self.join("two")
        one, two = self.keys()
        chromium.open(self.site + "/admin/")
        chromium.wait_for("two", "#nodes")
        chromium.press("one")
        chromium.wait_for("first map", "#timeline")
        chromium.wait_for('"Domain": "fake-control.example.net"', "#message")
        self.assertIn(one, chromium.text("#detail-key"))
        self.admin("PUT", f"/admin/nodes/{one}/jailed/{two}", {"jailed": True})
        chromium.wait_for("order SetJailed: node 2 for node 1", "#timeline")
        self.admin("PUT", f"/admin/nodes/{two}/routes", ["10.1.2.0/24"])
        chromium.wait_for("order OverrideRoutes of node 2", "#timeline")
        chromium.wait_for('"10.1.2.0/24"', "#message")
        self.admin("POST", f"/admin/nodes/{one}/raw-map", {"Health": [HOSTILE]})
        chromium.wait_for("raw-map", "#timeline")
        chromium.wait_for(HOSTILE, "#message")
        rows = chromium.text("#timeline tbody").strip()
        self.assertLess(rows.index("raw-map"), rows.index("first map"), "the newest comes first")
        picture("desktop")
        # What is chosen is still so after a reload.
        chromium.open(self.site + "/admin/#" + one)
        chromium.call("POST", "/refresh")
        chromium.wait_for("order SetJailed", "#timeline")
        self.is_calm()

    def test_names_of_nodes_are_text(self):
        self.start()
        chromium.reset()
        self.join(HOSTILE)
        chromium.open(self.site + "/")
        chromium.wait_for(HOSTILE, "#nodes")
        self.admin("PUT", "/admin/nodes/" + self.keys()[0], {"Name": HOSTILE, "Key": self.keys()[0]})
        chromium.wait_for("order PutNode", "#messages")
        chromium.run("document.querySelector('#nodes button').click()")
        chromium.wait_for(HOSTILE, "#detail-title")
        chromium.wait_for("order PutNode", "#timeline")
        self.assertEqual(chromium.run("return document.title"), "ts2021d")
        self.assertEqual(chromium.run("return document.scripts.length + document.images.length"), 1)
        self.is_calm()

    def test_it_comes_back_when_the_server_does(self):
        daemon = self.start()
        port = self.site.rsplit(":", 1)[1]
        self.join("one")
        chromium.reset().open(self.site + "/")
        chromium.wait_for("one", "#nodes")
        daemon.process.kill()
        chromium.wait_for("not connected", "header")
        with Daemon("--admin", "127.0.0.1:" + port, "--test-mode") as self.daemon:
            chromium.wait_for("0 nodes", "header")
            chromium.wait_for("\u25cf live", "header")
            self.join("later")
            chromium.wait_for("later", "#nodes")

    def test_it_goes_without_a_mouse(self):
        self.start()
        self.join("one")
        self.join("two")
        chromium.reset().open(self.site + "/")
        chromium.wait_for("two", "#nodes")
        focused = "return document.activeElement.innerText"
        chromium.key(TAB)
        self.assertEqual(chromium.run(focused), "one")
        chromium.key(TAB, ENTER)
        chromium.wait_for("first map", "#timeline")
        for _ in range(100):
            if chromium.run("return document.activeElement.id") == "detail-title":
                break
            time.sleep(0.05)
        self.assertEqual(chromium.run(focused), "two")
        chromium.key(TAB)
        self.assertEqual(chromium.run(focused), "Close")
        chromium.key(ESCAPE)
        self.assertFalse(chromium.run("return document.querySelector('#detail').checkVisibility()"))
        self.assertEqual(chromium.run("return document.activeElement.className + document.activeElement.innerText"),
                         "nametwo")


class Looks(Page):
    def test_a_phone_and_the_dark(self):
        self.start()
        self.join("laptop-of-alice")
        self.join("a-node-with-a-name-that-is-as-long-as-a-label-of-dns-may-be-63c")
        one, two = self.keys()
        self.admin("POST", "/admin/nodes/fake", {"count": 3})
        self.admin("PUT", f"/admin/nodes/{one}/jailed/{two}", {"jailed": True})
        back = {}
        for name, width, height, dark in (("phone", 390, 844, False), ("phone-dark", 390, 844, True),
                                          ("desktop-dark", 1280, 800, True)):
            with self.subTest(name):
                chromium.reset(width, height, dark).open(self.site + "/#" + one)
                chromium.wait_for("order SetJailed", "#timeline")
                self.is_calm()
                back[name] = chromium.run("return getComputedStyle(document.body).backgroundColor")
                picture(name)
                chromium.run("document.querySelector('#detail').scrollIntoView()")
                picture(name + "-detail")
        self.assertEqual(back["phone-dark"], back["desktop-dark"])
        self.assertNotEqual(back["phone"], back["phone-dark"])


class Token(Page):
    def test_the_page_asks_for_the_token_once(self):
        self.start("--admin-token", "se-cret")
        self.join("one")
        chromium.reset(390, 844).open(self.site + "/")
        chromium.wait_for("wants a token")
        self.assertEqual(chromium.run("return document.querySelectorAll('tbody > *').length"), 0)
        for wrong in ("wrong", "\u20ac"):
            chromium.type("//input", wrong)
            chromium.press("Open")
            chromium.wait_for("does not take this token")
        picture("token")
        chromium.type("//input", "se-cret" + ENTER)
        chromium.wait_for("one", "#nodes")
        chromium.call("POST", "/refresh")
        chromium.wait_for("one", "#nodes")
        self.assertEqual(chromium.run("return sessionStorage.length + localStorage.length"), 1)
        # Other requests still want it.
        connection = http.client.HTTPConnection(self.site.removeprefix("http://"), timeout=20)
        for path, status in (("/", 200), ("/admin/", 200), ("/admin/nodes", 401), ("/admin/timeline", 401)):
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read()
            self.assertEqual(answer.status, status, path)
            self.assertNotIn(b"nodekey:0", text)
        connection.close()


class Login(Page):
    def ask(self, state):
        """The page that the client is sent to; none: it is in."""
        node = start_client("map", self.daemon.url, "--hostname", HOSTILE, "--state", state)
        self.addCleanup(lambda: (node.kill(), node.communicate()))
        ready = select.select([node.stdout, node.stderr], [], [], 20)[0]
        if node.stderr in ready:
            line = node.stderr.readline().strip()
            self.assertRegex(line, "^log in at http.*/auth/")
            return line.removeprefix("log in at ")
        self.assertEqual(ready, [node.stdout], "the client says nothing")
        self.assertRegex(node.stdout.readline(), "^registered")
        return None

    def test_a_person_lets_a_node_in_or_not(self):
        self.start()
        self.admin("PATCH", "/admin/config", {"requireAuth": True})
        for button, is_in in (("Connect", True), ("Deny", False)):
            with self.subTest(button), tempfile.TemporaryDirectory() as folder:
                state = os.path.join(folder, "state")
                url = self.ask(state)
                for name, width, height, dark in (("login-dark", 390, 844, True), ("login", 1280, 800, False)):
                    chromium.reset(width, height, dark).open(url)
                    self.assertIn(HOSTILE, chromium.wait_for("Connect this machine?"))
                    picture(name)
                chromium.type("//input[@name='login_name']", "alice@example.com")
                chromium.press(button)
                chromium.wait_for("Done")
                self.is_calm()
                picture("login-done")
                self.assertEqual(self.ask(state) is None, is_in)
                done = self.admin("GET", "/admin/events?type=auth-complete&timeout=0s")["events"]
                self.assertEqual([event["url"] for event in done if event["url"] == url], [url] if is_in else [])


if __name__ == "__main__":
    main()
