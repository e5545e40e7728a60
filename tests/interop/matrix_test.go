// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tailscale.com/ipn/ipnstate"
)

// Clients of many generations in one tailnet. matrix.sh builds them, names them and prints the table.
//
//	INTEROP_MATRIX         releases, as "v1.60.1" or "v1.60.1/TS2019"
//	INTEROP_CHECKS         columns, if not all are wanted
//	INTEROP_RUST           program of the Rust client; without it the row is missing
//	INTEROP_PEBBLE         program of the certificate authority
//	INTEROP_MATRIX_TABLE   file that gets the table
type matrix struct {
	*table
	server   *server
	releases []string
	echo     netip.AddrPort // on this machine's loopback, where every userspace node sends what comes in for it
	nodes    []*matrixNode
	rust     *rustNode
	browser  *browser
}

// A real tailscaled and its row.
type matrixNode struct {
	*node
	row   string
	boxed bool       // speaks TS2019 only
	home  netip.Addr // its address, once it is in
	late  string     // flag that it takes once it is in
}

// To whom nodes belong that join with a key.
const ownerName = "owner@ts2021.test"

const rustRow = "Rust 0.6.1"

func TestMatrix(t *testing.T) {
	releases := strings.Fields(os.Getenv("INTEROP_MATRIX"))
	if len(releases) == 0 {
		t.Fatal("INTEROP_MATRIX names no release")
	}
	derpMap := startRelay(t, newestClient)
	table := newTable(t)
	t.Cleanup(func() { report(t, table) })
	// Up to v1.90 a client without a DNS of the system looks up no name at all if no resolver is named; nobody answers
	// at this one.
	m := newMatrix(table, startServer(t, derpMap, "--dns-resolver", "192.0.2.53", "--dns-record",
		extraName+"="+extraAddress, "--login-page", "--policy", writePolicy(t), "--dns-certificates"), releases, "node")
	var authority []string
	if wanted("cert") {
		authority = startAuthority(t)
	}
	for i, n := range m.nodes {
		network, _ := networkOf(i)
		n.env, n.flags = authority, []string{"--accept-routes"}
		if n.atLeast(32) {
			n.flags = append(n.flags, "--ssh")
		}
		// Before v1.60 a client without a TUN device opens its connections from the address that came first of its own and
		// its network's; both in one map come in any order, and nobody takes a file from a network. So its own comes first.
		routes := "--advertise-routes=" + network.String()
		if n.atLeast(60) {
			n.flags = append(n.flags, routes)
		} else {
			n.late = routes
		}
	}
	if wanted("login") || wanted("sshcheck") || wanted("web") {
		m.browser = startBrowser(t)
	}

	m.join("joins")
	m.each("sees", m.seesAll, m.rustSeesAll)
	m.each("direct", m.pingsDirectly, nil)
	m.each("tsmp", m.pingsThroughWireGuard, nil)
	m.each("tcp", m.talksToAll, m.rustTalksToAll)
	m.each("magicdns", m.findsNames, m.rustFindsNames)
	m.each("rename", m.isRenamed, nil)
	m.each("taildrop", m.sendsFile, nil)
	m.each("id-token", m.idToken, nil)
	m.each("cert", m.certificate, nil)
	m.each("routes", m.routes, nil)
	m.each("ssh", m.ssh, nil)
	m.each("sshcheck", m.sshCheck, nil)
	m.each("logout", m.leavesAndReturns, nil)
	m.each("restart", m.comesBack, m.rustComesBack)

	// Tailnets of their own, with the same clients.
	if wanted("https") {
		m.https(derpMap)
	}
	if wanted("expiry") {
		m.expiry(derpMap)
	}
	if wanted("web") {
		m.web(derpMap)
	}
	if wanted("lock") {
		m.lock(derpMap)
	}

	onlyRelay(t, derpMap)
	m.each("relay", m.pingsByRelay, m.rustTalksToAll)
	m.each("login", m.logsIn, m.rustLogsIn)
}

