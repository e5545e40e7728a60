// SPDX-License-Identifier: BSD-3-Clause

// Package admin drives ts2021d by its admin API.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"tailscale.com/types/key"
)

// Client calls the admin API at URL. What the server refuses goes to Fail, which must not return: t.Fatal or panic.
type Client struct {
	URL   string
	Token string       // empty: none
	HTTP  *http.Client // nil: the default one
	Fail  func(error)
	// Answered, if there, is told of every answer, waiting ones too.
	Answered func(method, path string, status int)
}

// Refusal is an answer other than 2xx.
type Refusal struct {
	Method, Path string
	Status       int
	Text         string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s %s: %d %s", r.Method, r.Path, r.Status, r.Text)
}

// StatusOf is the status of a refusal, or 0.
func StatusOf(err error) int {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

// Do makes one call: `in` goes as JSON, with nil there is no body; `out`, if there, takes the JSON of a 200 or 201. The
// error is a Refusal where the server has answered.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(text)
	}
	status, text, err := c.Raw(ctx, method, path, body)
	if err != nil {
		return status, err
	}
	if out != nil && (status == http.StatusOK || status == http.StatusCreated) {
		if err := json.Unmarshal(text, out); err != nil {
			return status, fmt.Errorf("%s %s: %w in %q", method, path, err, text)
		}
	}
	return status, nil
}

// Raw is Do with bodies as they are.
func (c *Client) Raw(ctx context.Context, method, path string, body io.Reader) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return 0, nil, err
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return answer.StatusCode, nil, err
	}
	if c.Answered != nil {
		c.Answered(method, path, answer.StatusCode)
	}
	if answer.StatusCode/100 != 2 {
		return answer.StatusCode, text, &Refusal{method, path, answer.StatusCode, string(text)}
	}
	return answer.StatusCode, text, nil
}

func (c *Client) must(method, path string, in, out any) (status int) {
	status, err := c.Do(context.Background(), method, path, in, out)
	if err != nil {
		c.Fail(err)
	}
	return status
}

func nodePath(node key.NodePublic, rest string) string { return "/admin/nodes/" + node.String() + rest }

func wait(timeout time.Duration) string {
	return "timeout=" + url.QueryEscape(fmt.Sprintf("%dms", timeout.Milliseconds()))
}

// A body of members.
type members = map[string]any
