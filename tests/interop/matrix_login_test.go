// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// Logged out it is gone for all others, or expired, or offline; with the key it returns.
func (m *matrix) leavesAndReturns(t *testing.T, n *matrixNode) {
	if _, err := n.cli(20*time.Second, "logout"); err != nil {
		t.Fatal(err)
	}
	for _, viewer := range m.nodes {
		if viewer == n || !viewer.home.IsValid() {
			continue
		}
		viewer.waitPeer(n.name, "gone, expired or offline", 15*time.Second, func(p *ipnstate.PeerStatus) bool {
			return p == nil || p.Expired || !p.Online
		})
	}
	if err := n.up(m.server.AuthKey); err != nil {
		t.Fatal(err)
	}
	n.home = n.address()
	m.seesAll(t, n)
	for _, viewer := range m.nodes {
		if viewer != n && viewer.home.IsValid() {
			viewer.waitPeer(n.name, "online again", 15*time.Second, func(p *ipnstate.PeerStatus) bool {
				return p != nil && p.Online && len(p.TailscaleIPs) > 0 && p.TailscaleIPs[0] == n.home
			})
		}
	}
}
