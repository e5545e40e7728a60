// SPDX-License-Identifier: BSD-3-Clause

// Package interop joins programs and packages of the official releases with ts2021d and ts2021. It runs inside
// a closed network namespace (netns.sh), so servers listen where they like and nothing leaves the machine.
package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Given by CMakeLists.txt.
var (
	binDir     = os.Getenv("INTEROP_BIN")     // ts2021d and ts2021
	clientsDir = os.Getenv("INTEROP_CLIENTS") // <version>/{tailscaled,tailscale,derper}
	joinedDir  = os.Getenv("INTEROP_JOINED")  // one file per test, a line per client that joined
	sanitized  = os.Getenv("INTEROP_SANITIZED") != ""
)

const newestClient = "v1.98.1"

// The version of the official module that this program is linked with; set by build_tests.sh.
var moduleVersion string

// Notes that a real client has joined; kept only when the whole test passes.
func recordJoined(t *testing.T, client string, count int) {
	t.Helper()
	if joinedDir == "" {
		return
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		file, err := os.OpenFile(filepath.Join(joinedDir, rootName(t)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fmt.Fprintf(file, "%s\t%d\n", client, count)
	})
}

func rootName(t *testing.T) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	return name
}

// What an earlier run noted says nothing about this one.
func forgetJoined(t *testing.T) {
	t.Helper()
	if joinedDir == "" {
		return
	}
	if err := os.MkdirAll(joinedDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(joinedDir, rootName(t))); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

// A process that is ended with the test, at the latest.
type process struct {
	t       *testing.T // fails when it does what it should not
	owner   *testing.T // lives at least as long
	name    string
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended and `err` is set
	err     error
	log     *lockedBuffer // all it printed on stderr
	stopped bool
}

func start(t *testing.T, name string, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, owner: t, name: name, done: make(chan struct{}), log: &lockedBuffer{}}
	p.cmd = exec.Command(program, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.log
	// Should this program be killed, its children go with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p
}

func (p *process) run() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	p.owner.Cleanup(func() {
		if !p.stopped {
			p.kill()
		}
		if kept := os.Getenv("INTEROP_KEEP"); kept != "" {
			name := strings.ReplaceAll(p.name, " ", "-") + "." + strconv.Itoa(p.cmd.Process.Pid) + ".log"
			os.WriteFile(filepath.Join(kept, name), []byte(p.log.tail(1<<30)), 0o600)
		}
		if p.owner.Failed() {
			p.owner.Logf("last words of %s:\n%s", p.name, p.log.tail(40))
		}
	})
}

// Asks it to end and waits; fails the test when it takes longer than `limit` or, with `clean`, when its exit
// status is not 0.
func (p *process) stop(limit time.Duration, clean bool) {
	p.t.Helper()
	select {
	case <-p.done:
		p.stopped = true
		p.t.Fatalf("%s had ended before it was asked to: %v\n%s", p.name, p.err, p.log.tail(40))
	default:
	}
	p.stopped = true
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.cmd.Process.Kill()
		<-p.done
		p.t.Fatalf("%s did not end within %v of SIGTERM", p.name, limit)
	}
	if clean && p.err != nil {
		p.t.Fatalf("%s ended badly: %v\n%s", p.name, p.err, p.log.tail(40))
	}
}

// Ends it at once.
func (p *process) kill() {
	p.stopped = true
	p.cmd.Process.Kill()
	<-p.done
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(lines int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := strings.Split(strings.TrimRight(l.b.String(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Tries until `try` answers nil; fails the test with its last error.
func eventually(t *testing.T, what string, limit time.Duration, try func() error) {
	t.Helper()
	end := time.Now().Add(limit)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Runs a program to its end and answers what it printed.
func output(t *testing.T, limit time.Duration, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, errs.String())
	}
	return out.String(), errs.String(), err
}

func writeJSON(t *testing.T, path string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
