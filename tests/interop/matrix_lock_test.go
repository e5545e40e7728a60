// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
)

// Tailnet lock: the newest client initialises it; each other that joins is invisible to it until it has signed that
// one's key; then it disables the lock, and all are visible without.
func (m *matrix) lock(derpMap *tailcfg.DERPMap) {
	const column = "lock"
	side := newMatrix(m.table, startServer(m.t, derpMap), m.without(column), "lock")
	signer := side.nodes[len(side.nodes)-1]
	var secret, late string
	out := !side.run(signer.row, column, func(t *testing.T) {
		side.in(t)
		signer.start()
		if err := signer.up(side.server.AuthKey); err != nil {
			t.Fatal(err)
		}
		signer.home = signer.address()
		status := signer.lockStatus()
		if status.Enabled {
			t.Fatal("it is locked before it was locked")
		}
		text, err := signer.cli(60*time.Second, "lock", "init", "--confirm", "--gen-disablements=1",
			strings.Replace(status.PublicKey, "nlpub:", "tlpub:", 1))
		if err != nil {
			t.Fatal(err)
		}
		if secret = regexp.MustCompile(`disablement-secret:[0-9A-F]{64}`).FindString(text); secret == "" {
			t.Fatalf("lock init tells no secret: %s", text)
		}
		eventually(t, "the tailnet is locked", 20*time.Second, func() error {
			if status := signer.lockStatus(); !status.Enabled || !status.NodeKeySigned {
				return fmt.Errorf("it is %+v", status)
			}
			return nil
		})
	})
	if out {
		return
	}
	visible := func(name string) bool {
		peer := peerNamed(signer.waitRunning(), name)
		return peer != nil && len(peer.TailscaleIPs) > 0
	}
	join := func(t *testing.T, name string, up func()) {
		side.in(t)
		up()
		eventually(t, name+" waits for its signature", 20*time.Second, func() error {
			if status := signer.lockStatus(); !strings.Contains(string(status.FilteredPeers), name) {
				return fmt.Errorf("filtered are %s", status.FilteredPeers)
			}
			return nil
		})
		if visible(name) {
			t.Fatalf("%s is visible without a signature", name)
		}
	}
	for _, n := range side.nodes {
		if n == signer {
			continue
		}
		side.run(n.row, column, func(t *testing.T) {
			join(t, n.name, func() {
				n.start()
				if err := n.up(side.server.AuthKey); err != nil {
					t.Fatal(err)
				}
			})
			status, err := n.status()
			if err != nil {
				t.Fatal(err)
			}
			key, err := status.Self.PublicKey.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := signer.cli(30*time.Second, "lock", "sign", string(key)); err != nil {
				t.Fatal(err)
			}
			signer.waitPeer(n.name, "signed", 20*time.Second, func(p *ipnstate.PeerStatus) bool { return p != nil && p.Online })
			if n.atLeast(50) {
				eventually(t, n.name+" has its signature", 20*time.Second, func() error {
					if status := n.lockStatus(); !status.Enabled || !status.NodeKeySigned {
						return fmt.Errorf("it is %+v", status)
					}
					return nil
				})
			}
		})
	}
	if side.rust != nil {
		side.run(rustRow, column, func(t *testing.T) {
			join(t, side.rust.name, func() { side.rust.start(side.server.AuthKey) })
			late = side.rust.name
		})
	}
	side.run(signer.row, column, func(t *testing.T) {
		side.in(t)
		if _, err := signer.cli(30*time.Second, "lock", "disable", secret); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the tailnet is open again", 20*time.Second, func() error {
			if status := signer.lockStatus(); status.Enabled {
				return fmt.Errorf("it is %+v", status)
			}
			return nil
		})
		if late != "" {
			signer.waitPeer(late, "without a signature", 20*time.Second, isThere)
		}
	})
	side.in(m.t)
	side.leave()
}

// What `lock status` says; the names of members have stayed since it came.
type lockStatus struct {
	Enabled       bool
	NodeKeySigned bool
	PublicKey     string
	FilteredPeers json.RawMessage
}

func (n *node) lockStatus() lockStatus {
	n.t.Helper()
	text, err := n.cli(20*time.Second, "lock", "status", "--json")
	if err != nil {
		n.t.Fatal(err)
	}
	var status lockStatus
	if err := json.Unmarshal([]byte(text[max(0, strings.Index(text, "{")):]), &status); err != nil {
		n.t.Fatalf("%v in %q", err, text)
	}
	return status
}
