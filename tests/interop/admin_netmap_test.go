// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
	"tailscale.com/types/netmap"
	"ts2021.invalid/interop/admin"
)

// What the maps of all nodes say.
func adminNetmap(t *testing.T, calls *adminCalls) {
	w := newAdminWorld(t, calls, "--test-mode")
	w.Change(map[string]any{"magicDNSDomain": "nodes.test", "collectServices": false, "verbose": true})
	alpha, a := w.join("alpha")
	beta, b := w.join("beta")
	alpha.waitPeer("beta", "there", 10*time.Second, isThere)
	part := func(name string, run func(t *testing.T)) { w.part(name, run, alpha, beta) }

	part("knobs", func(t *testing.T) {
		var knobs struct{ DisableUPnP bool }
		if text := alpha.must("debug", "control-knobs"); json.Unmarshal([]byte(text), &knobs) != nil || !knobs.DisableUPnP {
			t.Errorf("the knobs are %s", text)
		}
	})
	part("preview", func(t *testing.T) {
		for _, key := range []struct{ self, peer tailcfg.NodeID }{{1, 2}, {2, 1}} {
			nodeKey := a
			if key.self == 2 {
				nodeKey = b
			}
			preview, text := w.Preview(nodeKey)
			if _, again := w.Preview(nodeKey); !bytes.Equal(text, again) {
				t.Errorf("the same state is told as\n%s and\n%s", text, again)
			}
			body, err := json.Marshal(&tailcfg.C2NDebugNetmapRequest{Candidate: preview})
			if err != nil {
				t.Fatal(err)
			}
			// Endpoints may be on their way.
			eventually(t, "what it holds is what the preview makes of it", 10*time.Second, func() error {
				answer, err := w.Call(nodeKey, admin.C2N{Method: "POST", Path: "/debug/netmap", Body: body, Timeout: "5s"})
				if err != nil || answer.Status != 200 {
					return fmt.Errorf("%d %v", answer.Status, err)
				}
				var both tailcfg.C2NDebugNetmapResponse
				var current, candidate netmap.NetworkMap
				if err := errors.Join(json.Unmarshal(answer.Body, &both), json.Unmarshal(both.Current, &current), json.Unmarshal(both.Candidate, &candidate)); err != nil {
					return err
				}
				if err := same(current.SelfNode, candidate.SelfNode); err != nil {
					return err
				}
				if len(current.Peers) != 1 || len(candidate.Peers) != 1 || current.Peers[0].ID() != key.peer {
					return fmt.Errorf("peers are %s and %s", jsonOf(current.Peers), jsonOf(candidate.Peers))
				}
				return same(current.Peers[0], candidate.Peers[0])
			})
		}
	})
	part("services", func(t *testing.T) {
		collects := func(want bool) func(*netmap.NetworkMap) error {
			return func(held *netmap.NetworkMap) error {
				if held.CollectServices != want {
					return fmt.Errorf("it is %v", held.CollectServices)
				}
				return nil
			}
		}
		alpha.waitNetmap("keeps its services", collects(false))
		w.Change(map[string]any{"collectServices": nil})
		alpha.waitNetmap("tells its services", collects(true))
	})
	part("relays", func(t *testing.T) {
		more := *w.derpMap
		more.Regions = map[int]*tailcfg.DERPRegion{1: w.derpMap.Regions[1], 7: {RegionID: 7, RegionCode: "far", RegionName: "Far", Avoid: true,
			Nodes: []*tailcfg.DERPNode{{Name: "7a", RegionID: 7, HostName: "127.0.0.1", IPv4: "127.0.0.1", DERPPort: 1, STUNPort: -1, InsecureForTests: true}}}}
		w.SetDERPMap(&more)
		held := func() (*tailcfg.DERPMap, error) { return alpha.local().CurrentDERPMap(context.Background()) }
		eventually(t, "alpha knows the other relay", 10*time.Second, func() error {
			got, err := held()
			if err == nil {
				err = same(got, &more)
			}
			return err
		})
		if text := string(w.Document("derpmap")); text != jsonOf(&more) {
			t.Errorf("it is %s", text)
		}
		w.SetDERPMap(w.derpMap)
		eventually(t, "alpha has forgotten the other relay", 10*time.Second, func() error {
			got, err := held()
			if err == nil {
				err = same(got, w.derpMap)
			}
			return err
		})
	})
	part("names", func(t *testing.T) {
		w.SetDNS(&tailcfg.DNSConfig{Proxied: true, Domains: []string{"nodes.test", "search.test"},
			Routes:       map[string][]*dnstype.Resolver{"corp.test": {{Addr: "192.0.2.53"}}},
			ExtraRecords: []tailcfg.DNSRecord{{Name: "one.nodes.test", Value: "192.0.2.71"}}})
		w.AddDNSRecords(tailcfg.DNSRecord{Name: "two.nodes.test", Value: "192.0.2.72"})
		alpha.waitNetmap("knows the names", func(held *netmap.NetworkMap) error {
			if d := held.DNS; !d.Proxied || !slices.Contains(d.Domains, "search.test") || len(d.ExtraRecords) != 2 ||
				len(d.Routes["corp.test"]) != 1 || !slices.Equal(d.CertDomains, []string{"alpha.nodes.test"}) {
				return fmt.Errorf("it knows %s", jsonOf(held.DNS))
			}
			return nil
		})
		alpha.query("one.nodes.test", "192.0.2.71")
		alpha.query("two.nodes.test", "192.0.2.72")
		alpha.query("beta.nodes.test", beta.address().String())
		if text := string(w.Document("dns")); !strings.Contains(text, "two.nodes.test") || !strings.Contains(text, "search.test") {
			t.Errorf("it is %s", text)
		}
	})
	part("set-dns", func(t *testing.T) {
		set := func(name string) error {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			return alpha.local().SetDNS(ctx, name, "the-answer")
		}
		const own = "_acme-challenge.alpha.nodes.test"
		_, next := w.Events("set-dns", -1, 0)
		if err := set(own); err != nil {
			t.Fatal(err)
		}
		events, _ := w.Events("set-dns", next, 5*time.Second)
		if len(events) != 1 || events[0].NodeKey != a.String() || events[0].Name != own || events[0].RecordType != "TXT" || events[0].Value != "the-answer" {
			t.Errorf("the events are %+v", events)
		}
		if err := set("_acme-challenge.beta.nodes.test"); err == nil {
			t.Error("it set a record of another")
		}
		hold := w.MakeHold(admin.Hold{On: "set-dns", Timeout: "20s"})
		done := make(chan error, 1)
		go func() { done <- set(own) }()
		held := w.Next(hold, 10*time.Second)
		if held == nil || held.NodeKey != a {
			t.Fatalf("held is %+v", held)
		}
		w.Decide(hold, held.Call, admin.Decision{Action: "reject", Status: 403, Body: "not this one"})
		if err := <-done; err == nil || !strings.Contains(err.Error(), "not this one") {
			t.Errorf("a rejected record: %v", err)
		}
		w.RemoveHold(hold)
		w.Change(map[string]any{"setDNSError": "no more records"})
		if err := set(own); err == nil || !strings.Contains(err.Error(), "no more records") {
			t.Errorf("a failing record: %v", err)
		}
		w.Change(map[string]any{"setDNSError": ""})
	})
	part("ssh", func(t *testing.T) {
		if _, err := beta.cli(20*time.Second, "set", "--ssh", "--accept-risk=lose-ssh"); err == nil {
			t.Error("it may run a server though there is no policy")
		}
		policy := func(action *tailcfg.SSHAction) {
			w.SetSSHPolicy(&tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{{Principals: []*tailcfg.SSHPrincipal{{Any: true}},
				SSHUsers: map[string]string{"*": "="}, Action: action}}})
		}
		policy(&tailcfg.SSHAction{Accept: true})
		eventually(t, "beta runs a server", 10*time.Second, func() error {
			_, err := beta.cli(20*time.Second, "set", "--ssh", "--accept-risk=lose-ssh")
			return err
		})
		eventually(t, "alpha enters beta", 20*time.Second, func() error { return sshRuns(alpha, beta.address()) })
		policy(&tailcfg.SSHAction{Reject: true, Message: "go away"})
		eventually(t, "alpha enters no more", 10*time.Second, func() error {
			if sshRuns(alpha, beta.address()) == nil {
				return errors.New("it does")
			}
			return nil
		})
		if text := string(w.Document("ssh-policy")); !strings.Contains(text, "go away") {
			t.Errorf("it is %s", text)
		}
		w.SetSSHPolicy(nil)
	})
	part("other nodes", func(t *testing.T) {
		peers := func(count int) {
			t.Helper()
			alpha.waitNetmap("has its peers", func(held *netmap.NetworkMap) error {
				if len(held.Peers) != count {
					return fmt.Errorf("they are %d", len(held.Peers))
				}
				return nil
			})
		}
		peers(1)
		keys := w.AddFakeNodes(3)
		if len(keys) != 3 || w.NumNodes() != 5 {
			t.Fatalf("there are %v, %d", keys, w.NumNodes())
		}
		peers(1) // nobody has been told
		fake := w.Node(keys[0])
		fake.Name, fake.Hostinfo = "painted.nodes.test.", (&tailcfg.Hostinfo{Hostname: "painted", OS: "plan9"}).View()
		fake.Addresses = []netip.Prefix{netip.MustParsePrefix("100.64.50.1/32"), fake.Addresses[1]}
		fake.AllowedIPs = fake.Addresses
		w.PutNode(fake)
		peers(4)
		alpha.waitHeld(keys[0], "as it was painted", func(p tailcfg.NodeView) bool {
			return p.Name() == "painted.nodes.test." && p.Hostinfo().OS() == "plan9" && p.Addresses().At(0).String() == "100.64.50.1/32"
		})
	})
	if stats := w.Stats(); stats.Unhandled != 0 {
		t.Errorf("%d requests were nobody's", stats.Unhandled)
	}
}

func same(got, want any) error {
	if one, other := jsonOf(got), jsonOf(want); one != other {
		return fmt.Errorf("it is\n%s, not\n%s", one, other)
	}
	return nil
}

// A command of the other node ends well.
func sshRuns(from *node, to netip.Addr) error {
	conn, err := from.dial(to.String() + ":22")
	if err != nil {
		return err
	}
	defer conn.Close()
	through, channels, requests, err := ssh.NewClientConn(conn, "beta", &ssh.ClientConfig{
		User:            "root",
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil },
	})
	if err != nil {
		return err
	}
	client := ssh.NewClient(through, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdout, session.Stderr = io.Discard, io.Discard
	return session.Run("true")
}
