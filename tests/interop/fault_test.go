// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fault, how it is made to happen, and how the client gets over it.
type fault struct {
	layer, word string
	members     map[string]any
	all         bool                // of everybody: the rule can't choose
	dial        bool                // met on a new connection: the old one is cut
	login       bool                // met at a login
	heal        func(w *faultWorld) // what must be done before the client comes back
	until       string              // what it does until then
	limit       time.Duration       // for coming back; 30 s
}

type members = map[string]any

// The client must say something on the connection of its map stream.
func tellSomething(w *faultWorld) {
	seq, _ := w.events(-1)
	if _, err := w.alpha.cli(15*time.Second, "set", fmt.Sprintf("--hostname=alpha-%d", w.wakes)); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "what it says", 30*time.Second, func() error {
		if _, requests := w.events(seq); len(requests) == 0 {
			return errors.New("nothing yet")
		}
		return nil
	})
}
func relogin(w *faultWorld) {
	time.Sleep(12 * time.Second)
	w.login()
}

func removeFaults(w *faultWorld) {
	time.Sleep(2 * time.Second)
	w.admin("DELETE", "/admin/faults", nil, nil)
}

// Groups run at the same time, each with a server of its own; the longest first.
var faults = [][]fault{{
	{layer: "api", word: "stall", limit: 150 * time.Second},
}, {
	{layer: "tcp", word: "split", dial: true},
	{layer: "tcp", word: "stall", members: members{"after": 600, "delay": "3s"}, dial: true},
	{layer: "tcp", word: "half-close", members: members{"after": 600}, dial: true},
	{layer: "tcp", word: "reset", members: members{"after": 600}, dial: true},
	{layer: "http", word: "status", members: members{"status": 503}, dial: true},
	{layer: "http", word: "redirect", members: members{"location": "http://127.0.0.1:1/"}, dial: true},
	{layer: "http", word: "strip-upgrade", dial: true},
	{layer: "http", word: "wrong-key", all: true, login: true, heal: relogin, until: "keeps the wrong key until it logs in anew"},
}, {
	{layer: "noise", word: "wrong-key", dial: true},
	{layer: "noise", word: "error-record", members: members{"text": "not today"}, dial: true},
	{layer: "noise", word: "corrupt"},
	{layer: "noise", word: "truncate"},
	{layer: "noise", word: "reorder"},
	{layer: "early", word: "none", dial: true},
	{layer: "early", word: "garbage", dial: true},
	{layer: "early", word: "lying-length", dial: true},
	{layer: "early", word: "oversized", dial: true},
}, {
	{layer: "http2", word: "goaway", dial: true},
	{layer: "http2", word: "reset", dial: true},
	{layer: "http2", word: "zero-window", members: members{"delay": "3s"}, dial: true, heal: tellSomething},
	{layer: "http2", word: "flood", dial: true},
	{layer: "map", word: "length-long"},
	{layer: "map", word: "length-short"},
	{layer: "map", word: "length-zero"},
	{layer: "map", word: "bad-zstd"},
	{layer: "map", word: "truncated-json"},
	{layer: "api", word: "delay", members: members{"on": "map", "delay": "2s"}, dial: true},
	{layer: "api", word: "hold", members: members{"on": "map"}, dial: true, heal: removeFaults, until: "waits until the rule is gone"},
	{layer: "api", word: "drop", members: members{"on": "frame"}},
	{layer: "api", word: "status", members: members{"on": "register", "status": 429, "retryAfter": "2s"}, login: true},
	{layer: "api", word: "stale"},
	{layer: "api", word: "contradiction"},
}}

// A server with its admin API, the client that meets the faults, and a peer of it.
type faultWorld struct {
	t     *testing.T
	url   string
	alpha *node
	key   string
	wakes int
}

// A call of the admin API that must be answered with 2xx, unless `status` wants to know.
func (w *faultWorld) admin(method, path string, body, into any) {
	w.t.Helper()
	if status, text := w.try(method, path, body, into); status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
}
func (w *faultWorld) try(method, path string, body, into any) (int, string) {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, w.url+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if into != nil && answer.StatusCode == 200 {
		if err := json.Unmarshal(text, into); err != nil {
			w.t.Fatalf("%s %s: %v in %q", method, path, err, text)
		}
	}
	return answer.StatusCode, string(text)
}

// Something new for everybody's map.
func (w *faultWorld) wake() {
	w.t.Helper()
	w.wakes++
	w.admin("POST", "/admin/dns/records", []any{members{"Name": fmt.Sprintf("wake%d.test", w.wakes), "Value": "192.0.2.7"}}, nil)
}

