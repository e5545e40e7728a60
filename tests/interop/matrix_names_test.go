// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// A record of the tailnet beside its nodes.
const (
	extraName    = "extra.matrix.test"
	extraAddress = "192.0.2.77"
)

// Every other by its MagicDNS names: through the client's proxy, and by its command line from 1.74 on.
func (m *matrix) findsNames(t *testing.T, n *matrixNode) {
	for name, address := range m.others(n.name) {
		full := m.fullName(t, n, name)
		for _, spelling := range []string{name, strings.TrimSuffix(full, ".")} {
			eventually(t, n.name+" reaches "+spelling, 15*time.Second, func() error {
				return n.reach(fmt.Sprintf("%s:%d", spelling, m.echoOf(name, address).Port()))
			})
		}
		n.query(full, address.String())
	}
	n.query(extraName, extraAddress)
}

// The resolver of the client, where its command line can ask it.
func (n *node) query(name, address string) {
	n.t.Helper()
	if !n.atLeast(74) {
		return
	}
	out, err := n.cli(10*time.Second, "dns", "query", name)
	if err != nil || !strings.Contains(out, address) {
		n.t.Fatalf("dns query %s: %v\n%s", name, err, out)
	}
}

func (m *matrix) rustFindsNames(t *testing.T) {
	for _, n := range m.nodes {
		for name, address := range m.others(n.name) {
			if name == m.rust.name {
				continue
			}
			peer, err := m.rust.peer(strings.TrimSuffix(m.fullName(t, n, name), "."))
			if err != nil || !slices.Contains(peer.Addresses, address) {
				t.Fatalf("%s is %+v, not %v: %v", name, peer, address, err)
			}
		}
		return
	}
}

// The name of a peer with its domain, as `n` has it.
func (m *matrix) fullName(t *testing.T, n *matrixNode, name string) string {
	t.Helper()
	status, err := n.status()
	if err != nil {
		t.Fatal(err)
	}
	peer := peerNamed(status, name)
	if peer == nil || !strings.HasPrefix(peer.DNSName, name+".") || !strings.HasSuffix(peer.DNSName, ".") {
		t.Fatalf("%s sees %s as %+v", n.name, name, peer)
	}
	return peer.DNSName
}

// Under a new host name it is the same node to all others, by its DNS name too; then it takes the old one again.
func (m *matrix) isRenamed(t *testing.T, n *matrixNode) {
	for _, name := range []string{n.name + "-renamed", n.name} {
		if n.atLeast(34) {
			if _, err := n.cli(20*time.Second, "set", "--hostname="+name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := n.cli(50*time.Second, n.upArgs(name)...); err != nil {
			t.Fatal(err)
		}
		for _, viewer := range m.nodes {
			if viewer == n || !viewer.home.IsValid() {
				continue
			}
			viewer.waitPeer(name, "renamed", 15*time.Second, func(p *ipnstate.PeerStatus) bool {
				return p != nil && slices.Contains(p.TailscaleIPs, n.home) && strings.HasPrefix(p.DNSName, name+".")
			})
		}
		if m.rust != nil && len(m.rust.self.Addresses) > 0 {
			eventually(t, "the Rust client sees "+name, 15*time.Second, func() error {
				_, err := m.rust.peer(name)
				return err
			})
		}
	}
}
