// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// What the main tailnet's policy says, in the form of the field.
const policyText = `{
	"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
	// No person is here to approve routes.
	"autoApprovers": {"routes": {"10.77.0.0/16": ["autogroup:member"]}},
	"ssh": [
		{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]},
		{"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["nobody"], "checkPeriod": "always"},
	],
}
`

func writePolicy(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.hujson")
	if err := os.WriteFile(path, []byte(policyText), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The network behind the client of row `i`, and the one machine in it.
func networkOf(i int) (netip.Prefix, netip.Addr) {
	address := netip.AddrFrom4([4]byte{10, 77, byte(i), 1})
	return netip.PrefixFrom(address, 24).Masked(), address
}

// All others are told of the network behind it, and a packet for the machine there comes through.
func (m *matrix) routes(t *testing.T, n *matrixNode) {
	network, machine := networkOf(slices.Index(m.nodes, n))
	if _, _, err := output(t, 10*time.Second, "ip", "address", "replace", machine.String()+"/32", "dev", "lo"); err != nil {
		t.Fatal(err)
	}
	target := netip.AddrPortFrom(machine, m.echo.Port())
	for _, viewer := range m.nodes {
		if viewer == n || !viewer.home.IsValid() {
			continue
		}
		if viewer.atLeast(24) { // before, its status did not tell
			viewer.waitPeer(n.name, "with its route", 20*time.Second, func(p *ipnstate.PeerStatus) bool {
				return p != nil && p.PrimaryRoutes != nil && slices.Contains(p.PrimaryRoutes.AsSlice(), network)
			})
		}
		eventually(t, viewer.name+" reaches what is behind "+n.name, 30*time.Second, func() error {
			return viewer.reach(target.String())
		})
	}
	if m.rust != nil {
		eventually(t, "the Rust client reaches what is behind "+n.name, 40*time.Second, func() error {
			if err := m.rust.reach(target); err != nil {
				return fmt.Errorf("%v: %w", target, err)
			}
			return nil
		})
	}
}
