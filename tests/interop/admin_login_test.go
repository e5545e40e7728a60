// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"ts2021.invalid/interop/admin"
)

// Who gets in, how, and as what.
func adminLogin(t *testing.T, calls *adminCalls) {
	w := newAdminWorld(t, calls, "--test-mode")
	n := newNode(t, w.server, newestClient, "alpha")
	n.start()
	part := func(name string, run func(t *testing.T)) { w.part(name, run, n) }

	part("auth key", func(t *testing.T) {
		if got := w.Change(map[string]any{"requireAuthKey": "tskey-right"}); got.RequireAuthKey != "tskey-right" {
			t.Fatalf("the switches are %+v", got)
		}
		if err := n.up("tskey-wrong"); err == nil || !strings.Contains(err.Error(), "invalid authkey") {
			t.Fatalf("a wrong key: %v", err)
		}
		if count := w.NumNodes(); count != 0 {
			t.Fatalf("there are %d nodes", count)
		}
		// It may be told of its last try with the wrong one first.
		eventually(t, "it joins", 20*time.Second, func() error { return n.up("tskey-right") })
		n.waitRunning()
		w.Change(map[string]any{"requireAuthKey": ""})
	})
	part("register limit", func(t *testing.T) {
		const pause = 3
		w.SetRegisterLimit(&admin.RegisterLimit{Count: 1, RetryAfter: "3", Message: "not so fast"})
		_, next := w.Events("register", -1, 0)
		n.stop()
		began := time.Now()
		n.start()
		n.waitRunning()
		eventually(t, "its poll is back", 10*time.Second, func() error { return inServeMap(w, 1) })
		if took := time.Since(began); took < pause*time.Second {
			t.Errorf("it came back in %v, Retry-After was %d s", took, pause)
		}
		if left := string(w.Document("register-limit")); !strings.Contains(left, `"count":0`) {
			t.Errorf("the limit is %s", left)
		}
		events, _ := w.Events("register", next, 0)
		if got := results(events); !slices.Equal(got, []string{"rate-limited", "ok"}) {
			t.Errorf("the logins were %v", got)
		}
	})
	part("as stored", func(t *testing.T) {
		nodes := w.Nodes()
		stored := w.Node(n.key())
		if len(nodes) != 1 || stored == nil || nodes[0].ID != 1 || stored.ID != 1 || stored.StableID != "TESTCTRL00000001" ||
			stored.Hostinfo.Hostname() != "alpha" || stored.Addresses[0].String() != "100.64.0.1/32" || stored.User != 1 {
			t.Fatalf("there are %s", jsonOf(nodes))
		}
	})
	part("expire all", func(t *testing.T) {
		if err := w.AwaitPoll(n.key(), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		key := n.key()
		w.Change(map[string]any{"expireAll": true})
		n.waitState("NeedsLogin")
		if err := w.AwaitPoll(key, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		w.Change(map[string]any{"expireAll": false})
		n.waitState("Running")
	})
	part("down", func(t *testing.T) {
		eventually(t, "one poll", 5*time.Second, func() error { return inServeMap(w, 1) })
		key := n.key()
		n.must("down")
		eventually(t, "no poll", 3*time.Second, func() error { return inServeMap(w, 0) })
		if err := w.AwaitPoll(key, 300*time.Millisecond); admin.StatusOf(err) != 408 {
			t.Fatalf("a poll of a client that is down: %v", err)
		}
		if err := n.up(""); err != nil {
			t.Fatal(err)
		}
		if n.key() != key || w.NumNodes() != 1 {
			t.Fatalf("it is another node: %s", jsonOf(w.Nodes()))
		}
	})
	part("hold a login", func(t *testing.T) {
		n.must("down")
		hold := w.MakeHold(admin.Hold{On: "register", Match: map[string]any{"nodeKey": w.Nodes()[0].Key}, Timeout: "30s", Count: 2})
		up := n.upBegins()
		first := w.Next(hold, 10*time.Second)
		if first == nil || first.On != "register" || first.NodeKey != w.Nodes()[0].Key || len(first.Request) == 0 {
			t.Fatalf("held is %+v", first)
		}
		if counts := w.Counts(hold, "held", time.Second); counts == nil || counts.Held != 1 || counts.Done != 0 {
			t.Fatalf("the hold has %+v", counts)
		}
		began := time.Now()
		w.Decide(hold, first.Call, admin.Decision{Action: "reject", Status: 429, Headers: map[string]string{"Retry-After": "2"}, Body: "later"})
		second := w.Next(hold, 10*time.Second)
		if second == nil {
			t.Fatal("it did not ask again")
		}
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("it asked again after %v, Retry-After was 2 s", took)
		}
		if state := w.State(hold, second.Call); state.State != "held" {
			t.Errorf("it is %+v", state)
		}
		w.Decide(hold, second.Call, admin.Continue)
		if said, err := up.wait(); err != nil {
			t.Fatal(said)
		}
		if counts := w.Counts(hold, "done", 5*time.Second); counts == nil || counts.Done != 2 {
			t.Errorf("the hold has %+v", counts)
		}
		w.RemoveHold(hold)
	})
	part("auth URL", func(t *testing.T) {
		n.must("logout")
		w.Change(map[string]any{"requireAuth": true})
		_, next := w.Events("", -1, 0)

		up := n.upBegins()
		refused := up.page()
		if !strings.HasPrefix(refused, w.server.URL+"/auth/") {
			t.Fatalf("the page is %s", refused)
		}
		if !w.CompleteAuth(refused, "not today") {
			t.Fatal("nothing to refuse")
		}
		if said, err := up.wait(); err == nil || !strings.Contains(said, "not today") {
			t.Fatalf("a refused login: %v: %s", err, said)
		}

		if w.CompleteAuth(w.server.URL+"/auth/0123456789abcdef0123", "") {
			t.Fatal("it completed what nobody has begun")
		}
		up = n.upBegins("--force-reauth")
		// The client may still be telling whoever listens of the login that was refused; a new one ends by it.
		for tries := 0; tries < 5 && up.endedBy("not today"); tries++ {
			up = n.upBegins("--force-reauth")
		}
		page := up.page()
		if page == refused {
			t.Fatal("a refused page is shown again")
		}
		// Somebody in front may have another name.
		if !w.CompleteAuth("http://elsewhere.test"+strings.TrimPrefix(page, w.server.URL), "") || !w.CompleteAuth(page, "") {
			t.Fatal("the login was not there")
		}
		if said, err := up.wait(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		key := n.key()
		events, _ := w.Events("register,auth-complete", next, 0)
		completed := slices.ContainsFunc(events, func(e admin.Event) bool {
			return e.Type == "auth-complete" && e.NodeKey == key.String() && strings.HasSuffix(page, e.URL[strings.LastIndex(e.URL, "/"):])
		})
		if got := results(events); !completed || !slices.Contains(got, "auth-url") || got[len(got)-1] != "ok" {
			t.Errorf("the events are %+v", events)
		}
		// What logged out stays; the login is a node of its own.
		if nodes := w.Nodes(); len(nodes) < 2 || nodes[0].Key == key {
			t.Errorf("there are %s", jsonOf(nodes))
		}
		w.Change(map[string]any{"requireAuth": false})
	})
	part("approval", func(t *testing.T) {
		n.must("logout")
		w.Change(map[string]any{"requireMachineAuth": true})
		up := n.upBegins()
		page := up.page()
		if page != w.server.URL+"/admin" {
			t.Fatalf("the page is %s", page)
		}
		n.waitState("NeedsMachineAuth")
		status, err := n.status()
		if err != nil {
			t.Fatal(err)
		}
		key := status.Self.PublicKey
		if w.Approve(key, "http://elsewhere.test/admin") {
			t.Fatal("approved on the page of another")
		}
		if !w.Approve(key, page) {
			t.Fatal("not approved")
		}
		if said, err := up.wait(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		n.waitRunning()

		// A new key of the same node is approved.
		if err := n.up("", "--force-reauth"); err != nil {
			t.Fatal(err)
		}
		if again := n.key(); again == key || !w.Node(again).MachineAuthorized {
			t.Fatalf("it is %s", jsonOf(w.Node(again)))
		}
		w.Change(map[string]any{"requireMachineAuth": false})
	})
	part("new nodes", func(t *testing.T) {
		n.must("logout")
		w.Change(map[string]any{"allNodesSameUser": true, "magicDNSDomain": "nodes.test"})
		w.SetDefaultCaps(&tailcfg.NodeCapMap{"test.example/cap": []tailcfg.RawMessage{`{"x":[1]}`}})
		if err := n.up(""); err != nil {
			t.Fatal(err)
		}
		stored := w.Node(n.key())
		if stored.User != 123 || stored.Name != "alpha.nodes.test." {
			t.Errorf("it is %s", jsonOf(stored))
		}
		n.waitNetmap("has the new capability and no other", func(held *netmap.NetworkMap) error {
			if held.User() != 123 || !held.SelfNode.HasCap("test.example/cap") || held.SelfNode.HasCap("https") {
				t.Errorf("it holds %s", jsonOf(held.SelfNode))
			}
			return nil
		})
		if text := string(w.Document("default-caps")); text != `{"test.example/cap":[{"x":[1]}]}` {
			t.Errorf("the capabilities are %s", text)
		}
		w.SetDefaultCaps(nil)
		w.Change(map[string]any{"allNodesSameUser": false, "magicDNSDomain": ""})
	})
	part("tags", func(t *testing.T) {
		w.SetTagOwners(map[string][]string{"tag:first": {}, "tag:second": {"tag:first"}, "tag:third": {}})
		n.must("logout")
		if err := n.up("", "--advertise-tags=tag:first"); err != nil { // a new node has what it asks for
			t.Fatal(err)
		}
		hasTags := func(tags ...string) func(*netmap.NetworkMap) error {
			return func(held *netmap.NetworkMap) error {
				if got := held.SelfNode.Tags().AsSlice(); !slices.Equal(got, tags) {
					return fmt.Errorf("it has %v", got)
				}
				return nil
			}
		}
		n.waitNetmap("has its tag", hasTags("tag:first"))

		// Its wish comes in a map request; only tags whose owner it is.
		hold := w.MakeHold(admin.Hold{On: "map-request", Match: map[string]any{"requestTags": []string{"tag:second"}}, Timeout: "30s"})
		key := n.key()
		n.wishTags("tag:second")
		held := w.Next(hold, 10*time.Second)
		if held == nil || held.NodeKey != key {
			t.Fatalf("held is %+v", held)
		}
		if got := w.Node(key).Tags; !slices.Equal(got, []string{"tag:first"}) {
			t.Errorf("before the request goes on it has %v", got)
		}
		w.Release(hold)
		n.waitNetmap("has its next tag", hasTags("tag:second"))
		if n.key() != key {
			t.Error("it has another key")
		}
		w.RemoveHold(hold)
		n.wishTags("tag:third")
		n.waitState("NeedsLogin")
		if text := string(w.Document("tag-owners")); !strings.Contains(text, `"tag:second":["tag:first"]`) {
			t.Errorf("the owners are %s", text)
		}
		w.SetTagOwners(nil)
	})
	part("reset", func(t *testing.T) {
		w.Reset()
		if nodes, config := w.NumNodes(), w.Config(); nodes != 0 || config.AllNodesSameUser {
			t.Fatalf("left over are %d nodes, %+v", nodes, config)
		}
		if err := n.up("", "--advertise-tags=", "--force-reauth"); err != nil {
			t.Fatal(err)
		}
		if stored := w.Node(n.key()); stored == nil || stored.ID != 1 || stored.User != 1 {
			t.Fatalf("it is %s", jsonOf(stored))
		}
	})
	if stats := w.Stats(); stats.Unhandled != 0 {
		t.Errorf("%d requests were nobody's", stats.Unhandled)
	}
}

// As `tailscale set` of later releases does it.
func (n *node) wishTags(tags ...string) {
	n.t.Helper()
	wish := &ipn.MaskedPrefs{Prefs: ipn.Prefs{AdvertiseTags: tags}, AdvertiseTagsSet: true}
	if _, err := n.local().EditPrefs(context.Background(), wish); err != nil {
		n.t.Fatal(err)
	}
}

func inServeMap(w *adminWorld, want int) error {
	if got := w.Stats().InServeMap; got != want {
		return fmt.Errorf("there are %d", got)
	}
	return nil
}

func results(events []admin.Event) (all []string) {
	for _, event := range events {
		if event.Type == "register" {
			all = append(all, event.Result)
		}
	}
	return all
}
