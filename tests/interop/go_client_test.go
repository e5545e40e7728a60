// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"tailscale.com/control/controlbase"
	"tailscale.com/control/controlhttp"
	"tailscale.com/control/ts2021"
	"tailscale.com/net/tsdial"
	"tailscale.com/net/wsconn"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

const capability = uint16(tailcfg.CurrentCapabilityVersion)

// GET /key as the official client reads it.
func serverKeys(t *testing.T, s *server) tailcfg.OverTLSPublicKeyResponse {
	t.Helper()
	res, err := http.Get(fmt.Sprintf("%s/key?v=%d", s.URL, capability))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var keys tailcfg.OverTLSPublicKeyResponse
	if err := json.NewDecoder(res.Body).Decode(&keys); err != nil || res.StatusCode != 200 || keys.PublicKey.IsZero() {
		t.Fatalf("GET /key: %s, %+v, %v", res.Status, keys, err)
	}
	return keys
}

// The upgrade by the official package: POST /ts2021.
func dialUpgrade(ctx context.Context, t *testing.T, s *server, serverKey key.MachinePublic, version uint16) (*controlbase.Conn, error) {
	t.Helper()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &controlhttp.Dialer{
		Hostname: at.Hostname(), HTTPPort: at.Port(), HTTPSPort: controlhttp.NoPort,
		MachineKey: key.NewMachine(), ControlKey: serverKey, ProtocolVersion: version,
		Dialer: (&net.Dialer{}).DialContext, Logf: t.Logf,
	}
	conn, err := dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return conn.Conn, nil
}

// The browser's way: GET /ts2021 as a WebSocket by an independent library, the handshake by the official one.
func dialWebSocket(ctx context.Context, t *testing.T, s *server, serverKey key.MachinePublic, version uint16) (*controlbase.Conn, error) {
	t.Helper()
	initiation, finish, err := controlbase.ClientDeferred(key.NewMachine(), serverKey, version)
	if err != nil {
		t.Fatal(err)
	}
	target := s.URL + "/ts2021?" + url.Values{"X-Tailscale-Handshake": {base64.StdEncoding.EncodeToString(initiation)}}.Encode()
	ws, res, err := websocket.Dial(ctx, target, &websocket.DialOptions{Subprotocols: []string{"tailscale-control-protocol"}})
	if err != nil {
		return nil, err
	}
	if got := res.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Fatalf("the server chose the extension %q", got)
	}
	if got := ws.Subprotocol(); got != "tailscale-control-protocol" {
		t.Fatalf("the server chose the subprotocol %q", got)
	}
	conn, err := finish(ctx, wsconn.NetConn(context.Background(), ws, websocket.MessageBinary, target))
	if err != nil {
		ws.CloseNow()
		return nil, err
	}
	return conn, nil
}

