// SPDX-License-Identifier: BSD-3-Clause

package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

func (c *Client) Nodes() (nodes []*tailcfg.Node) {
	c.must("GET", "/admin/nodes", nil, &nodes)
	return nodes
}

func (c *Client) NumNodes() int {
	var answer struct{ Count int }
	c.must("GET", "/admin/nodes?count=1", nil, &answer)
	return answer.Count
}

// Node is nil where there is none.
func (c *Client) Node(node key.NodePublic) (stored *tailcfg.Node) {
	_, err := c.Do(context.Background(), "GET", nodePath(node, ""), nil, &stored)
	if StatusOf(err) == http.StatusNotFound {
		return nil
	}
	if err != nil {
		c.Fail(err)
	}
	return stored
}

func (c *Client) PutNode(node *tailcfg.Node) { c.must("PUT", nodePath(node.Key, ""), node, nil) }

// AddFakeNodes makes nodes that nobody runs, without telling anybody.
func (c *Client) AddFakeNodes(count int) []key.NodePublic {
	var answer struct{ Keys []key.NodePublic }
	c.must("POST", "/admin/nodes/fake?push=false", members{"count": count}, &answer)
	return answer.Keys
}

// AwaitPoll fails with 404 for an unknown node, with 408 where it does not come in time.
func (c *Client) AwaitPoll(node key.NodePublic, timeout time.Duration) error {
	_, err := c.Do(context.Background(), "GET", nodePath(node, "/await-poll?"+wait(timeout)), nil, nil)
	return err
}

// Approve answers whether `url`, if it is not empty, is the page where it is done.
func (c *Client) Approve(node key.NodePublic, url string) bool {
	body := members{}
	if url != "" {
		body["url"] = url
	}
	return c.flag("ok", nodePath(node, "/approve"), body)
}

// CompleteAuth ends the login behind a URL, well or with that error; false where there is none.
func (c *Client) CompleteAuth(url, failure string) bool {
	body := members{"url": url}
	if failure != "" {
		body["error"] = failure
	}
	return c.flag("ok", "/admin/complete-auth", body)
}

// Ping answers false where the node has no poll.
func (c *Client) Ping(node key.NodePublic, request *tailcfg.PingRequest) bool {
	return c.flag("enqueued", nodePath(node, "/ping"), request)
}

// SendRawMap sends exactly this frame; automatic ones do not come any more until AllowMaps.
func (c *Client) SendRawMap(node key.NodePublic, response any) bool {
	return c.flag("enqueued", nodePath(node, "/raw-map"), response)
}
func (c *Client) AllowMaps(node key.NodePublic) {
	c.must("DELETE", nodePath(node, "/raw-map"), nil, nil)
}

func (c *Client) flag(name, path string, body any) bool {
	answer := map[string]bool{}
	c.must("POST", path, body, &answer)
	return answer[name]
}

// NodeDocument is what was put under the node's <name>, or "null".
func (c *Client) NodeDocument(node key.NodePublic, name string) (text json.RawMessage) {
	c.must("GET", nodePath(node, "/"+name), nil, &text)
	return text
}
func (c *Client) SetRoutes(node key.NodePublic, routes []netip.Prefix) {
	c.must("PUT", nodePath(node, "/routes"), routes, nil)
}
func (c *Client) SetCapMap(node key.NodePublic, caps tailcfg.NodeCapMap) {
	c.must("PUT", nodePath(node, "/capmap"), caps, nil)
}
func (c *Client) SetUnsignedPeerAPIOnly(node key.NodePublic, value bool) {
	c.must("PUT", nodePath(node, "/unsigned-peerapi-only"), members{"value": value}, nil)
}
func (c *Client) SetJailed(node, peer key.NodePublic, jailed bool) {
	c.must("PUT", nodePath(node, "/jailed/"+peer.String()), members{"jailed": jailed}, nil)
}

// Preview is the map that the node would get now, and its text.
func (c *Client) Preview(node key.NodePublic) (response *tailcfg.MapResponse, text json.RawMessage) {
	c.must("POST", "/admin/map-preview", &tailcfg.MapRequest{NodeKey: node}, &text)
	if err := json.Unmarshal(text, &response); err != nil {
		c.Fail(fmt.Errorf("%w in %s", err, text))
	}
	return response, text
}

// C2N is a request to a node.
type C2N struct {
	Method  string      `json:"method,omitempty"`
	Path    string      `json:"path"`
	Headers http.Header `json:"headers,omitempty"`
	Body    []byte      `json:"body,omitempty"`
	Timeout string      `json:"timeout,omitempty"`
	Wait    bool        `json:"wait"`
}
type C2NAnswer struct {
	Status  int
	Headers http.Header
	Body    []byte
}

// Call waits for the node's answer. The error is a Refusal: 409 without a poll, 502 and 504.
func (c *Client) Call(node key.NodePublic, request C2N) (answer C2NAnswer, err error) {
	request.Wait = true
	_, err = c.Do(context.Background(), "POST", nodePath(node, "/c2n"), request, &answer)
	return answer, err
}

// Begin is Call without waiting: Answer has what comes.
func (c *Client) Begin(node key.NodePublic, request C2N) (id string, err error) {
	var answer struct{ ID string }
	request.Wait = false
	_, err = c.Do(context.Background(), "POST", nodePath(node, "/c2n"), request, &answer)
	return answer.ID, err
}

// Answer is nil as long as there is none.
func (c *Client) Answer(id string, timeout time.Duration) (answer *C2NAnswer, err error) {
	_, err = c.Do(context.Background(), "GET", "/admin/c2n/"+id+"?"+wait(timeout), nil, &answer)
	return answer, err
}

// Through is the node's own answer to a request to `path`, as a person would ask with curl.
func (c *Client) Through(node key.NodePublic, method, path string, body []byte) (status int, text []byte) {
	status, text, err := c.Raw(context.Background(), method, nodePath(node, "/c2n"+path), bytes.NewReader(body))
	if err != nil && StatusOf(err) == 0 {
		c.Fail(err)
	}
	return status, text
}
