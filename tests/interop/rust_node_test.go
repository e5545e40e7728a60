// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The official Rust client, driven by lines (rust/src/main.rs). It speaks by relay only.
type rustNode struct {
	t       *testing.T
	owner   *testing.T
	name    string
	server  *server
	program string
	keys    string // file, kept over restarts
	process *process
	input   io.WriteCloser
	answers chan string
	self    rustPeer
}

// Where it sends back what it gets.
const rustEchoPort = 7

// A node as the Rust client knows it.
type rustPeer struct {
	Name      string       `json:"name"`
	Addresses []netip.Addr `json:"addresses"`
	Status    string       `json:"status"`
	Relay     string       `json:"relay"`
}

func newRustNode(t *testing.T, s *server, program, name string) *rustNode {
	return &rustNode{
		t: t, owner: t, name: name, server: s, program: program, keys: filepath.Join(stateDir(t, name), "keys.json"),
	}
}

// From now on `t` fails when the node does what it should not.
func (n *rustNode) in(t *testing.T) {
	n.t = t
	if n.process != nil {
		n.process.t = t
	}
}

// Joins with the key and waits until it is in.
func (n *rustNode) start(key string, env ...string) {
	n.t.Helper()
	n.launch(key, env...)
	n.waitIn()
}

func (n *rustNode) launch(key string, env ...string) {
	n.t.Helper()
	env = append([]string{"TS_RS_EXPERIMENT=this_is_unstable_software"}, env...)
	if key != "" {
		env = append(env, "TS_AUTH_KEY="+key)
	}
	p := start(n.owner, "the Rust client", env, n.program, n.server.URL, n.keys, n.name)
	p.t = n.t
	input, err := p.cmd.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	n.process, n.input, n.answers = p, input, make(chan string, 16)
	p.run()
	go func(answers chan<- string) {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			answers <- lines.Text()
		}
		close(answers)
	}(n.answers)
}

func (n *rustNode) waitIn() {
	n.t.Helper()
	if err := n.answer(40*time.Second, &n.self); err != nil {
		n.t.Fatal(err)
	}
	if n.self.Name != n.name || len(n.self.Addresses) != 2 {
		n.t.Fatalf("the Rust client is %+v", n.self)
	}
}

func (n *rustNode) stop() {
	n.t.Helper()
	n.input.Close()
	select {
	case <-n.process.done:
		n.process.stopped = true
	case <-time.After(15 * time.Second):
		n.process.stop(time.Second, false)
	}
}

func (n *rustNode) answer(limit time.Duration, value any) error {
	select {
	case text, open := <-n.answers:
		if !open {
			return fmt.Errorf("the Rust client has ended: %s", n.process.log.tail(10))
		}
		var failure struct{ Error string }
		if json.Unmarshal([]byte(text), &failure) == nil && failure.Error != "" {
			return fmt.Errorf("the Rust client: %s", failure.Error)
		}
		return json.Unmarshal([]byte(text), value)
	case <-time.After(limit):
		return fmt.Errorf("the Rust client gave no answer for %v: %s", limit, n.process.log.tail(10))
	}
}

func (n *rustNode) ask(value any, words ...string) error {
	if _, err := io.WriteString(n.input, strings.Join(words, " ")+"\n"); err != nil {
		return err
	}
	return n.answer(20*time.Second, value)
}

// What it knows of a peer; an error where it knows none of that name.
func (n *rustNode) peer(name string) (*rustPeer, error) {
	var peer *rustPeer
	if err := n.ask(&peer, "peer", name); err != nil {
		return nil, err
	}
	if peer == nil {
		return nil, fmt.Errorf("it knows no %s", name)
	}
	return peer, nil
}

// Sends a line over TCP through the tailnet and gets it back.
func (n *rustNode) reach(target netip.AddrPort) error {
	var answer struct{ Answer string }
	if err := n.ask(&answer, "reach", target.String()); err != nil {
		return err
	}
	if answer.Answer != "through the tailnet" {
		return fmt.Errorf("%v sent back %q", target, answer.Answer)
	}
	return nil
}
