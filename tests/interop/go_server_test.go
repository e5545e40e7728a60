// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

	out, _, err = output(t, 30*time.Second, tool, "map", s.URL, "--auth-key", s.AuthKey, "--hostname", "ours", "--seconds", "3", "--json")
	if err != nil {
		t.Fatal(err)
	}
	// The tool prints one object per line; the last is the netmap as it is at the end.
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var netmap map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &netmap); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	for _, wanted := range []string{"ours", "alpha", address.String()} {
		if !strings.Contains(out, wanted) {
			t.Fatalf("the map does not show %q:\n%s", wanted, out)
		}
	}
	// And the official node sees ours.
	alpha.waitPeer("ours", "in its map", 5*time.Second, isThere)
	recordJoined(t, "testcontrol "+moduleVersion, 1)
}
