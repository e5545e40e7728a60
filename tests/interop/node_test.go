// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/proxy"
	"tailscale.com/ipn/ipnstate"
)

// A real tailscaled with its state and its command line.
type node struct {
	t       *testing.T // fails when the node does what it should not
	owner   *testing.T // its state and its process end with this one
	name    string
	version string
	server  *server
	env     []string // of each start
	flags   []string // of each `up`, beside the server's URL and the host name
	state   string   // kept over restarts
	socket  string
	socks   string // address of its SOCKS server, by which programs use the tailnet
	process *process
}

func newNode(t *testing.T, s *server, version, name string) *node {
	t.Helper()
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "ts")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &node{t: t, owner: t, name: name, version: version, server: s, state: stateDir(t, name), socket: filepath.Join(dir, "s"),
		socks: fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp"))}
}

// From now on `t` fails when the node does what it should not.
func (n *node) in(t *testing.T) {
	n.t = t
	if n.process != nil {
		n.process.t = t
	}
}

// Is its release 1.`minor` or newer?
func (n *node) atLeast(minor int) bool {
	own, err := strconv.Atoi(strings.SplitN(n.version, ".", 3)[1])
	if err != nil {
		n.t.Fatal(err)
	}
	return own >= minor
}

// Environment that only lets packets go by the relay.
const relayOnly = "TS_DEBUG_NEVER_DIRECT_UDP=true"

func (n *node) start(env ...string) {
	n.t.Helper()
	env = append([]string{
		"TS_NO_LOGS_NO_SUPPORT=true",
		"TS_PANIC_IF_HIT_MAIN_CONTROL=1",
		"TS_DISABLE_PORTMAPPER=1",
		"TS_ASSUME_NETWORK_UP_FOR_TEST=1",
		"TS_DEBUG_PERMIT_HTTP_C2N=1",
		"TS_NETCHECK_GENERATE_204_URL=" + n.server.URL + "/generate_204",
	}, append(slices.Clone(n.env), env...)...)
	args := []string{"--tun=userspace-networking", "--socket=" + n.socket, "--port=0", "--socks5-server=" + n.socks}
	if !n.atLeast(22) { // it has no such flags; its logs go nowhere
		args = append(args, "--state="+filepath.Join(n.state, "tailscaled.state"))
		env = append(env, "TS_LOG_TARGET=http://127.0.0.1:1")
	} else {
		args = append(args, "--statedir="+n.state, "--no-logs-no-support")
	}
	n.process = start(n.owner, "tailscaled "+n.name, env, filepath.Join(clientsDir, n.version, "tailscaled"), args...)
	n.process.t = n.t
	n.process.run()
	// An `up` that comes before the backend has begun is lost on some releases: 1.50 then asks the official server. The
	// oldest stay without a state until the first `up`.
	began := time.Now()
	eventually(n.t, n.name+" answers", 30*time.Second, func() error {
		status, err := n.status()
		if err == nil && status.BackendState == "NoState" && time.Since(began) < 5*time.Second {
			err = errors.New("it has not begun")
		}
		return err
	})
}

func (n *node) stop() {
	n.t.Helper()
	n.process.stop(15*time.Second, false)
}

// The command line of this node's release.
func (n *node) cli(limit time.Duration, args ...string) (string, error) {
	n.t.Helper()
	out, stderr, err := output(n.t, limit, filepath.Join(clientsDir, n.version, "tailscale"),
		append([]string{"--socket=" + n.socket}, args...)...)
	return out + stderr, err
}

func (n *node) upArgs(hostName string) []string {
	return append([]string{"up", "--login-server=" + n.server.URL, "--hostname=" + hostName}, n.flags...)
}

// Joins with the key, within 50 seconds; without one, when somebody lets it in.
func (n *node) up(key string, more ...string) error {
	args := append(n.upArgs(n.name), more...)
	if !n.atLeast(22) { // the flag had another name, and there was none for a limit
		args = append(args, "--authkey="+key)
	} else {
		args = append(args, "--auth-key="+key, "--timeout=45s")
	}
	_, err := n.cli(50*time.Second, args...)
	return err
}

func (n *node) status() (*ipnstate.Status, error) {
	text, err := n.cli(10*time.Second, "status", "--json")
	if err != nil {
		return nil, err
	}
	// Warnings may stand before the object.
	var status ipnstate.Status
	if err := json.Unmarshal([]byte(text[max(0, strings.Index(text, "{")):]), &status); err != nil {
		return nil, fmt.Errorf("%w in %q", err, text)
	}
	return &status, nil
}

func (n *node) waitRunning() *ipnstate.Status {
	n.t.Helper()
	var status *ipnstate.Status
	eventually(n.t, n.name+" is Running", 40*time.Second, func() (err error) {
		if status, err = n.status(); err != nil {
			return err
		}
		if status.BackendState != "Running" || len(status.TailscaleIPs) == 0 {
			return fmt.Errorf("it is %s with addresses %v, health %v", status.BackendState, status.TailscaleIPs, status.Health)
		}
		return nil
	})
	return status
}

func (n *node) isRunning() bool {
	status, err := n.status()
	return err == nil && status.BackendState == "Running"
}

func (n *node) address() netip.Addr {
	n.t.Helper()
	return n.waitRunning().TailscaleIPs[0]
}

// The peer of that host name, or nil.
func peerNamed(status *ipnstate.Status, name string) *ipnstate.PeerStatus {
	for _, peer := range status.Peer {
		if peer.HostName == name {
			return peer
		}
	}
	return nil
}

func isThere(p *ipnstate.PeerStatus) bool { return p != nil }

// Waits until `n` sees `other` as `ok` wants it.
func (n *node) waitPeer(other string, what string, limit time.Duration, ok func(*ipnstate.PeerStatus) bool) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("%s sees %s %s", n.name, other, what), limit, func() error {
		status, err := n.status()
		if err != nil {
			return err
		}
		peer := peerNamed(status, other)
		if !ok(peer) {
			return fmt.Errorf("peer is %+v", peer)
		}
		return nil
	})
}

// A ping that must be answered within some 25 seconds; answers the path it took. That is longer than WireGuard goes on
// with a session whose other end does not know it: 15 seconds after the first packet without an answer it begins a new
// one, and nothing sent before comes through.
func (n *node) ping(to netip.Addr, flags ...string) string {
	n.t.Helper()
	args := append(append([]string{"ping", "--c=1", "--timeout=5s"}, flags...), to.String())
	var out string
	var err error
	for range 5 {
		out, err = n.cli(20*time.Second, args...)
		if _, path, found := strings.Cut(out, " via "); err == nil && found {
			path, _, _ = strings.Cut(path, " in ")
			return path
		}
	}
	n.t.Fatalf("%s gets no answer from %v: %v: %s", n.name, to, err, out)
	return ""
}

// A TCP connection through the tailnet, to an address or to a name that the node knows.
func (n *node) dial(target string) (net.Conn, error) {
	dialer, err := proxy.SOCKS5("tcp", n.socks, nil, &net.Dialer{Timeout: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	conn, err := dialer.Dial("tcp", target)
	if err != nil {
		return nil, fmt.Errorf("%s dials %s: %w", n.name, target, err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn, nil
}

// Sends a line through the tailnet to an echo and gets it back.
func (n *node) reach(target string) error {
	conn, err := n.dial(target)
	if err != nil {
		return err
	}
	defer conn.Close()
	const words = "through the tailnet\n"
	if _, err := io.WriteString(conn, words); err != nil {
		return err
	}
	back, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || back != words {
		return fmt.Errorf("%s: %s sent back %q: %w", n.name, target, back, err)
	}
	return nil
}