func (w *faultWorld) login() {
	w.t.Helper()
	if _, err := w.alpha.cli(15*time.Second, "down"); err != nil {
		w.t.Fatal(err)
	}
	// It may end late or never: that the client is back is seen otherwise.
	go w.alpha.cli(20*time.Second, w.alpha.upArgs(w.alpha.name)...)
}

// How often the first rule has fired.
func (w *faultWorld) fired() int {
	w.t.Helper()
	var rules []struct{ Fired int }
	w.admin("GET", "/admin/faults", nil, &rules)
	if len(rules) == 0 {
		return 0
	}
	return rules[0].Fired
}

// The whole way there and back: a map message with a request to the node, and its answer.
func (w *faultWorld) alive() error {
	status, text := w.try("POST", "/admin/nodes/"+w.key+"/c2n", members{"method": "POST", "path": "/echo", "body": "aGVsbG8=", "timeout": "1s"}, nil)
	if status != 200 || !strings.Contains(text, "aGVsbG8=") {
		return fmt.Errorf("c2n: %d %s", status, text)
	}
	return nil
}

type mapRequest struct {
	NodeKey    string `json:"nodeKey"`
	Stream     bool   `json:"stream"`
	Connection int    `json:"connection"`
}

func (w *faultWorld) events(after int) (next int, requests []mapRequest) {
	w.t.Helper()
	var answer struct {
		Events []mapRequest
		Next   int
	}
	if status, _ := w.try("GET", fmt.Sprintf("/admin/events?type=map-request&after=%d&timeout=0s", after), nil, &answer); status == 200 {
		for _, event := range answer.Events {
			if event.NodeKey == w.key {
				requests = append(requests, event)
			}
		}
	}
	return answer.Next, requests
}

func (w *faultWorld) polls(after int) (polls []mapRequest) {
	w.t.Helper()
	_, requests := w.events(after)
	for _, request := range requests {
		if request.Stream {
			polls = append(polls, request)
		}
	}
	return polls
}

