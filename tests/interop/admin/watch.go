// SPDX-License-Identifier: BSD-3-Clause

package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// Event has the members of all types; those that an event does not have are zero.
type Event struct {
	Seq        int64  `json:"seq"`
	Type       string `json:"type"`
	NodeKey    string `json:"nodeKey"`
	OldNodeKey string `json:"oldNodeKey"`
	MachineKey string `json:"machineKey"`
	Version    int    `json:"version"`
	Followup   bool   `json:"followup"`
	Result     string `json:"result"`
	URL        string `json:"url"`
	Stream     bool   `json:"stream"`
	ReadOnly   bool   `json:"readOnly"`
	OmitPeers  bool   `json:"omitPeers"`
	Connection int    `json:"connection"`
	Reason     string `json:"reason"`
	Name       string `json:"name"`
	RecordType string `json:"recordType"`
	Value      string `json:"value"`
	ID         string `json:"id"`
	Status     int    `json:"status"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Inside     bool   `json:"inside"`
	Body       json.RawMessage
}

// Events are those of the types, all for "", behind number `after`; −1: none, only what `next` is.
func (c *Client) Events(types string, after int64, timeout time.Duration) (events []Event, next int64) {
	var answer struct {
		Events     []Event
		Next, Lost int64
	}
	c.must("GET", fmt.Sprintf("/admin/events?type=%s&after=%d&%s", types, after, wait(timeout)), nil, &answer)
	return answer.Events, answer.Next
}

// Hold stops requests at a point until they are answered.
type Hold struct {
	On      string         `json:"on"`
	Match   map[string]any `json:"match,omitempty"`
	Timeout string         `json:"timeout,omitempty"`
	Count   int            `json:"count,omitempty"`
}

// Held is one of them.
type Held struct {
	Call       int
	On         string
	NodeKey    key.NodePublic
	MachineKey key.MachinePublic
	Request    json.RawMessage
	Response   json.RawMessage // at first-map
}

// Decision is what becomes of it.
type Decision struct {
	Action   string            `json:"action"`
	Response any               `json:"response,omitempty"`
	Status   int               `json:"status,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Body     string            `json:"body,omitempty"`
}

var Continue = Decision{Action: "continue"}

func (c *Client) MakeHold(hold Hold) (id string) {
	var answer struct{ ID string }
	c.must("POST", "/admin/holds", hold, &answer)
	return answer.ID
}

// Next is nil where nothing is held in time.
func (c *Client) Next(hold string, timeout time.Duration) (held *Held) {
	c.must("GET", "/admin/holds/"+hold+"/next?"+wait(timeout), nil, &held)
	return held
}

func (c *Client) Decide(hold string, call int, decision Decision) {
	c.must("POST", fmt.Sprintf("/admin/holds/%s/calls/%d", hold, call), decision, nil)
}

type HeldState struct {
	State   string
	Dropped bool
}

// State is that of the moment.
func (c *Client) State(hold string, call int) (state HeldState) {
	c.must("GET", fmt.Sprintf("/admin/holds/%s/calls/%d", hold, call), nil, &state)
	return state
}

// Finished waits until the request has been handled completely; nil: it has not been in time.
func (c *Client) Finished(hold string, call int, timeout time.Duration) (state *HeldState) {
	c.must("GET", fmt.Sprintf("/admin/holds/%s/calls/%d?wait=done&%s", hold, call, wait(timeout)), nil, &state)
	return state
}

type HoldCounts struct {
	ID, On     string
	Held, Done int
}

// Counts waits until something is held with "held", until nothing is held or runs with "done".
func (c *Client) Counts(hold, until string, timeout time.Duration) (counts *HoldCounts) {
	query := ""
	if until != "" {
		query = "?wait=" + until + "&" + wait(timeout)
	}
	c.must("GET", "/admin/holds/"+hold+query, nil, &counts)
	return counts
}
func (c *Client) Release(hold string)    { c.must("POST", "/admin/holds/"+hold+"/release", nil, nil) }
func (c *Client) RemoveHold(hold string) { c.must("DELETE", "/admin/holds/"+hold, nil, nil) }

// Stream is a map request that belongs to the test.
type Stream struct {
	ID      int
	NodeKey key.NodePublic
	Request tailcfg.MapRequest
	Open    bool
}

// Streams are those behind number `after`, at least one, or none in time.
func (c *Client) Streams(after int, timeout time.Duration) []Stream {
	var answer struct{ Streams []Stream }
	c.must("GET", fmt.Sprintf("/admin/alt-map/streams?after=%d&%s", after, wait(timeout)), nil, &answer)
	return answer.Streams
}

// SendMessage answers false where the stream has ended.
func (c *Client) SendMessage(stream int, response any) bool {
	_, err := c.Do(context.Background(), "POST", fmt.Sprintf("/admin/alt-map/streams/%d/messages", stream), response, nil)
	if StatusOf(err) == http.StatusGone {
		return false
	}
	if err != nil {
		c.Fail(err)
	}
	return true
}

// StreamOpen waits for the stream's end.
func (c *Client) StreamOpen(stream int, timeout time.Duration) bool {
	var answer struct{ Open bool }
	c.must("GET", fmt.Sprintf("/admin/alt-map/streams/%d?wait=end&%s", stream, wait(timeout)), nil, &answer)
	return answer.Open
}
func (c *Client) EndStream(stream int) {
	c.must("DELETE", fmt.Sprintf("/admin/alt-map/streams/%d", stream), nil, nil)
}
