// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
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

// Logged out it comes back without a key: a person opens the page that the client names, reads what wants in, and lets
// it in under the name that its other nodes have.
func (m *matrix) logsIn(t *testing.T, n *matrixNode) {
	if _, err := n.cli(20*time.Second, "logout"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- n.up("") }()
	var page string
	eventually(t, n.name+" names a page", 20*time.Second, func() error {
		status, err := n.status()
		if err != nil {
			return err
		}
		if page = status.AuthURL; page == "" {
			return fmt.Errorf("it is %s", status.BackendState)
		}
		return nil
	})
	m.letIn(t, page, n.name)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	n.home = n.address()
	m.seesAll(t, n)
}

func (m *matrix) letIn(t *testing.T, page, name string) {
	t.Helper()
	m.browser.t = t
	m.browser.open(page)
	if text := m.browser.text(); !strings.Contains(text, name) {
		t.Fatalf("the page does not name %s: %s", name, text)
	}
	m.browser.fill("login_name", ownerName)
	m.browser.press("Connect")
	eventually(t, "the page says that it is done", 15*time.Second, func() error {
		if text := m.browser.text(); !strings.Contains(text, "Done") {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})
}

// A second Rust client, which has no key.
func (m *matrix) rustLogsIn(t *testing.T) {
	n := newRustNode(t, m.server, m.rust.program, "login-rust")
	n.launch("")
	var wanted struct{ Login string }
	if err := n.answer(40*time.Second, &wanted); err != nil || wanted.Login == "" {
		t.Fatalf("it names no page: %v", err)
	}
	m.letIn(t, wanted.Login, n.name)
	n.waitIn()
	n.stop()
}

// In a tailnet whose keys soon expire each client comes to want a login, and after one all see it again under its old
// address.
func (m *matrix) expiry(derpMap *tailcfg.DERPMap) {
	const column = "expiry"
	s := startServer(m.t, derpMap, "--key-lifetime", "30s")
	side := newMatrix(m.table, s, m.without(column), "old")
	side.join(column)
	side.each(column, func(t *testing.T, n *matrixNode) {
		eventually(t, n.name+" wants a login", 60*time.Second, func() error {
			status, err := n.status()
			if err == nil && status.BackendState != "NeedsLogin" {
				err = fmt.Errorf("it is %s", status.BackendState)
			}
			return err
		})
		if err := n.up(s.AuthKey, "--force-reauth"); err != nil {
			t.Fatal(err)
		}
		if again := n.address(); again != n.home {
			t.Fatalf("it had %v and has %v", n.home, again)
		}
		for _, viewer := range side.nodes {
			if viewer != n && viewer.isRunning() {
				viewer.waitPeer(n.name, "online again", 15*time.Second, func(p *ipnstate.PeerStatus) bool {
					return p != nil && p.Online && !p.Expired && slices.Contains(p.TailscaleIPs, n.home)
				})
			}
		}
	}, side.rustComesBackExpired)
	side.leave()
}

// It says nothing when its key expires; started again with an auth key it gets a new time.
func (m *matrix) rustComesBackExpired(t *testing.T) {
	before := m.rust.self.Addresses
	m.rust.stop()
	m.rust.start(m.server.AuthKey)
	if !slices.Equal(before, m.rust.self.Addresses) {
		t.Fatalf("it had %v and has %v", before, m.rust.self.Addresses)
	}
}
