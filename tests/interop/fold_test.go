// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
	"tailscale.com/types/key"
	"ts2021.invalid/interop/admin"
)

// What a real client makes of what it was sent is what the library's fold makes of it, after every kind of change.
func TestFold(t *testing.T) {
	forgetJoined(t)
	capture := filepath.Join(t.TempDir(), "capture.jsonl")
	w := newAdminWorld(t, &adminCalls{seen: map[string]bool{}}, "--capture", capture)
	alpha, a := w.join("alpha")
	beta, b := w.join("beta")
	alpha.waitPeer("beta", "there", 10*time.Second, isThere)
	f := &foldWorld{adminWorld: w, capture: capture, node: a, machine: w.Node(a).Machine.String()}
	// Each stands on its own: what one has left is the same on both sides. `told` says whether the news are in the sum.
	part := func(name string, change func(t *testing.T), told func(sum *tailcfg.MapResponse) bool) {
		t.Run(name, func(inner *testing.T) {
			in := func(t *testing.T) {
				w.t = t
				alpha.in(t)
				beta.in(t)
			}
			in(inner)
			defer in(t)
			change(inner)
			f.compare(told)
		})
	}
	peer := func(key *key.NodePublic, ok func(p *tailcfg.Node) bool) func(*tailcfg.MapResponse) bool {
		return func(sum *tailcfg.MapResponse) bool {
			at := slices.IndexFunc(sum.Peers, func(p *tailcfg.Node) bool { return p.Key == *key })
			return at >= 0 && ok(sum.Peers[at])
		}
	}

	// As the server tells them.
	part("two nodes", func(t *testing.T) {}, peer(&b, func(p *tailcfg.Node) bool { return len(p.Endpoints) > 0 && p.HomeDERP == 1 }))
	part("a peer goes offline", func(t *testing.T) { beta.must("down") },
		peer(&b, func(p *tailcfg.Node) bool { return p.Online != nil && !*p.Online && p.LastSeen != nil }))
	up := func(t *testing.T) {
		if err := beta.up(w.server.AuthKey); err != nil {
			t.Fatal(err)
		}
	}
	part("a peer comes back", up, peer(&b, func(p *tailcfg.Node) bool { return *p.Online }))
	part("a peer is renamed", func(t *testing.T) { beta.must("set", "--hostname=renamed") },
		peer(&b, func(p *tailcfg.Node) bool { return strings.HasPrefix(p.Name, "renamed.") }))
	part("a peer offers a route", func(t *testing.T) { beta.must("set", "--hostname=beta", "--advertise-routes=10.7.0.0/16") },
		peer(&b, func(p *tailcfg.Node) bool { return p.Hostinfo.RoutableIPs().Len() == 1 }))
	part("its route is approved", func(t *testing.T) { w.SetRoutes(b, []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16")}) },
		peer(&b, func(p *tailcfg.Node) bool { return len(p.AllowedIPs) == 3 }))
	before := w.Node(b).Endpoints
	part("a peer's endpoints change", func(t *testing.T) {
		beta.stop()
		beta.start()
	}, peer(&b, func(p *tailcfg.Node) bool { return *p.Online && !slices.Equal(p.Endpoints, before) }))
	part("a peer's key is rotated", func(t *testing.T) {
		beta.must("logout")
		up(t)
		b = beta.key()
	}, peer(&b, func(p *tailcfg.Node) bool { return true }))
	fakes := w.AddFakeNodes(3)
	part("nodes join", func(t *testing.T) { w.PutNode(w.Node(fakes[0])) },
		func(sum *tailcfg.MapResponse) bool { return len(sum.Peers) > 3 })
	part("own capabilities", func(t *testing.T) { w.SetCapMap(a, tailcfg.NodeCapMap{"test.example/own": {`{"depth":1}`}}) },
		func(sum *tailcfg.MapResponse) bool { return sum.Node.CapMap.Contains("test.example/own") })
	part("capabilities of a peer", func(t *testing.T) { w.SetCapMap(fakes[0], tailcfg.NodeCapMap{"test.example/other": nil}) },
		peer(&fakes[0], func(p *tailcfg.Node) bool { return p.CapMap.Contains("test.example/other") }))
	part("relays", func(t *testing.T) {
		more := *w.derpMap
		more.Regions = map[int]*tailcfg.DERPRegion{1: w.derpMap.Regions[1], 7: {RegionID: 7, RegionCode: "far", RegionName: "Far", Avoid: true}}
		w.SetDERPMap(&more)
	}, func(sum *tailcfg.MapResponse) bool { return len(sum.DERPMap.Regions) == 2 })
	part("names", func(t *testing.T) {
		w.SetDNS(&tailcfg.DNSConfig{Proxied: true, Domains: []string{"search.test"},
			Routes: map[string][]*dnstype.Resolver{"corp.test": {{Addr: "192.0.2.53"}}}})
	}, func(sum *tailcfg.MapResponse) bool { return len(sum.DNSConfig.Routes["corp.test"]) == 1 })
	part("SSH", func(t *testing.T) {
		w.SetSSHPolicy(&tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{{Principals: []*tailcfg.SSHPrincipal{{Any: true}},
			SSHUsers: map[string]string{"*": "="}, Action: &tailcfg.SSHAction{Accept: true}}}})
	}, func(sum *tailcfg.MapResponse) bool { return sum.SSHPolicy != nil && len(sum.SSHPolicy.Rules) == 1 })
	part("filter", func(t *testing.T) {
		w.SetAppCaps(tailcfg.PeerCapMap{"test.example/app": {`{"open":true}`}})
	}, func(sum *tailcfg.MapResponse) bool {
		return strings.Contains(jsonOf(sum.PacketFilters), "test.example/app")
	})
	part("expiry", func(t *testing.T) {
		node := w.Node(fakes[0])
		node.KeyExpiry = time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		w.PutNode(node)
	}, peer(&fakes[0], func(p *tailcfg.Node) bool { return !p.KeyExpiry.IsZero() }))

	// Message by message, also such as our server never sends. From the first on nothing else comes. Not here is what the
	// releases themselves have in two ways, in what a session keeps and in what is made of it: `PeerSeenChange`, which they take at
	// their own time and whose false they may forget; presence that is told twice in one message (MAP-66); a peer that is
	// changed and also removed or patched (MAP-66); a new disco key of a peer that is offline, which 1.98 does not believe;
	// a change of a peer that takes away an endpoint list, relay, version, signature or time and changes nothing but what a patch
	// has too: they make a patch of it, and a patch takes nothing away.
	fake := w.Node(fakes[0])
	online, seen := true, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	fake.Online, fake.LastSeen, fake.KeySignature, fake.HomeDERP, fake.Cap = &online, &seen, []byte{1, 2, 3}, 7, 103
	fake.Endpoints = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.12:12")}
	moved := fake.Clone()
	moved.Endpoints = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.8:8"), netip.MustParseAddrPort("[2001:db8::8]:8")}
	fresh := key.NewNode().Public()
	self := w.Node(a)
	id := strconv.FormatInt(int64(fake.ID), 10)
	type m = map[string]any
	patch := func(members m) m {
		members["NodeID"] = fake.ID
		return m{"PeersChangedPatch": []any{members}}
	}
	rule := func(source string) []any {
		return []any{m{"SrcIPs": []string{source}, "DstPorts": []any{m{"IP": "*", "Ports": m{"First": 1, "Last": 65535}}}}}
	}
	for _, one := range []struct {
		name string
		sent m
	}{
		{"patch: endpoints", patch(m{"Endpoints": []string{"192.0.2.9:9"}})},
		{"patch: no endpoints", patch(m{"Endpoints": []string{}})},
		{"patch: relay", patch(m{"DERPRegion": 7})},
		{"patch: capability version", patch(m{"Cap": 101})},
		{"patch: capabilities", patch(m{"CapMap": m{"test.example/patched": nil}})},
		{"patch: no capabilities", patch(m{"CapMap": m{}})},
		{"patch: disco key", patch(m{"DiscoKey": key.NewDisco().Public(), "Online": true})},
		{"patch: online", patch(m{"Online": true})},
		{"patch: offline since", patch(m{"Online": false, "LastSeen": "2026-01-02T03:04:05Z"})},
		{"patch: expiry", patch(m{"KeyExpiry": "2031-01-02T03:04:05Z"})},
		{"patch: key", patch(m{"Key": fresh, "KeySignature": fake.KeySignature})},
		{"patch: many", patch(m{"Endpoints": []string{"192.0.2.10:10"}, "DERPRegion": 1, "Online": true, "Cap": 102})},
		{"patch: a peer that is not there", m{"PeersChangedPatch": []any{m{"NodeID": 999, "DERPRegion": 1}}}},
		{"online change", m{"OnlineChange": m{id: false}}},
		{"online change of a peer that is not there", m{"OnlineChange": m{"999": true}}},
		{"changed", m{"PeersChanged": []any{moved}}},
		{"changed and online", m{"PeersChanged": []any{fake}, "OnlineChange": m{id: true}}},
		{"removed", m{"PeersRemoved": []any{fake.ID}}},
		{"removed though it is not there", m{"PeersRemoved": []any{fake.ID, 999}}},
		{"back", m{"PeersChanged": []any{fake}}},
		{"a keep-alive with changes", m{"KeepAlive": true, "PeersRemoved": []any{fake.ID}, "Domain": "other.test"}},
		{"an unknown owner", m{"PeersChanged": []any{func() *tailcfg.Node { c := moved.Clone(); c.User = 4711; return c }()}}},
		{"its owner's profile", m{"UserProfiles": []any{m{"ID": 4711, "LoginName": "late@test", "DisplayName": "Late"}}}},
		{"another profile of his", m{"UserProfiles": []any{m{"ID": 4711, "LoginName": "late@test", "DisplayName": "Later"}}}},
		{"all peers, and changes beside them", m{"Peers": []any{fake, w.Node(fakes[1])}, "PeersRemoved": []any{fake.ID}, "OnlineChange": m{id: true}}},
		{"self", m{"Node": func() *tailcfg.Node { c := self.Clone(); c.Name = "renamed.ts2021.test."; return c }()}},
		{"names", m{"DNSConfig": m{"Domains": []string{"one.test"}, "Proxied": true}}},
		{"no names", m{"DNSConfig": m{}}},
		{"domain", m{"Domain": "other.test"}},
		{"services", m{"CollectServices": true}},
		{"filter: one list", m{"PacketFilter": rule("100.64.0.1")}},
		{"filter: by name", m{"PacketFilters": m{"b": rule("100.64.0.3"), "a": rule("100.64.0.2")}}},
		{"filter: one name", m{"PacketFilters": m{"a": rule("100.64.0.4")}}},
		{"filter: one name less", m{"PacketFilters": m{"a": nil}}},
		{"filter: all anew", m{"PacketFilters": m{"*": nil, "c": rule("100.64.0.5")}}},
		{"filter: one list beside names", m{"PacketFilter": rule("100.64.0.6"), "PacketFilters": m{"c": nil, "d": rule("100.64.0.7")}}},
		{"filter: nothing let in", m{"PacketFilters": m{"*": nil}}},
		{"health", m{"Health": []string{"one", "two"}}},
		{"healthy", m{"Health": []string{}}},
		{"messages", m{"DisplayMessages": m{"x": m{"Title": "X", "Text": "x", "Severity": "high"}, "y": m{"Title": "Y", "Text": "y", "Severity": "low"}}}},
		{"a message less", m{"DisplayMessages": m{"x": nil, "z": m{"Title": "Z", "Text": "z", "Severity": "medium"}}}},
		{"messages anew", m{"DisplayMessages": m{"*": nil, "w": m{"Title": "W", "Text": "w", "Severity": "medium"}}}},
		{"no messages", m{"DisplayMessages": m{"*": nil}}},
		{"relays: parameters", m{"DERPMap": m{"HomeParams": m{"RegionScore": m{"7": 0.5}}}}},
		{"relays: regions", m{"DERPMap": w.derpMap}},
		{"SSH", m{"SSHPolicy": m{"rules": []any{}}}},
		{"audit log", m{"DomainDataPlaneAuditLogID": "0123456789abcdef"}},
		{"nothing", m{}},
	} {
		had := f.messages
		part(one.name, func(t *testing.T) {
			if !w.SendRawMap(a, one.sent) {
				t.Fatal("it has no poll")
			}
		}, func(*tailcfg.MapResponse) bool { return f.messages > had })
	}
	recordJoined(t, "tailscaled "+newestClient+" folded", 2)
}

type foldWorld struct {
	*adminWorld
	capture  string
	node     key.NodePublic
	machine  string
	messages int // of the newest stream
}

// The client makes a map of the fold's sum, as if that had come as its first message: it must be the map that it holds.
func (f *foldWorld) compare(told func(sum *tailcfg.MapResponse) bool) {
	f.t.Helper()
	eventually(f.t, "the fold is what the client holds", 3*time.Second, func() error {
		out, _, err := output(f.t, 20*time.Second, filepath.Join(binDir, "fold_capture"), f.capture, f.machine)
		if err != nil {
			return err
		}
		count, text, _ := strings.Cut(out, "\n")
		var sum *tailcfg.MapResponse
		if f.messages, err = strconv.Atoi(count); err == nil {
			err = json.Unmarshal([]byte(text), &sum)
		}
		if err != nil {
			return err
		}
		if !told(sum) {
			return fmt.Errorf("the news have not come: %.3000s", out)
		}
		body := []byte(`{"Candidate":` + text + `,"OmitFields":["MachineKey"]}`) // the client's own
		answer, err := f.Call(f.node, admin.C2N{Method: "POST", Path: "/debug/netmap", Timeout: "5s", Body: body})
		if err != nil || answer.Status != 200 {
			return fmt.Errorf("%d %s %v", answer.Status, answer.Body, err)
		}
		var both struct{ Current, Candidate map[string]json.RawMessage }
		if err := json.Unmarshal(answer.Body, &both); err != nil {
			return err
		}
		return differ(both.Current, both.Candidate)
	})
}

// Members by name, so that it is seen what is different.
func differ(client, fold map[string]json.RawMessage) error {
	names := map[string]bool{}
	for name := range client {
		names[name] = true
	}
	for name := range fold {
		names[name] = true
	}
	var errs []error
	for name := range names {
		// An empty list and none are the same.
		plain := func(text json.RawMessage) string { return strings.ReplaceAll(string(text), ":[]", ":null") }
		if one, other := plain(client[name]), plain(fold[name]); one != other {
			at := 0
			for at < min(len(one), len(other)) && one[at] == other[at] {
				at++
			}
			around := func(text string) string { return text[min(max(0, at-200), len(text)):min(at+100, len(text))] }
			errs = append(errs, fmt.Errorf("%s: the client has …%s…, the fold …%s…", name, around(one), around(other)))
		}
	}
	sort.Slice(errs, func(i, j int) bool { return errs[i].Error() < errs[j].Error() })
	return errors.Join(errs...)
}
