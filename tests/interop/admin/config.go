// SPDX-License-Identifier: BSD-3-Clause

package admin

import (
	"encoding/json"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// Config is all switches; Change takes some of them by name.
type Config struct {
	Verbose            bool   `json:"verbose"`
	RequireAuth        bool   `json:"requireAuth"`
	RequireAuthKey     string `json:"requireAuthKey"`
	RequireMachineAuth bool   `json:"requireMachineAuth"`
	MagicDNSDomain     string `json:"magicDNSDomain"`
	SetDNSError        string `json:"setDNSError"`
	PeerRelayGrants    bool   `json:"peerRelayGrants"`
	AllNodesSameUser   bool   `json:"allNodesSameUser"`
	AllOnline          bool   `json:"allOnline"`
	CollectServices    *bool  `json:"collectServices"`
	BaseURL            string `json:"baseURL"`
	ExpireAll          bool   `json:"expireAll"`
}

func (c *Client) Config() (config Config) {
	c.must("GET", "/admin/config", nil, &config)
	return config
}

// Change sets some switches, all or none.
func (c *Client) Change(switches map[string]any) (config Config) {
	c.must("PATCH", "/admin/config", switches, &config)
	return config
}

type Stats struct{ InServeMap, Unhandled int }

func (c *Client) Stats() (stats Stats) {
	c.must("GET", "/admin/stats", nil, &stats)
	return stats
}

// Document is what was put under /admin/<name>, or "null".
func (c *Client) Document(name string) (text json.RawMessage) {
	c.must("GET", "/admin/"+name, nil, &text)
	return text
}

// For all of these nil takes away what was set.
func (c *Client) SetDERPMap(m *tailcfg.DERPMap)    { c.must("PUT", "/admin/derpmap", m, nil) }
func (c *Client) SetDNS(config *tailcfg.DNSConfig) { c.must("PUT", "/admin/dns", config, nil) }
func (c *Client) SetSSHPolicy(policy *tailcfg.SSHPolicy) {
	c.must("PUT", "/admin/ssh-policy", policy, nil)
}
func (c *Client) SetTagOwners(owners map[string][]string) {
	c.must("PUT", "/admin/tag-owners", owners, nil)
}
func (c *Client) SetDefaultCaps(caps *tailcfg.NodeCapMap) {
	c.must("PUT", "/admin/default-caps", caps, nil)
}
func (c *Client) SetAppCaps(caps tailcfg.PeerCapMap) { c.must("PUT", "/admin/app-caps", caps, nil) }
func (c *Client) AddDNSRecords(all ...tailcfg.DNSRecord) {
	c.must("POST", "/admin/dns/records", all, nil)
}
func (c *Client) SetMasquerades(all []Masquerade) { c.must("PUT", "/admin/masquerades", all, nil) }
func (c *Client) SetRegisterLimit(limit *RegisterLimit) {
	c.must("PUT", "/admin/register-limit", limit, nil)
}
func (c *Client) SetFirstMapPatch(patch map[string]any) {
	c.must("PUT", "/admin/first-map-patch", patch, nil)
}
func (c *Client) SetFaults(rules []map[string]any) { c.must("PUT", "/admin/faults", rules, nil) }
func (c *Client) RemoveFaults()                    { c.must("DELETE", "/admin/faults", nil, nil) }
func (c *Client) SetAltMap(enabled bool) {
	c.must("PUT", "/admin/alt-map", members{"enabled": enabled}, nil)
}

// Masquerade is an address of Node by which only Peer knows it.
type Masquerade struct {
	Node    key.NodePublic `json:"node"`
	Peer    key.NodePublic `json:"peer"`
	Address string         `json:"address"`
}

// RegisterLimit refuses the next Count register requests with 429.
type RegisterLimit struct {
	Count      int    `json:"count"`
	RetryAfter string `json:"retryAfter"`
	Message    string `json:"message"`
}

type Clock struct {
	Now string `json:"now"`
}

func (c *Client) Clock() (clock Clock) {
	c.must("GET", "/admin/clock", nil, &clock)
	return clock
}
func (c *Client) SetClock(now string) { c.must("PUT", "/admin/clock", Clock{now}, nil) }
func (c *Client) AdvanceClock(by string) {
	c.must("POST", "/admin/clock/advance", members{"by": by}, nil)
}

// Reset forgets everything but the server's keys.
func (c *Client) Reset() { c.must("POST", "/admin/reset", members{}, nil) }