// Clients for each row, not started yet.
func newMatrix(table *table, s *server, releases []string, prefix string) *matrix {
	t := table.t
	m := &matrix{table: table, server: s, releases: releases, echo: startEcho(t)}
	withoutNoise := hideNoise(t, s)
	for _, release := range releases {
		version, protocol, _ := strings.Cut(release, "/")
		s, row, name := m.server, version, prefix+"-"+strings.ReplaceAll(version[1:], ".", "-")
		if protocol != "" {
			s, row, name = withoutNoise, row+" "+protocol, name+"-box"
		}
		m.nodes = append(m.nodes, &matrixNode{
			node: newNode(t, s, version, name), row: row, boxed: s == withoutNoise || version == "v1.20.4",
		})
	}
	if program := os.Getenv("INTEROP_RUST"); program != "" {
		m.rust = newRustNode(t, m.server, program, prefix+"-rust")
	}
	return m
}

func report(t *testing.T, table *table) {
	path := os.Getenv("INTEROP_MATRIX_TABLE")
	if path == "" {
		table.print(os.Stdout)
		return
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	table.print(file)
}

// One check of every client that is in. A nil function: the client can't do it.
func (m *matrix) each(column string, check func(*testing.T, *matrixNode), rust func(*testing.T)) {
	if !wanted(column) {
		return
	}
	for _, n := range m.nodes {
		if n.home.IsValid() {
			m.cell(n.row, column, func(t *testing.T) { check(t, n) })
			if !n.isRunning() {
				n.home = netip.Addr{} // what is out is no part of the checks that follow
			}
		}
	}
	switch {
	case m.rust == nil || len(m.rust.self.Addresses) == 0:
	case rust == nil:
		m.set(rustRow, column, cellNotApplicable)
	default:
		m.cell(rustRow, column, rust)
	}
}

func wanted(column string) bool {
	columns := strings.Fields(os.Getenv("INTEROP_CHECKS"))
	return len(columns) == 0 || slices.Contains(columns, column)
}

// One cell. While it runs, what goes wrong with any client fails it.
func (m *matrix) cell(row, column string, check func(*testing.T)) {
	m.run(row, column, func(t *testing.T) {
		m.in(t)
		defer m.in(m.t)
		check(t)
	})
}

func (m *matrix) in(t *testing.T) {
	for _, n := range m.nodes {
		n.in(t)
	}
	if m.rust != nil {
		m.rust.in(t)
	}
}

// What others should see: names and addresses of everybody who is in.
func (m *matrix) others(but string) map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for _, n := range m.nodes {
		if n.home.IsValid() && n.name != but {
			all[n.name] = n.home
		}
	}
	if m.rust != nil && len(m.rust.self.Addresses) > 0 && m.rust.name != but {
		all[m.rust.name] = m.rust.self.Addresses[0]
	}
	return all
}

func (m *matrix) join(column string, env ...string) {
	for _, n := range m.nodes {
		m.cell(n.row, column, func(t *testing.T) {
			n.start(env...)
			if err := n.up(m.server.AuthKey); err != nil {
				t.Fatal(err)
			}
			status := n.waitRunning()
			if got := "v" + strings.SplitN(status.Version, "-", 2)[0]; got != n.version {
				t.Fatalf("the client of %s says it is %s", n.version, got)
			}
			n.home = status.TailscaleIPs[0]
			if n.late == "" {
				return
			}
			n.flags = append(n.flags, n.late)
			if _, err := n.cli(50*time.Second, n.upArgs(n.name)...); err != nil {
				t.Fatal(err)
			}
		})
	}
	if m.rust != nil {
		m.cell(rustRow, column, func(t *testing.T) { m.rust.start(m.server.AuthKey, env...) })
	}
}

// Ends all clients, and with them their places in the tailnet's checks.
func (m *matrix) leave() {
	for _, n := range m.nodes {
		n.process.kill()
		n.home = netip.Addr{}
	}
	if m.rust != nil && m.rust.process != nil {
		m.rust.process.kill()
	}
}

