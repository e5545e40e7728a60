// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
)

// The server as one without Noise: its answer to /key says that it has no such key, so clients from 1.24 to 1.68
// fall back to TS2019 and meet the others all the same.
func hideNoise(t *testing.T, s *server) *server {
	t.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	publicKey := regexp.MustCompile(`("publicKey" *: *"mkey:)[0-9a-f]{64}"`)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		ModifyResponse: func(answer *http.Response) error {
			if answer.Request.URL.Path != "/key" {
				return nil
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			text := publicKey.ReplaceAllString(string(body), "${1}"+strings.Repeat("0", 64)+`"`)
			answer.Body = io.NopCloser(strings.NewReader(text))
			answer.ContentLength = int64(len(text))
			answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return nil
		},
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ts2021" { // who got in has come by TS2019
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(site.CloseClientConnections)
	return &server{URL: site.URL, AuthKey: s.AuthKey, Pid: s.Pid}
}

// Sends back what it gets, at every address of the namespace.
func startEcho(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// From now on the kernel of this namespace refuses UDP but for the relay's STUN: a rule before the one that finds
// local addresses. Holds for every client, also those before the switch for it.
func onlyRelay(t *testing.T, derpMap *tailcfg.DERPMap) {
	t.Helper()
	stun := strconv.Itoa(derpMap.Regions[1].Nodes[0].STUNPort)
	for _, rule := range []string{
		"add pref 10 lookup local",
		"add pref 4 ipproto udp dport " + stun + " lookup local",
		"add pref 4 ipproto udp sport " + stun + " lookup local",
		"add pref 5 ipproto udp prohibit",
		"del pref 0",
	} {
		for _, family := range []string{"-4", "-6"} {
			args := append([]string{family, "rule"}, strings.Fields(rule)...)
			if _, _, err := output(t, 10*time.Second, "ip", args...); err != nil {
				t.Fatal(err)
			}
		}
	}
}
