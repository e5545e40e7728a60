// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Another client enters by SSH, to which the policy says yes; the host key is one that it was told by the map.
func (m *matrix) ssh(t *testing.T, n *matrixNode) {
	session := m.enter(t, n, "root", nil)
	defer session.Close()
	input, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// The command ends when it is told to: v1.32 throws away what it has not passed on when a command ends.
	if err := session.Start("echo in; read told"); err != nil {
		t.Fatal(err)
	}
	if text, err := bufio.NewReader(output).ReadString('\n'); err != nil || text != "in\n" {
		t.Fatalf("%q: %v", text, err)
	}
	if _, err := io.WriteString(input, "end\n"); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil {
		t.Fatal(err)
	}
}

// The same where the policy wants a person to agree first, on a page that the server shows.
func (m *matrix) sshCheck(t *testing.T, n *matrixNode) {
	if n.boxed {
		t.Skip("clients ask what to do inside Noise only")
	}
	asked := false
	session := m.enter(t, n, "nobody", func(banner string) error {
		page := regexp.MustCompile(`https?://\S+`).FindString(banner)
		if page != "" && !asked {
			asked = true
			m.letIn(t, page, n.name)
		}
		return nil
	})
	defer session.Close()
	// The account has no shell: that it says so itself is enough.
	var exit *ssh.ExitError
	if err := session.Run("true"); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if !asked {
		t.Fatal("it let the other in without asking")
	}
}

func (m *matrix) enter(t *testing.T, n *matrixNode, user string, banner func(string) error) *ssh.Session {
	t.Helper()
	if !n.atLeast(32) {
		t.Skip("it has no SSH server")
	}
	from := m.nodes[len(m.nodes)-1] // the newest, or the one before it
	if from == n {
		from = m.nodes[len(m.nodes)-2]
	}
	var known []string
	eventually(t, from.name+" knows host keys of "+n.name, 20*time.Second, func() error {
		status, err := from.status()
		if err != nil {
			return err
		}
		if peer := peerNamed(status, n.name); peer != nil {
			known = peer.SSH_HostKeys
		}
		if len(known) == 0 {
			return errors.New("none")
		}
		return nil
	})
	conn, err := from.dial(n.home.String() + ":22")
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	t.Cleanup(func() { conn.Close() })
	through, channels, requests, err := ssh.NewClientConn(conn, n.name, &ssh.ClientConfig{
		User: user,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))); !slices.Contains(known, text) {
				return fmt.Errorf("the map does not tell of %s", text)
			}
			return nil
		},
		BannerCallback: banner,
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := ssh.NewClient(through, channels, requests).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	return session
}
