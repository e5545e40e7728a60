// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"tailscale.com/tailcfg"
)

// The web interface of the newest client, visited by another: the server shows a page, a person agrees, the visitor is
// in. Clients ask only servers of some names, of which netns.sh makes one ours.
func (m *matrix) web(derpMap *tailcfg.DERPMap) {
	const column = "web"
	rows := m.nodes
	for _, n := range rows[:len(rows)-1] {
		m.set(n.row, column, cellNotApplicable)
	}
	if m.rust != nil {
		m.set(rustRow, column, cellNotApplicable)
	}
	newest := rows[len(rows)-1]
	m.run(newest.row, column, func(t *testing.T) {
		key, certificate := selfSigned(t, t.TempDir(), "DNS:control.tailscale")
		s := startServer(t, derpMap, "--listen", "127.0.0.1:80", "--tls-listen", "127.0.0.1:443", "--tls-cert", certificate,
			"--tls-key", key, "--public-url", "https://control.tailscale", "--login-page")
		host, visitor := newNode(t, s, newest.version, "web-host"), newNode(t, s, newest.version, "web-visitor")
		for _, n := range []*node{host, visitor} {
			n.start("SSL_CERT_FILE=" + certificate)
			if err := n.up(s.AuthKey); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := host.cli(20*time.Second, "set", "--webclient"); err != nil {
			t.Fatal(err)
		}
		cookies, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := http.Client{Jar: cookies, Timeout: 30 * time.Second, Transport: &http.Transport{
			DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return visitor.dial(address) },
		}}
		site := fmt.Sprintf("http://%v:5252/api/auth", host.address())
		get := func(path string, value any) error {
			answer, err := browser.Get(site + path)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s %s %v", path, answer.Status, text, err)
			}
			if value == nil {
				return nil
			}
			return json.Unmarshal(text, value)
		}
		var session struct{ AuthURL string }
		eventually(t, "the web client begins a session", 30*time.Second, func() error { return get("/session/new", &session) })
		if session.AuthURL == "" {
			t.Fatal("the server names no page")
		}
		m.letIn(t, session.AuthURL, host.name)
		if err := get("/session/wait", nil); err != nil {
			t.Fatal(err)
		}
		var rights struct{ Authorized bool }
		if err := get("", &rights); err != nil || !rights.Authorized {
			t.Fatalf("the visitor is not in: %+v %v", rights, err)
		}
	})
}
