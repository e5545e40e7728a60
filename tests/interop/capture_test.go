// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type captureLine struct {
	Session uint64          `json:"session"`
	Layer   string          `json:"layer"`
	Event   string          `json:"event"`
	Path    string          `json:"path"`
	Machine string          `json:"machine"`
	Message json.RawMessage `json:"message"`
}

// A real client is captured; its side is replayed to a fresh ts2021d, and the server's side to another real client.
func TestCapture(t *testing.T) {
	forgetJoined(t)
	capture := filepath.Join(t.TempDir(), "capture.jsonl")
	if kept := os.Getenv("INTEROP_CAPTURE"); kept != "" {
		capture = kept
	}
	derpMap := startRelay(t, newestClient)
	s := startServer(t, derpMap, "--capture", capture)
	recorded := newNode(t, s, newestClient, "recorded")
	recorded.start()
	if err := recorded.up(s.AuthKey); err != nil {
		t.Fatal(err)
	}
	address := recorded.address()
	recorded.stop()
	s.stop()

	lines := readCapture(t, capture)
	count := map[string]int{}
	for _, line := range lines {
		count[line.Layer+" "+line.Event]++
	}
	for _, event := range []string{"noise handshake", "early payload", "api request", "api answer", "map message", "tcp close"} {
		if count[event] == 0 {
			t.Errorf("the capture has no %s: %v", event, count)
		}
	}

	t.Run("client side", func(t *testing.T) {
		fresh := startServer(t, derpMap)
		out, _, err := output(t, time.Minute, filepath.Join(binDir, "ts2021"), "replay", capture, fresh.URL,
			"--auth-key", fresh.AuthKey, "--json")
		t.Logf("the replay says:\n%s", out)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, `"outcome":"authorized"`) || !strings.Contains(out, `"body":"map"`) {
			t.Error("the replayed node did not join and get its map")
		}
	})

	t.Run("server side", func(t *testing.T) {
		p, url := startReplay(t, capture)
		n := newNode(t, &server{URL: url, AuthKey: authKey}, newestClient, "other")
		n.start()
		if err := n.up(authKey); err != nil {
			t.Fatal(err)
		}
		if got := n.address(); got != address {
			t.Errorf("it has the address %v; in the recording it was %v", got, address)
		}
		n.stop()
		p.stop(5*time.Second, false)
	})
	recordJoined(t, "tailscaled "+newestClient+" replayed", 1)
}

func readCapture(t *testing.T, path string) (lines []captureLine) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var read captureLine
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Fatalf("line %d: %v: %s", i+1, err, line)
		}
		lines = append(lines, read)
	}
	return lines
}

// The server's side of a capture, and where it listens.
func startReplay(t *testing.T, capture string) (*process, string) {
	t.Helper()
	p := start(t, "ts2021 replay", nil, filepath.Join(binDir, "ts2021"), "replay", capture, "--listen", "127.0.0.1:0", "--json")
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.run()
	reader := bufio.NewReader(stdout)
	text, err := reader.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(text, &ready); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	go io.Copy(p.log, reader)
	return p, ready.URL
}
