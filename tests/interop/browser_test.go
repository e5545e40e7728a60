// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Debian's Chromium without a screen, driven over WebDriver; in the namespace like everything else.
type browser struct {
	t       *testing.T
	session string // URL of the session
	process *process
}

const webElement = "element-6066-11e4-a52e-4f735466cecf" // the member that holds an element's id, by the standard

func startBrowser(t *testing.T) *browser {
	t.Helper()
	port := freePort(t, "tcp")
	p := start(t, "chromedriver", nil, "chromedriver", fmt.Sprintf("--port=%d", port))
	p.run()
	eventually(t, "chromedriver listens", 30*time.Second, func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err
	})
	b := &browser{t: t, process: p, session: fmt.Sprintf("http://127.0.0.1:%d/session", port)}
	var session struct{ SessionID string }
	b.call("POST", "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"acceptInsecureCerts": true,
		"goog:chromeOptions": map[string]any{"args": []string{
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(),
		}},
	}}}, &session)
	b.session += "/" + session.SessionID
	t.Cleanup(func() { b.call("DELETE", "", nil, nil) })
	return b
}

func (b *browser) call(method, path string, body any, value any) {
	b.t.Helper()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			b.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, b.session+path, &sent)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	var envelope struct{ Value json.RawMessage }
	if err := json.NewDecoder(answer.Body).Decode(&envelope); err != nil || answer.StatusCode != http.StatusOK {
		b.t.Fatalf("WebDriver %s %s: %s %s %v", method, path, answer.Status, envelope.Value, err)
	}
	if value != nil {
		if err := json.Unmarshal(envelope.Value, value); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call("POST", "/url", map[string]string{"url": url}, nil)
}

// The one element that the XPath names.
func (b *browser) element(path string) string {
	b.t.Helper()
	var found map[string]string
	b.call("POST", "/element", map[string]string{"using": "xpath", "value": path}, &found)
	return "/element/" + found[webElement]
}

func (b *browser) press(label string) {
	b.t.Helper()
	b.call("POST", b.element(fmt.Sprintf("//button[normalize-space()=%q]", label))+"/click", map[string]any{}, nil)
}

func (b *browser) fill(name, text string) {
	b.t.Helper()
	field := b.element(fmt.Sprintf("//input[@name=%q]", name))
	b.call("POST", field+"/clear", map[string]any{}, nil)
	b.call("POST", field+"/value", map[string]string{"text": text}, nil)
}

// All that a person can read now; a page that is still to come has nothing.
func (b *browser) text() string {
	b.t.Helper()
	var text string
	b.call("POST", "/execute/sync", map[string]any{
		"script": "return document.body ? document.body.innerText : ''", "args": []any{},
	}, &text)
	return strings.TrimSpace(text)
}