var complaint = regexp.MustCompile(`(?i)error|fail|EOF|time[d ]*out|reset|refused|429|500|503|invalid|unexpected|bad |backoff|decode|goaway|reject`)
var about = regexp.MustCompile(`^(control|Received error|controlhttp|\[v1\] control|netmap|map response|PollNetMap)`)
var stamp = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `)
var varying = regexp.MustCompile(`127\.0\.0\.1:\d+|\[[A-Za-z0-9+/]{5}\]|nodekey:[0-9a-f]+|\d+(\.\d+)?(ms|µs|s)\b`)

// The first thing that the client had to say about control, without what differs each time; the second one where
// the first is about the cut.
func firstComplaint(log string, cut bool) string {
	var all []string
	for _, line := range strings.Split(log, "\n") {
		text := stamp.ReplaceAllString(line, "")
		if !complaint.MatchString(text) || !about.MatchString(text) || strings.HasPrefix(text, "health(") {
			continue
		}
		text = varying.ReplaceAllString(text, "…")
		if len(text) > 160 {
			text = text[:160] + "…"
		}
		all = append(all, strings.ReplaceAll(text, "|", "\\|"))
	}
	if cut && len(all) > 0 && strings.HasSuffix(all[0], "PollNetMap: unexpected EOF") {
		all = all[1:]
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

type reaction struct{ rule, said, did, back string }

func (w *faultWorld) meet(f fault) reaction {
	w.t.Helper()
	rule := members{"layer": f.layer, "fault": f.word}
	for name, value := range f.members {
		rule[name] = value
	}
	shown, _ := json.Marshal(f.members)
	if len(f.members) == 0 {
		shown = nil
	}
	if !f.all {
		rule["node"] = w.key
	}
	rules := []members{rule}
	if f.dial {
		rules = append(rules, members{"layer": "noise", "fault": "truncate", "node": w.key})
	}
	time.Sleep(500 * time.Millisecond) // what was asked last has been answered, and no record is under way
	seq, _ := w.events(-1)
	before := len(w.alpha.process.log.tail(1 << 30))
	w.admin("PUT", "/admin/faults", rules, nil)
	if f.login {
		w.login()
	} else {
		w.wake()
	}
	eventually(w.t, "the fault fires", 30*time.Second, func() error {
		if w.fired() == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	began := time.Now()
	if f.heal != nil {
		f.heal(w)
		if f.until != "" {
			began = time.Now()
		}
	}
	limit := f.limit
	if limit == 0 {
		limit = 40 * time.Second
	}
	if f.layer == "api" && f.word == "stall" { // asking in between would only fill the queue
		eventually(w.t, "a new poll", limit, func() error {
			if len(w.polls(seq)) == 0 {
				return errors.New("none yet")
			}
			return nil
		})
	}
	eventually(w.t, "the client is back", limit, w.alive)
	took := time.Since(began)
	if status, err := w.alpha.status(); err != nil || status.BackendState != "Running" {
		w.t.Fatalf("the client is %+v, %v", status, err)
	}
	w.admin("DELETE", "/admin/faults", nil, nil)

	polls := w.polls(seq)
	connections := map[int]bool{}
	for _, poll := range polls {
		connections[poll.Connection] = true
	}
	more := len(polls)
	if f.dial || f.login {
		more--
	}
	if more < 0 {
		w.t.Fatalf("%s %s: the map stream was not cut", f.layer, f.word)
	}
	did := "goes on"
	if f.until != "" {
		did = f.until
	} else if more > 0 && len(connections) > 1 {
		did = "polls again, on another connection"
	} else if more > 0 {
		did = "polls again"
	}
	back := "at once"
	switch {
	case took > 100*time.Second:
		back = "in two minutes"
	case took > 15*time.Second:
		back = "in less than a minute"
	case took > 7*time.Second:
		back = "in about ten seconds"
	case took > 1500*time.Millisecond:
		back = "in some seconds"
	}
	said := firstComplaint(w.alpha.process.log.tail(1 << 30)[before:], f.dial)
	w.t.Logf("%s %s: %q, %s, back %s (%v, %d polls on %d connections)", f.layer, f.word, said, did, back, took.Round(time.Millisecond), len(polls), len(connections))
	return reaction{rule: string(shown), said: said, did: did, back: back}
}

// Every fault of the language is met by a real client, which comes back once the rule is used up. With
// INTEROP_FAULTS=FILE what it did is written there.
func TestFaults(t *testing.T) {
	forgetJoined(t)
	page, err := os.ReadFile("../../lib/FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]reaction{}
	var mutex sync.Mutex
	t.Run("groups", func(t *testing.T) {
		for number, group := range faults {
			t.Run(fmt.Sprint(number), func(t *testing.T) {
				t.Parallel()
				w := newFaultWorld(t)
				for _, f := range group {
					r := w.meet(f)
					mutex.Lock()
					met[f.layer+" | "+f.word] = r
					mutex.Unlock()
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	var table strings.Builder
	for _, line := range strings.Split(string(page), "\n") {
		row := regexp.MustCompile(`^\| (tcp|http|noise|early|http2|map|api) \| ([a-z0-9-]+) \|`).FindStringSubmatch(line)
		if row == nil {
			continue
		}
		r, found := met[row[1]+" | "+row[2]]
		if !found {
			t.Errorf("no client has met %s %s", row[1], row[2])
			continue
		}
		rule, said := "", "nothing"
		if r.rule != "" {
			rule = "`" + r.rule + "`"
		}
		if r.said != "" {
			said = "`" + r.said + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s |\n", row[1], row[2], rule, said, r.did, r.back)
		delete(met, row[1]+" | "+row[2])
	}
	if len(met) > 0 {
		t.Errorf("the page of the language does not know %v", met)
	}
	recordJoined(t, "tailscaled "+newestClient+" and faults", len(faults))
	if path := os.Getenv("INTEROP_FAULTS"); path != "" && !t.Failed() {
		head := "# What a real client makes of faults\n\n" +
			"tailscaled " + newestClient + " meets each fault of `lib/FAULTS.md` once; written by `TestFaults` with `INTEROP_FAULTS=FILE`. What needs a new connection is met behind a cut\n" +
			"of the old one. *Said* is the first complaint about control in its log, *back* the time until a request by its map stream is answered again.\n\n" +
			"| layer | fault | with | said | did | back |\n|---|---|---|---|---|---|\n"
		if err := os.WriteFile(path, []byte(head+table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func newFaultWorld(t *testing.T) *faultWorld {
	t.Helper()
	s := startServer(t, startRelay(t, newestClient), "--admin", "127.0.0.1:0")
	if s.Admin == "" {
		t.Fatal("ts2021d names no admin URL")
	}
	w := &faultWorld{t: t, url: s.Admin, alpha: newNode(t, s, newestClient, "alpha")}
	beta := newNode(t, s, newestClient, "beta")
	for _, n := range []*node{w.alpha, beta} {
		n.env = append(n.env, "TS_DEBUG_LOG_RATE=all")
		n.start()
		eventually(t, n.name+" joins", 60*time.Second, func() error { return n.up(s.AuthKey) })
	}
	w.alpha.waitPeer("beta", "there", 30*time.Second, isThere)
	w.key = w.alpha.waitRunning().Self.PublicKey.String()
	eventually(t, "the first c2n", 30*time.Second, w.alive)
	return w
}
