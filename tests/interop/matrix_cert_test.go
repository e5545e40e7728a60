// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A certificate authority of this run (Let's Encrypt's test server), which believes every DNS record. Answers what
// clients need to ask it, or nothing where there is none.
func startAuthority(t *testing.T) []string {
	t.Helper()
	program := os.Getenv("INTEROP_PEBBLE")
	if program == "" {
		return nil
	}
	dir := t.TempDir()
	key, certificate := selfSigned(t, dir, "IP:127.0.0.1")
	directory := fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp"))
	config := filepath.Join(dir, "pebble.json")
	writeJSON(t, config, map[string]any{"pebble": map[string]any{
		"listenAddress": directory, "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp")),
		"certificate": certificate, "privateKey": key, "httpPort": 80, "tlsPort": 443,
		"profiles": map[string]any{"default": map[string]any{"description": "short", "validityPeriod": 86400}},
	}})
	p := start(t, "pebble", []string{"PEBBLE_VA_ALWAYS_VALID=1", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"},
		program, "-config", config)
	p.run()
	eventually(t, "the authority listens", 20*time.Second, func() error {
		conn, err := net.Dial("tcp", directory)
		if err == nil {
			conn.Close()
		}
		return err
	})
	site := withLocation(t, directory, certificate, key)
	return []string{"TS_DEBUG_ACME_DIRECTORY_URL=" + site + "/dir", "SSL_CERT_FILE=" + certificate}
}

// The authority with one header more: where to wait for an order, which the real one says in its answer to the last
// request about it and the test server does not.
func withLocation(t *testing.T, directory, certificate, key string) (url string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", directory, r.In.Host
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: rootsOf(pair)}},
		ModifyResponse: func(answer *http.Response) error {
			if _, order, found := strings.Cut(answer.Request.URL.Path, "/finalize-order/"); found {
				answer.Header.Set("Location", "https://"+answer.Request.Host+"/my-order/"+order)
			}
			return nil
		},
	}
	site := httptest.NewUnstartedServer(proxy)
	site.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	site.StartTLS()
	t.Cleanup(site.CloseClientConnections)
	return site.URL
}

func rootsOf(pair tls.Certificate) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	return roots
}

// A certificate for its own name, by a record that the server sets for it.
func (m *matrix) certificate(t *testing.T, n *matrixNode) {
	if !n.atLeast(80) {
		t.Skip("it asks no other authority than the real one")
	}
	status, err := n.status()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(status.Self.DNSName, ".")
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	if _, err := n.cli(90*time.Second, "cert", "--cert-file="+certificate, "--key-file="+key, name); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Leaf.VerifyHostname(name); err != nil {
		t.Fatal(err)
	}
}
