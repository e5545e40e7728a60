// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// Nodes of several releases in one tailnet: each sees every other with its address and relay, and a WireGuard
// ping gets through from and to the newest.
func TestReleases(t *testing.T) {
	forgetJoined(t)
	versions := strings.Fields(os.Getenv("INTEROP_RELEASES"))
	if len(versions) == 0 {
		t.Fatal("INTEROP_RELEASES names no release")
	}
	s := startServer(t, startRelay(t, newestClient))
	var nodes []*node
	for _, version := range append([]string{newestClient}, versions...) {
		n := newNode(t, s, version, "node-"+strings.ReplaceAll(version[1:], ".", "-"))
		n.start()
		if err := n.up(s.AuthKey); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		nodes = append(nodes, n)
	}
	for _, viewer := range nodes {
		for _, other := range nodes {
			if viewer == other {
				continue
			}
			address := other.address()
			viewer.waitPeer(other.name, "online with address and relay", 30*time.Second, func(p *ipnstate.PeerStatus) bool {
				return p != nil && p.Online && p.Relay == relayCode && slices.Contains(p.TailscaleIPs, address)
			})
		}
	}
	newest := nodes[0]
	for _, n := range nodes[1:] {
		if got := "v" + strings.SplitN(n.waitRunning().Version, "-", 2)[0]; got != n.version {
			t.Fatalf("the client of %s says it is %s", n.version, got)
		}
		newest.ping(n.address(), "--tsmp")
		n.ping(newest.address(), "--tsmp")
		recordJoined(t, "tailscaled "+n.version, 1)
	}
}
