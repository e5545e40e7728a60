// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every other tailscaled is offered as a target for files, and one of them gets one.
func (m *matrix) sendsFile(t *testing.T, n *matrixNode) {
	var receiver *matrixNode
	eventually(t, n.name+" is offered the others as targets", 20*time.Second, func() error {
		out, err := n.cli(10*time.Second, "file", "cp", "--targets")
		if err != nil {
			return err
		}
		for _, other := range m.nodes {
			if other == n || !other.home.IsValid() {
				continue
			}
			if !strings.Contains(out, other.home.String()) {
				return fmt.Errorf("not %s: %s", other.name, out)
			}
			receiver = other
		}
		return nil
	})
	name := "from-" + n.name + ".txt"
	path := filepath.Join(t.TempDir(), name)
	words := "sent by " + n.version
	if err := os.WriteFile(path, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := n.cli(30*time.Second, "file", "cp", path, receiver.home.String()+":"); err != nil {
		t.Fatal(err)
	}
	inbox := t.TempDir()
	if _, err := receiver.cli(30*time.Second, "file", "get", inbox); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(inbox, name)); err != nil || string(got) != words {
		t.Fatalf("%s got %q: %v", receiver.name, got, err)
	}
}
