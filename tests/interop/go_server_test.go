// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
)

// Our client role registers with the official test server and shows the map it is sent: itself and a node of
// the official release.
func TestGoServer(t *testing.T) {
	forgetJoined(t)
	s := startReference(t, startRelay(t, newestClient))
	tool := filepath.Join(binDir, "ts2021")

	keys := serverKeys(t, s)
	out, _, err := output(t, 20*time.Second, tool, "key", s.URL)
	if err != nil || !strings.Contains(out, keys.PublicKey.String()) {
		t.Fatalf("ts2021 key: %q, %v; the server's key is %v", out, err, keys.PublicKey)
	}

	alpha := newNode(t, s, newestClient, "alpha")
	alpha.start()
	if err := alpha.up(s.AuthKey); err != nil {
		t.Fatal(err)
	}
	address := alpha.address()

	// The newest version we speak, and the last one whose map poll also carries what others should know of the node.
	for hostname, version := range map[string]string{"newest": "148", "older": "67"} {
		out, _, err = output(t, 30*time.Second, tool, "map", s.URL, "--auth-key", s.AuthKey, "--hostname", hostname,
			"--capability", version, "--seconds", "20", "--peers", "1", "--raw")
		if err != nil {
			t.Fatal(err)
		}
		// One message per line, as it came; the first is the whole map.
		var netmap tailcfg.MapResponse
		if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &netmap); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		if netmap.Node == nil || !strings.HasPrefix(netmap.Node.Name, hostname+".") {
			t.Fatalf("the map shows itself as %+v", netmap.Node)
		}
		if !slices.ContainsFunc(netmap.Peers, func(p *tailcfg.Node) bool {
			return strings.HasPrefix(p.Name, "alpha.") && p.Addresses[0].Addr() == address
		}) {
			t.Fatalf("the peers are %+v", netmap.Peers)
		}
	}
	// And the official node sees ours.
	alpha.waitPeer("older", "in its map", 5*time.Second, isThere)
	recordJoined(t, "testcontrol "+moduleVersion, 1)
}
