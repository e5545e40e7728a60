// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"strings"

	"tailscale.com/tailcfg"
)

// The same clients join a server by an https URL, with an authority of its own.
func (m *matrix) https(derpMap *tailcfg.DERPMap) {
	s := startServer(m.t, derpMap, "--tls-self-signed", m.t.TempDir())
	if !strings.HasPrefix(s.URL, "https://") || s.CA == "" {
		m.t.Errorf("ts2021d --tls-self-signed says %+v", s)
		return
	}
	side := newMatrix(m.table, s, m.without("https"), "tls")
	if side.rust != nil { // it knows only the authorities that it was compiled with
		side.rust = nil
		m.set(rustRow, "https", cellNotApplicable)
	}
	side.join("https", "SSL_CERT_FILE="+s.CA)
	side.each("https", side.seesAll, side.rustSeesAll)
	side.leave()
}

// The releases but for those that take a way of their own to the server, for whom `column` says nothing.
func (m *matrix) without(column string) []string {
	var plain []string
	for i, release := range m.releases {
		if strings.Contains(release, "/") {
			m.set(m.nodes[i].row, column, cellNotApplicable)
		} else {
			plain = append(plain, release)
		}
	}
	return plain
}
