// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"slices"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// TS2019 alone (BOX-5): a client that knows nothing else and one that falls back to it see and ping each other,
// keep their addresses over a restart, and notice each other's leaving.
func TestTS2019(t *testing.T) {
	forgetJoined(t)
	s := startServer(t, startRelay(t, newestClient), "--no-ts2021")
	var nodes []*node
	for _, version := range []string{"v1.20.4", "v1.60.1"} {
		n := newNode(t, s, version, "box-"+version[1:2]+version[3:5])
		n.start()
		if err := n.up(s.AuthKey); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		nodes = append(nodes, n)
	}
	sees := func(viewer, other *node) {
		address := other.address()
		viewer.waitPeer(other.name, "online with address and relay", 30*time.Second, func(p *ipnstate.PeerStatus) bool {
			return p != nil && p.Online && p.Relay == relayCode && slices.Contains(p.TailscaleIPs, address)
		})
	}
	one, two := nodes[0], nodes[1]
	sees(one, two)
	sees(two, one)
	one.ping(two.address(), "--tsmp")
	two.ping(one.address(), "--tsmp")

	before := two.address()
	two.stop()
	one.waitPeer(two.name, "offline", 10*time.Second, func(p *ipnstate.PeerStatus) bool { return p != nil && !p.Online })
	two.start()
	if after := two.address(); after != before {
		t.Fatalf("%s had %v and has %v after a restart", two.name, before, after)
	}
	sees(one, two)
	recordJoined(t, "tailscaled "+one.version+" by TS2019", 1)
	recordJoined(t, "tailscaled "+two.version+" by TS2019", 1)
}
