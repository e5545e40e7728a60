// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
)

const relayCode = "test"

// Starts the official relay with a certificate made for this run and answers a DERP map that every client since
// v1.20 accepts.
func startRelay(t *testing.T, version string) *tailcfg.DERPMap {
	t.Helper()
	dir := t.TempDir()
	selfSigned(t, dir, "IP:127.0.0.1")
	derpPort, stunPort := freePort(t, "tcp"), freePort(t, "udp")
	p := start(t, "derper", nil, filepath.Join(clientsDir, version, "derper"),
		"-a", fmt.Sprintf("127.0.0.1:%d", derpPort), "-http-port", "-1", "-stun-port", strconv.Itoa(stunPort),
		"-certmode", "manual", "-certdir", dir, "-hostname", "127.0.0.1", "-c", filepath.Join(dir, "config"))
	p.run()
	eventually(t, "the relay listens", 20*time.Second, func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", derpPort))
		if err == nil {
			conn.Close()
		}
		return err
	})
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: {
		RegionID: 1, RegionCode: relayCode, RegionName: relayCode,
		Nodes: []*tailcfg.DERPNode{{
			Name: "t1", RegionID: 1, HostName: "127.0.0.1", IPv4: "127.0.0.1", IPv6: "none",
			STUNPort: stunPort, DERPPort: derpPort, InsecureForTests: true, STUNTestIP: "127.0.0.1",
		}},
	}}}
}

// A certificate for a name like "IP:127.0.0.1" and its key, as files in `dir` named as derper wants them.
func selfSigned(t *testing.T, dir, name string) (key, certificate string) {
	t.Helper()
	_, host, _ := strings.Cut(name, ":")
	key, certificate = filepath.Join(dir, host+".key"), filepath.Join(dir, host+".crt")
	if _, _, err := output(t, 30*time.Second, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN="+host, "-addext",
		"subjectAltName="+name, "-keyout", key, "-out", certificate); err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

// A port nobody has now. The namespace is ours alone, so nobody takes it in between.
func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4zero})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).Port
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// Leaves the folder for a look when asked to.
func stateDir(t *testing.T, name string) string {
	if kept := os.Getenv("INTEROP_KEEP"); kept != "" {
		dir := filepath.Join(kept, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return t.TempDir()
}
