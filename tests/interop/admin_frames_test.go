// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"ts2021.invalid/interop/admin"
)

// What passes to one node and from it, message by message.
func adminFrames(t *testing.T, calls *adminCalls) {
	w := newAdminWorld(t, calls, "--test-mode")
	alpha, a := w.join("alpha")
	beta, b := w.join("beta")
	alpha.waitPeer("beta", "there", 10*time.Second, isThere)
	part := func(name string, run func(t *testing.T)) { w.part(name, run, alpha, beta) }

	part("ping", func(t *testing.T) {
		asked := make(chan string, 10)
		foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- r.Method + " " + r.URL.Path
		}))
		defer foreign.Close()
		for number := range 3 {
			path := fmt.Sprintf("/ping/%d", number)
			if !w.Ping(a, &tailcfg.PingRequest{URL: foreign.URL + path, Log: true}) {
				t.Fatal("it has no poll")
			}
			select {
			case got := <-asked:
				if got != "HEAD "+path {
					t.Errorf("asked was %s", got)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("nobody asked")
			}
		}
		// Such that control itself hears of.
		for _, ping := range []struct {
			url   string
			noise bool
		}{{"https://unused/machine/ping/inside", true}, {w.server.URL + "/ping/outside", false}} {
			_, next := w.Events("ping-result", -1, 0)
			if !w.Ping(a, &tailcfg.PingRequest{URL: ping.url, URLIsNoise: ping.noise, Types: "TSMP", IP: beta.address()}) {
				t.Fatal("it has no poll")
			}
			events, _ := w.Events("ping-result", next, 20*time.Second)
			var result tailcfg.PingResponse
			if len(events) != 1 || events[0].URL != ping.url || json.Unmarshal(events[0].Body, &result) != nil || result.Type != "TSMP" || result.Err != "" {
				t.Fatalf("the events are %s", jsonOf(events))
			}
		}
	})
	part("c2n", func(t *testing.T) {
		_, next := w.Events("c2n-result", -1, 0)
		answer, err := w.Call(a, admin.C2N{Method: "POST", Path: "/echo?x=1", Headers: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("hello"), Timeout: "10s"})
		if err != nil || answer.Status != 200 || string(answer.Body) != "hello" {
			t.Fatalf("%+v, %v", answer, err)
		}
		id, err := w.Begin(b, admin.C2N{Path: "/debug/goroutines"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // it can be fetched again
			later, err := w.Answer(id, 10*time.Second)
			if err != nil || later == nil || later.Status != 200 || len(later.Body) < 1000 {
				t.Fatalf("%+v, %v", later, err)
			}
		}
		events, _ := w.Events("c2n-result", next, 0)
		if len(events) != 2 || events[0].NodeKey != a.String() || events[1].ID != id || events[1].Status != 200 {
			t.Errorf("the events are %s", jsonOf(events))
		}
		// As with curl: the answers of the node, refusals too.
		for _, ask := range []struct {
			method, path, body string
			status             int
		}{
			{"GET", "/echo", "", 200}, {"POST", "/echo", "again", 200}, {"PUT", "/echo", "put", 200}, {"DELETE", "/echo", "", 200},
			{"GET", "/debug/health", "", 200}, {"POST", "/logtail/flush", "", 204}, {"PUT", "/debug/nothing", "", 400}, {"DELETE", "/debug/nothing", "", 400},
			{"GET", "/debug/pprof/allocs", "", 200}, {"POST", "/debug/pprof/nothing", "", 400}, {"PUT", "/debug/pprof/nothing", "", 400},
			{"DELETE", "/debug/pprof/nothing", "", 400}} {
			if status, text := w.Through(a, ask.method, ask.path, []byte(ask.body)); status != ask.status || (ask.path == "/echo" && string(text) != ask.body) {
				t.Errorf("%s %s: %d %.100q", ask.method, ask.path, status, text)
			}
		}
		// Who does not answer in time.
		alpha.standStill()
		_, err = w.Call(a, admin.C2N{Path: "/echo", Timeout: "300ms"})
		alpha.process.cmd.Process.Signal(syscall.SIGCONT)
		if admin.StatusOf(err) != 504 {
			t.Errorf("a node that stands still: %v", err)
		}
	})
	part("raw map", func(t *testing.T) {
		if !w.SendRawMap(a, &tailcfg.MapResponse{PeersRemoved: []tailcfg.NodeID{2}}) {
			t.Fatal("it has no poll")
		}
		alpha.waitNetmap("has no peers", func(held *netmap.NetworkMap) error {
			if len(held.Peers) != 0 {
				return fmt.Errorf("it has %d", len(held.Peers))
			}
			return nil
		})
		// From now on it hears what it is sent only, in order.
		w.AddDNSRecords(tailcfg.DNSRecord{Name: "one.test", Value: "192.0.2.1"})
		peer := w.Node(b)
		w.SendRawMap(a, &tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{peer}})
		w.SendRawMap(a, map[string]any{"PeersChangedPatch": []any{map[string]any{"NodeID": 2, "CapMap": map[string]any{"test.example/patched": nil}}}})
		alpha.waitHeld(b, "as it was patched", func(p tailcfg.NodeView) bool { return p.CapMap().Contains("test.example/patched") })
		if held, err := alpha.netmap(); err != nil || len(held.DNS.ExtraRecords) != 0 {
			t.Errorf("it was told of records: %v, %v", jsonOf(held), err)
		}
		w.AllowMaps(a)
		alpha.waitHeld(b, "as it is", func(p tailcfg.NodeView) bool { return !p.CapMap().Contains("test.example/patched") })
		alpha.waitNetmap("was told of the record", func(held *netmap.NetworkMap) error {
			if len(held.DNS.ExtraRecords) != 1 {
				return fmt.Errorf("it has %s", jsonOf(held.DNS))
			}
			return nil
		})
	})
	part("first map", func(t *testing.T) {
		// The next map is whole and has it not: what the client keeps shows it.
		w.SetFirstMapPatch(map[string]any{"Node": map[string]any{"CapMap": map[string]any{"default-auto-update": []any{false}}}})
		again(alpha)
		eventually(t, "the default is kept", 10*time.Second, func() error {
			prefs, err := alpha.local().GetPrefs(context.Background())
			if err != nil {
				return err
			}
			if apply, set := prefs.AutoUpdate.Apply.Get(); !set || apply {
				return fmt.Errorf("it is %v", prefs.AutoUpdate)
			}
			return nil
		})
		if text := string(w.Document("first-map-patch")); text == "null" {
			t.Error("the patch is gone")
		}
		w.SetFirstMapPatch(nil)

		hold := w.MakeHold(admin.Hold{On: "first-map", Match: map[string]any{"nodeKey": a, "stream": true}, Timeout: "30s", Count: 1})
		done := make(chan struct{})
		go func() { again(alpha); close(done) }()
		held := w.Next(hold, 20*time.Second)
		if held == nil {
			t.Fatal("nothing is held")
		}
		var request tailcfg.MapRequest
		var response tailcfg.MapResponse
		if err := errors.Join(json.Unmarshal(held.Request, &request), json.Unmarshal(held.Response, &response)); err != nil || !request.Stream || response.DERPMap == nil {
			t.Fatalf("held is %s: %v", jsonOf(held), err)
		}
		response.DERPMap.Regions[7] = &tailcfg.DERPRegion{RegionID: 7, RegionCode: "far", RegionName: "Far"}
		w.Decide(hold, held.Call, admin.Decision{Action: "replace", Response: response})
		<-done
		eventually(t, "alpha knows the relay of the map that replaces", 10*time.Second, func() error {
			held, err := alpha.local().CurrentDERPMap(context.Background())
			if err == nil && held.Regions[7] == nil {
				err = fmt.Errorf("it knows %s", jsonOf(held))
			}
			return err
		})
		w.RemoveHold(hold)
	})
	part("map requests held", func(t *testing.T) {
		alpha.must("down")
		eventually(t, "no poll of alpha", 5*time.Second, func() error { return inServeMap(w, 1) })
		hold := w.MakeHold(admin.Hold{On: "map-request", Match: map[string]any{"nodeKey": a, "stream": true}, Timeout: "60s"})
		up := alpha.upBegins()
		held := w.Next(hold, 20*time.Second)
		if held == nil || held.NodeKey != a {
			t.Fatalf("held is %+v", held)
		}
		if err := w.AwaitPoll(a, 0); admin.StatusOf(err) != 408 {
			t.Errorf("a held request is a poll: %v", err)
		}
		// Its client goes while it is held: it is not applied.
		alpha.must("down")
		up.wait()
		time.Sleep(300 * time.Millisecond)
		if state := w.State(hold, held.Call); state.State != "held" {
			t.Errorf("it is %+v", state)
		}
		w.Decide(hold, held.Call, admin.Continue)
		if state := w.Finished(hold, held.Call, 5*time.Second); state == nil || !state.Dropped {
			t.Errorf("it is %+v", state)
		}
		if err := w.AwaitPoll(a, 0); admin.StatusOf(err) != 408 {
			t.Errorf("a dropped request is a poll: %v", err)
		}

		up = alpha.upBegins()
		if held = w.Next(hold, 20*time.Second); held == nil {
			t.Fatal("nothing is held")
		}
		w.Release(hold)
		if said, err := up.wait(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		if state := w.State(hold, held.Call); state.State != "running" {
			t.Errorf("it is %+v", state)
		}
		alpha.must("down")
		if state := w.Finished(hold, held.Call, 5*time.Second); state == nil || state.Dropped {
			t.Errorf("it is %+v", state)
		}
		w.RemoveHold(hold)
	})
	part("streams", func(t *testing.T) {
		_, text := w.Preview(a)
		var full map[string]any
		if err := json.Unmarshal(text, &full); err != nil {
			t.Fatal(err)
		}
		w.SetAltMap(true)
		if text := string(w.Document("alt-map")); text != `{"enabled":true}` {
			t.Errorf("it is %s", text)
		}
		up := alpha.upBegins()
		seen := 0
		poll := func() admin.Stream {
			t.Helper()
			for range 20 {
				for _, stream := range w.Streams(seen, 10*time.Second) {
					seen = stream.ID
					if stream.NodeKey == a && stream.Request.Stream {
						return stream
					}
					w.EndStream(stream.ID) // nothing to say
				}
			}
			t.Fatal("no poll comes")
			return admin.Stream{}
		}
		first := poll()
		full["Domain"] = "by.hand.test"
		if !w.SendMessage(first.ID, full) {
			t.Fatal("the stream has ended")
		}
		if said, err := up.wait(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		alpha.waitNetmap("holds the map", domainIs("by.hand.test"))
		w.SendMessage(first.ID, &tailcfg.MapResponse{PeersRemoved: []tailcfg.NodeID{2}})
		alpha.waitNetmap("has no peers", func(held *netmap.NetworkMap) error {
			if len(held.Peers) != 0 {
				return fmt.Errorf("it has %d", len(held.Peers))
			}
			return nil
		})
		if !w.StreamOpen(first.ID, 200*time.Millisecond) {
			t.Error("the stream has ended")
		}
		w.EndStream(first.ID)
		second := poll()
		alpha.must("down")
		if w.StreamOpen(second.ID, 5*time.Second) {
			t.Error("the stream has not ended")
		}
		if w.SendMessage(second.ID, full) {
			t.Error("it was sent to nobody")
		}
		w.SetAltMap(false)
		if err := alpha.up(""); err != nil {
			t.Fatal(err)
		}
		alpha.waitNetmap("holds a map of the server", domainIs("fake-control.example.net"))
		alpha.waitPeer("beta", "there", 10*time.Second, isThere)
	})
	part("events", func(t *testing.T) {
		_, next := w.Events("", -1, 0)
		again(alpha)
		if err := w.AwaitPoll(a, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		events, _ := w.Events("register,map-request,map-end", next, 0)
		var order []string
		for _, event := range events {
			if event.NodeKey != a.String() || (event.Type != "register" && !event.Stream) {
				continue
			}
			order = append(order, event.Type+event.Reason)
			if event.MachineKey == "" || event.Version < 100 {
				t.Errorf("the event is %s", jsonOf(event))
			}
		}
		if fmt.Sprint(order) != "[map-endclient register map-request]" {
			t.Errorf("they are %v", order)
		}
	})
}

// Until SIGCONT.
func (n *node) standStill() {
	n.t.Helper()
	pid := n.process.cmd.Process.Pid
	syscall.Kill(pid, syscall.SIGSTOP)
	eventually(n.t, n.name+" stands still", 5*time.Second, func() error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !strings.Contains(string(text), ") T ") {
			err = errors.New("it runs")
		}
		return err
	})
}

// Down and up again: a new login and a new poll.
func again(n *node) {
	n.t.Helper()
	n.must("down")
	if err := n.up(""); err != nil {
		n.t.Error(err)
	}
}

func domainIs(want string) func(*netmap.NetworkMap) error {
	return func(held *netmap.NetworkMap) error {
		if held.Domain != want {
			return fmt.Errorf("its domain is %s", held.Domain)
		}
		return nil
	}
}
