// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"ts2021.invalid/interop/admin"
)

// What two nodes are to each other.
func adminViews(t *testing.T, calls *adminCalls) {
	w := newAdminWorld(t, calls, "--test-mode")
	alpha, a := w.join("alpha")
	beta, b := w.join("beta")
	aHome, bHome := alpha.address(), beta.address()
	alpha.waitPeer("beta", "there", 10*time.Second, isThere)
	beta.waitPeer("alpha", "there", 10*time.Second, isThere)
	port := startEcho(t).Port()
	part := func(name string, run func(t *testing.T)) { w.part(name, run, alpha, beta) }

	part("jailed", func(t *testing.T) {
		for _, now := range []struct{ alpha, beta bool }{{false, false}, {true, false}, {true, true}, {false, false}} {
			// The last message is sent again where it changes nothing.
			polled := alpha.told(func() { w.SetJailed(b, a, now.alpha) })
			if !polled {
				t.Error("no map followed")
			}
			w.SetJailed(a, b, now.beta)
			beta.waitHeld(a, "that is jailed or not", func(p tailcfg.NodeView) bool { return p.IsJailed() == now.alpha })
			alpha.waitHeld(b, "that is jailed or not", func(p tailcfg.NodeView) bool { return p.IsJailed() == now.beta })
			for _, way := range []struct {
				from, to *node
				address  netip.Addr
				shut     bool
			}{{alpha, beta, bHome, now.alpha}, {beta, alpha, aHome, now.beta}} {
				if err := way.from.dials(way.address, port); (err != nil) != way.shut {
					t.Errorf("%+v: %s dials %s: %v", now, way.from.name, way.to.name, err)
				}
			}
		}
		if text := string(w.NodeDocument(a, "jailed/"+b.String())); text != `{"jailed":false}` {
			t.Errorf("it is %s", text)
		}
	})
	part("masquerades", func(t *testing.T) {
		v4, v6 := netip.MustParseAddr("100.64.9.9"), netip.MustParseAddr("fd7a:115c:a1e0::99")
		w.SetMasquerades([]admin.Masquerade{{Node: a, Peer: b, Address: v4.String()}, {Node: b, Peer: a, Address: v6.String()}})
		// Beta knows alpha by another address, and alpha beta.
		beta.waitHeld(a, "under its other address", func(p tailcfg.NodeView) bool {
			return hasPrefix(p.Addresses().AsSlice(), v4) && hasPrefix(p.AllowedIPs().AsSlice(), v4) && !hasPrefix(p.Addresses().AsSlice(), aHome)
		})
		alpha.waitHeld(b, "that knows it otherwise", func(p tailcfg.NodeView) bool {
			own, known := p.SelfNodeV4MasqAddrForThisPeer().GetOk()
			return known && own == v4 && hasPrefix(p.Addresses().AsSlice(), v6)
		})
		beta.waitHeld(a, "that knows it otherwise", func(p tailcfg.NodeView) bool {
			own, known := p.SelfNodeV6MasqAddrForThisPeer().GetOk()
			return known && own == v6
		})
		for _, kind := range []string{"--tsmp", "--icmp"} {
			beta.ping(v4, kind)
			alpha.ping(bHome, kind)
			alpha.ping(v6, kind)
		}
		if text := string(w.Document("masquerades")); !strings.Contains(text, v4.String()) {
			t.Errorf("they are %s", text)
		}
		w.SetMasquerades(nil)
		beta.waitHeld(a, "under its own address", func(p tailcfg.NodeView) bool { return hasPrefix(p.Addresses().AsSlice(), aHome) })
		beta.ping(aHome, "--tsmp")
	})
	part("capmap", func(t *testing.T) {
		w.SetCapMap(a, tailcfg.NodeCapMap{"test.example/state": {`"initial"`}, "test.example/on": nil})
		alpha.waitNetmap("sees its own capabilities", func(held *netmap.NetworkMap) error {
			// Beside those of the older list, which it adds.
			got := held.SelfNode.CapMap().AsMap()
			if _, on := got["test.example/on"]; !on || jsonOf(got["test.example/state"]) != `["initial"]` {
				return fmt.Errorf("they are %s", jsonOf(got))
			}
			return nil
		})
		beta.waitHeld(a, "with the capabilities", func(p tailcfg.NodeView) bool {
			return p.CapMap().Contains("test.example/state") && p.CapMap().Contains("test.example/on")
		})
		if text := string(w.NodeDocument(a, "capmap")); !strings.Contains(text, `"test.example/state":["initial"]`) {
			t.Errorf("it is %s", text)
		}
		w.SetCapMap(a, nil)
		beta.waitHeld(a, "as before", func(p tailcfg.NodeView) bool { return !p.CapMap().Contains("test.example/state") })
	})
	part("app caps", func(t *testing.T) {
		w.SetAppCaps(tailcfg.PeerCapMap{"test.example/app": {`{"role":"admin"}`}})
		eventually(t, "alpha knows what beta may", 10*time.Second, func() error {
			who, err := alpha.local().WhoIs(context.Background(), bHome.String())
			if err != nil {
				return err
			}
			if got := who.CapMap["test.example/app"]; jsonOf(got) != `[{"role":"admin"}]` {
				return fmt.Errorf("it may %s", jsonOf(who.CapMap))
			}
			if who.Node.Key != b || who.UserProfile.LoginName != "user-2@fake-control.example.net" {
				t.Errorf("it is %s", jsonOf(who))
			}
			return nil
		})
		if text := string(w.Document("app-caps")); !strings.Contains(text, `"role":"admin"`) {
			t.Errorf("they are %s", text)
		}
		w.SetAppCaps(nil)
	})
	part("relay grants", func(t *testing.T) {
		w.Change(map[string]any{"peerRelayGrants": true})
		eventually(t, "alpha has the grants", 10*time.Second, func() error {
			rules, err := alpha.local().DebugPacketFilterRules(context.Background())
			if err != nil {
				return err
			}
			for _, rule := range rules {
				for _, grant := range rule.CapGrant {
					if slices.Contains(grant.Caps, tailcfg.PeerCapabilityRelay) && slices.Contains(grant.Caps, tailcfg.PeerCapabilityRelayTarget) {
						return nil
					}
				}
			}
			return fmt.Errorf("it has %s", jsonOf(rules))
		})
		w.Change(map[string]any{"peerRelayGrants": false})
	})
	part("unsigned", func(t *testing.T) {
		w.SetUnsignedPeerAPIOnly(b, true)
		alpha.waitHeld(b, "that is not signed", func(p tailcfg.NodeView) bool { return p.UnsignedPeerAPIOnly() })
		if err := beta.dials(aHome, port); err == nil {
			t.Error("it may still do all")
		}
		if text := string(w.NodeDocument(b, "unsigned-peerapi-only")); text != `{"value":true}` {
			t.Errorf("it is %s", text)
		}
		w.SetUnsignedPeerAPIOnly(b, false)
		alpha.waitHeld(b, "as before", func(p tailcfg.NodeView) bool { return !p.UnsignedPeerAPIOnly() })
		eventually(t, "it may do all again", 10*time.Second, func() error { return beta.dials(aHome, port) })
	})
	part("routes", func(t *testing.T) {
		route := netip.MustParsePrefix("10.98.0.0/24")
		w.SetRoutes(b, []netip.Prefix{route})
		alpha.waitHeld(b, "with the route", func(p tailcfg.NodeView) bool {
			return slices.Contains(p.AllowedIPs().AsSlice(), route) && slices.Contains(p.PrimaryRoutes().AsSlice(), route)
		})
		beta.waitNetmap("has the route", func(held *netmap.NetworkMap) error {
			if !slices.Contains(held.SelfNode.AllowedIPs().AsSlice(), route) {
				return fmt.Errorf("it has %s", jsonOf(held.SelfNode.AllowedIPs()))
			}
			return nil
		})
		if text := string(w.NodeDocument(b, "routes")); text != `["10.98.0.0/24"]` {
			t.Errorf("they are %s", text)
		}
		w.SetRoutes(b, nil)
		alpha.waitHeld(b, "without the route", func(p tailcfg.NodeView) bool { return !slices.Contains(p.AllowedIPs().AsSlice(), route) })
	})
	part("online", func(t *testing.T) {
		online := func(want string) func(tailcfg.NodeView) bool {
			return func(p tailcfg.NodeView) bool {
				is, known := p.Online().GetOk()
				return fmt.Sprint(is, known) == want
			}
		}
		alpha.waitHeld(b, "of which nothing is known", online("false false"))
		w.Change(map[string]any{"allOnline": true})
		alpha.waitHeld(b, "that is there", online("true true"))
	})
}

func hasPrefix(all []netip.Prefix, address netip.Addr) bool {
	return slices.Contains(all, netip.PrefixFrom(address, address.BitLen()))
}

// Does it get there and back within two seconds?
func (n *node) dials(to netip.Addr, port uint16) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := n.local().DialTCP(ctx, to.String(), port)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}