// An HTTP client over one Noise connection, as the official client makes it.
func overNoise(t *testing.T, conn *ts2021.Conn) *http.Client {
	t.Helper()
	used := false
	transport := &http.Transport{Protocols: new(http.Protocols), MaxConnsPerHost: 1}
	transport.Protocols.SetUnencryptedHTTP2(true)
	transport.DialTLSContext = func(context.Context, string, string) (net.Conn, error) {
		if used {
			return nil, errors.New("the connection was lost")
		}
		used = true
		return conn, nil
	}
	t.Cleanup(func() { conn.Close(); transport.CloseIdleConnections() })
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func do(client *http.Client, method, path, body string) (answer, error) {
	req, err := http.NewRequest(method, "https://unused"+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.ProtoMajor != 2 {
		err = fmt.Errorf("the answer came by %s", res.Proto)
	}
	return answer{res.StatusCode, res.Header, string(text)}, err
}

func expect(t *testing.T, client *http.Client, method, path, body string, status int) answer {
	t.Helper()
	got, err := do(client, method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		t.Fatalf("%s %s: status %d with %q, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// What any client must find behind any of the two doors.
func speak(t *testing.T, client *http.Client) {
	t.Helper()
	expect(t, client, "GET", "/health", "", 200)
	expect(t, client, "POST", "/health", strings.Repeat("x", 100_000), 200)
	expect(t, client, "GET", "/machine/nowhere", "", 404)
	if got := expect(t, client, "GET", "/machine/map", "", 405); got.header.Get("Allow") != "POST" {
		t.Fatalf("a wrong method is answered with Allow %q", got.header.Get("Allow"))
	}
	expect(t, client, "POST", "/machine/register", "no JSON", 400)
	expect(t, client, "POST", "/machine/register", strings.Repeat(" ", 2<<20), 413)

	// Several at once on one connection, then it is still good.
	var all sync.WaitGroup
	errs := make(chan error, 50)
	for range cap(errs) {
		all.Go(func() {
			if got, err := do(client, "POST", "/health", strings.Repeat("y", 5000)); err != nil || got.status != 200 {
				errs <- fmt.Errorf("%d, %w", got.status, err)
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Fatalf("one of many requests at once: %v", err)
	}
	expect(t, client, "GET", "/health", "", 200)
}

// The official client packages against ts2021d.
func TestGoClient(t *testing.T) {
	forgetJoined(t)
	s := startServer(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	keys := serverKeys(t, s)

	// The early payload is for those that understand it, from 49 on.
	for _, version := range []uint16{capability, 49, 48, 28} {
		raw, err := dialUpgrade(ctx, t, s, keys.PublicKey, version)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if got := raw.ProtocolVersion(); got != int(version) {
			t.Fatalf("the connection speaks version %d instead of %d", got, version)
		}
		conn := ts2021.NewConn(raw, func() {})
		early, err := conn.GetEarlyPayload(ctx)
		if err != nil {
			t.Fatalf("version %d: early payload: %v", version, err)
		}
		if wanted := version >= 49; wanted != (early != nil && !early.NodeKeyChallenge.IsZero()) {
			t.Fatalf("version %d: the early payload is %+v", version, early)
		}
		speak(t, overNoise(t, conn))
	}

	// The whole client, which finds its way by itself and dials again.
	client, err := ts2021.NewClient(ts2021.ClientOpts{
		ServerURL: s.URL, PrivKey: key.NewMachine(), ServerPubKey: keys.PublicKey, Dialer: tsdial.NewFromFuncForDebug(t.Logf, (&net.Dialer{}).DialContext), Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	speak(t, client.Client)

	// A wrong server key must not lead to a session.
	// (The official dialer does not notice a refusal when it has no TLS port to try; it waits for its context.)
	short, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := dialUpgrade(short, t, s, key.NewMachine().Public(), capability); err == nil {
		t.Fatal("a handshake for another server's key succeeded")
	}
	recordJoined(t, "controlhttp "+moduleVersion, 1)
}

// Noise inside a WebSocket.
func TestWebSocket(t *testing.T) {
	forgetJoined(t)
	s := startServer(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	keys := serverKeys(t, s)

	raw, err := dialWebSocket(ctx, t, s, keys.PublicKey, capability)
	if err != nil {
		t.Fatal(err)
	}
	speak(t, overNoise(t, ts2021.NewConn(raw, func() {})))

	if _, err := dialWebSocket(ctx, t, s, key.NewMachine().Public(), capability); err == nil {
		t.Fatal("a handshake for another server's key succeeded")
	}
	// Without the subprotocol nobody gets in.
	ws, _, err := websocket.Dial(ctx, s.URL+"/ts2021", nil)
	if err == nil {
		if _, _, err = ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Fatalf("without a subprotocol the end was %v", err)
		}
	}
	recordJoined(t, "websocket "+moduleVersion, 1)
}

// With a state folder the server's keys outlive it; after a rotation the old key still opens the door.
func TestServerKeys(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	state := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	first := startServer(t, nil, "--state-dir", state)
	old := serverKeys(t, first)
	first.stop()

	second := startServer(t, nil, "--state-dir", state)
	if again := serverKeys(t, second); again != old {
		t.Fatalf("the keys were %v and are %v", old, again)
	}
	second.stop()

	third := startServer(t, nil, "--state-dir", state, "--rotate-keys")
	fresh := serverKeys(t, third)
	if fresh.PublicKey == old.PublicKey {
		t.Fatal("the key was not rotated")
	}
	for _, serverKey := range []key.MachinePublic{fresh.PublicKey, old.PublicKey} {
		conn, err := dialUpgrade(ctx, t, third, serverKey, capability)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, overNoise(t, ts2021.NewConn(conn, func() {})), "GET", "/health", "", 200)
	}
}
