// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"ts2021.invalid/interop/admin"
)

// Groups run at the same time, each with a server and nodes of its own; the parts of a group one after the other, some
// on what the one before has left.
var adminGroups = []struct {
	name  string
	nodes int
	run   func(t *testing.T, calls *adminCalls)
}{
	{"login", 1, adminLogin},
	{"netmap", 2, adminNetmap},
	{"views", 2, adminViews},
	{"frames", 2, adminFrames},
	{"clock", 2, adminClock},
}

// What no node can notice, or what others let nodes notice.
var adminUnmet = map[string]string{
	"GET /admin/faults":    "TestFaults",
	"PUT /admin/faults":    "TestFaults",
	"DELETE /admin/faults": "TestFaults",
	"GET /":                "the page for people: a browser's test",
	"GET /admin/":          "the same",
	"GET /admin/timeline":  "what the page shows",
}

// Every call of the admin API does to a real client what it is for.
func TestAdmin(t *testing.T) {
	forgetJoined(t)
	calls := &adminCalls{seen: map[string]bool{}}
	ran, joined := 0, 0
	t.Run("groups", func(t *testing.T) {
		for _, group := range adminGroups {
			t.Run(group.name, func(t *testing.T) {
				ran++
				joined += group.nodes
				t.Parallel()
				group.run(t, calls)
			})
		}
	})
	if ran == len(adminGroups) && !t.Failed() { // else some were not asked for
		calls.check(t)
		recordJoined(t, "tailscaled "+newestClient+" by the admin API", joined)
	}
}

// Which calls have been answered well, by any group.
type adminCalls struct {
	mu      sync.Mutex
	seen    map[string]bool // "GET /admin/nodes"
	openapi json.RawMessage
}