func (m *matrix) seesAll(t *testing.T, n *matrixNode) {
	for name, address := range m.others(n.name) {
		n.waitPeer(name, "online with address and relay", 30*time.Second, func(p *ipnstate.PeerStatus) bool {
			return p != nil && p.Online && p.Relay == relayCode && slices.Contains(p.TailscaleIPs, address)
		})
	}
}

func (m *matrix) rustSeesAll(t *testing.T) {
	for name, address := range m.others(m.rust.name) {
		eventually(t, "the Rust client sees "+name, 30*time.Second, func() error {
			peer, err := m.rust.peer(name)
			if err != nil {
				return err
			}
			if !slices.Contains(peer.Addresses, address) || peer.Relay == "" || !strings.HasPrefix(peer.Status, "Online") {
				return fmt.Errorf("it is %+v, not %v", peer, address)
			}
			return nil
		})
	}
}

// The disco path to every tailscaled.
func (m *matrix) pingsBy(t *testing.T, n *matrixNode, path func(string) bool) {
	for _, other := range m.nodes {
		if other == n || !other.home.IsValid() {
			continue
		}
		eventually(t, n.name+" takes the wanted path to "+other.name, 30*time.Second, func() error {
			if via := n.ping(other.home, "--until-direct=false"); !path(via) {
				return fmt.Errorf("the ping went by %s", via)
			}
			return nil
		})
	}
}

func (m *matrix) pingsDirectly(t *testing.T, n *matrixNode) {
	m.pingsBy(t, n, func(via string) bool { _, err := netip.ParseAddrPort(via); return err == nil })
}

func (m *matrix) pingsByRelay(t *testing.T, n *matrixNode) {
	m.pingsBy(t, n, func(via string) bool { return via == "DERP("+relayCode+")" })
}

func (m *matrix) pingsThroughWireGuard(t *testing.T, n *matrixNode) {
	for _, other := range m.nodes {
		if other == n || !other.home.IsValid() {
			continue
		}
		if via := n.ping(other.home, "--tsmp"); via != "TSMP" {
			t.Fatalf("a TSMP ping to %s went by %q", other.name, via)
		}
	}
}

// TCP through the tailnet to every client.
func (m *matrix) talksToAll(t *testing.T, n *matrixNode) {
	for name, address := range m.others(n.name) {
		eventually(t, n.name+" talks to "+name, 40*time.Second, func() error { return n.reach(m.echoOf(name, address).String()) })
	}
}

func (m *matrix) rustTalksToAll(t *testing.T) {
	for name, address := range m.others(m.rust.name) {
		eventually(t, "the Rust client talks to "+name, 40*time.Second, func() error {
			return m.rust.reach(m.echoOf(name, address))
		})
	}
}

// Where a client's echo is: a tailscaled lets it come out on this machine's loopback, the Rust client has its own.
func (m *matrix) echoOf(name string, address netip.Addr) netip.AddrPort {
	if m.rust != nil && name == m.rust.name {
		return netip.AddrPortFrom(address, rustEchoPort)
	}
	return netip.AddrPortFrom(address, m.echo.Port())
}

// Stopped and started alone, each has its address again and sees all others.
func (m *matrix) comesBack(t *testing.T, n *matrixNode) {
	n.stop()
	n.start()
	if again := n.address(); again != n.home {
		t.Fatalf("it had %v and has %v", n.home, again)
	}
	m.seesAll(t, n)
}

func (m *matrix) rustComesBack(t *testing.T) {
	before := m.rust.self.Addresses
	m.rust.stop()
	m.rust.start(m.server.AuthKey)
	if !slices.Equal(before, m.rust.self.Addresses) {
		t.Fatalf("it had %v and has %v", before, m.rust.self.Addresses)
	}
	m.rustSeesAll(t)
}