func (a *adminCalls) note(method, path string, status int) {
	path, _, _ = strings.Cut(path, "?")
	passed := strings.Contains(path, "/c2n/") && status/100 == 4 && status != 404 // the node's own refusal
	if status/100 != 2 && !passed {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[method+" "+path] = true
}

// Each row of the server's own description must have been called, or be known not to matter.
func (a *adminCalls) check(t *testing.T) {
	var described struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(a.openapi, &described); err != nil || len(described.Paths) == 0 {
		t.Fatalf("%v in %q", err, a.openapi)
	}
	unmet := map[string]string{}
	for row, why := range adminUnmet {
		unmet[row] = why
	}
	hole := regexp.MustCompile(`\\\{[a-z0-9]+\\\}`)
	for path, methods := range described.Paths {
		fits := regexp.MustCompile("^[A-Z]+ " + hole.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
		for method := range methods {
			row := strings.ToUpper(method) + " " + path
			met := false
			for call := range a.seen {
				met = met || (strings.HasPrefix(call, strings.ToUpper(method)+" ") && fits.MatchString(call) && isOwnRow(path, call))
			}
			why, listed := unmet[row]
			switch {
			case !met && !listed:
				t.Errorf("no test calls %s", row)
			case listed && why == "":
				t.Errorf("%s needs a reason", row)
			}
			if !met {
				delete(unmet, row)
			}
		}
	}
	for row := range unmet {
		t.Errorf("%s is no row of the description, or needs no reason", row)
	}
}

// A call to a path without holes is not one of the row that has a hole there.
func isOwnRow(path, call string) bool {
	return !(strings.HasSuffix(path, "/admin/nodes/{key}") && strings.HasSuffix(call, "/admin/nodes/fake"))
}

// A server with its admin API, and its nodes.
type adminWorld struct {
	*admin.Client
	t       *testing.T
	server  *server
	derpMap *tailcfg.DERPMap
}

func newAdminWorld(t *testing.T, calls *adminCalls, flags ...string) *adminWorld {
	t.Helper()
	derpMap := startRelay(t, newestClient)
	s := startServer(t, derpMap, append([]string{"--admin", "127.0.0.1:0"}, flags...)...)
	if s.Admin == "" {
		t.Fatal("ts2021d names no admin URL")
	}
	w := &adminWorld{t: t, server: s, derpMap: derpMap}
	w.Client = &admin.Client{URL: s.Admin, Answered: calls.note, Fail: func(err error) {
		w.t.Helper()
		w.t.Fatal(err)
	}}
	described := w.Document("openapi.json")
	calls.mu.Lock()
	defer calls.mu.Unlock()
	calls.openapi = described
	return w
}

// One part of the group: what fails in it fails under its name.
func (w *adminWorld) part(name string, run func(t *testing.T), nodes ...*node) {
	group := w.t
	group.Run(name, func(t *testing.T) {
		w.t = t
		for _, n := range nodes {
			n.in(t)
		}
		run(t)
	})
	w.t = group
	for _, n := range nodes {
		n.in(group)
	}
	if group.Failed() {
		group.FailNow() // the next would stand on nothing
	}
}

// A node that has joined.
func (w *adminWorld) join(name string) (*node, key.NodePublic) {
	w.t.Helper()
	n := newNode(w.t, w.server, newestClient, name)
	n.start()
	if err := n.up(w.server.AuthKey); err != nil {
		w.t.Fatal(err)
	}
	return n, n.key()
}

func (n *node) key() key.NodePublic {
	n.t.Helper()
	return n.waitRunning().Self.PublicKey
}

func (n *node) must(args ...string) string {
	n.t.Helper()
	out, err := n.cli(30*time.Second, args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

func (n *node) local() *local.Client { return &local.Client{Socket: n.socket, UseSocketOnly: true} }

// What the client holds now.
func (n *node) netmap() (*netmap.NetworkMap, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	shown, err := n.local().DebugResultJSON(ctx, "current-netmap")
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	var held *netmap.NetworkMap
	if err := json.Unmarshal(text, &held); err != nil {
		return nil, err
	}
	if held == nil || !held.SelfNode.Valid() {
		return nil, errors.New("it has no map")
	}
	return held, nil
}

// Waits until what the client holds is `ok`, which explains what it is not.
func (n *node) waitNetmap(what string, ok func(*netmap.NetworkMap) error) {
	n.t.Helper()
	eventually(n.t, n.name+" "+what, 10*time.Second, func() error {
		held, err := n.netmap()
		if err != nil {
			return err
		}
		return ok(held)
	})
}

// The same for one peer.
func (n *node) waitHeld(peer key.NodePublic, what string, ok func(tailcfg.NodeView) bool) {
	n.t.Helper()
	n.waitNetmap("holds a peer "+what, func(held *netmap.NetworkMap) error {
		for _, one := range held.Peers {
			if one.Key() == peer {
				if !ok(one) {
					return fmt.Errorf("it is %v", jsonOf(one))
				}
				return nil
			}
		}
		return fmt.Errorf("it is none of %d", len(held.Peers))
	})
}

func (n *node) waitState(state string) {
	n.t.Helper()
	eventually(n.t, n.name+" is "+state, 20*time.Second, func() error {
		status, err := n.status()
		if err == nil && status.BackendState != state {
			err = fmt.Errorf("it is %s", status.BackendState)
		}
		return err
	})
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// `tailscale up`, still running or over.
type upRun struct {
	*process
	n *node
}

func (n *node) upBegins(more ...string) *upRun {
	n.t.Helper()
	args := append([]string{"--socket=" + n.socket}, append(n.upArgs(n.name), more...)...)
	p := start(n.owner, "tailscale up", nil, clientsDir+"/"+n.version+"/tailscale", args...)
	p.t = n.t
	p.run()
	return &upRun{p, n}
}

var pageURL = regexp.MustCompile(`https?://\S+/(auth/[0-9a-f]+|admin)\b`)

// The page that it names.
func (u *upRun) page() (url string) {
	u.n.t.Helper()
	eventually(u.n.t, "tailscale up names a page", 20*time.Second, func() error {
		text := u.log.tail(100)
		if url = pageURL.FindString(text); url == "" {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	return url
}

// `up` behind a login that was refused with these words: the client may still be telling whoever listens of that one,
// which ends a new `up` as well.
func (n *node) upAfter(refusal, key string, more ...string) (err error) {
	for tries := 0; tries < 5; tries++ {
		if err = n.up(key, more...); err == nil || !strings.Contains(err.Error(), refusal) {
			break
		}
	}
	return err
}

// Waits until it names a page or ends; whether it ended with these words and without a page.
func (u *upRun) endedBy(words string) bool {
	u.n.t.Helper()
	for waited := time.Duration(0); waited < 20*time.Second; waited += 50 * time.Millisecond {
		if pageURL.MatchString(u.log.tail(100)) {
			return false
		}
		select {
		case <-u.done:
			u.stopped = true
			return !pageURL.MatchString(u.log.tail(100)) && strings.Contains(u.log.tail(100), words)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false
}

// Waits for its end and answers what it said; the error is that of its exit.
func (u *upRun) wait() (string, error) {
	u.n.t.Helper()
	select {
	case <-u.done:
		u.stopped = true
		return u.log.tail(100), u.err
	case <-time.After(40 * time.Second):
		u.n.t.Fatalf("tailscale up does not end: %s", u.log.tail(100))
		return "", nil
	}
}

// Whether the client tells of a new map within 5 seconds of what `do` does.
func (n *node) told(do func()) bool {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	watcher, err := n.local().WatchIPNBus(ctx, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	defer watcher.Close()
	do()
	for {
		notice, err := watcher.Next()
		if err != nil {
			return false
		}
		if notice.NetMap != nil {
			return true
		}
	}
}
