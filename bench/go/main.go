// SPDX-License-Identifier: BSD-3-Clause

// Command go measures the server's side of the official handshake: CPU time of controlbase.Server answering one
// initiation over and over, into a connection that drops what is written. Batches, the best one counts.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"runtime"
	"syscall"
	"time"

	"tailscale.com/control/controlbase"
	"tailscale.com/types/key"
)

const (
	batches   = 15
	perBatch  = 150
	protoVers = 138
)

// sink is a connection without a peer.
type sink struct{ net.Conn }

func (sink) Read([]byte) (int, error)         { return 0, io.EOF }
func (sink) Write(p []byte) (int, error)      { return len(p), nil }
func (sink) Close() error                     { return nil }
func (sink) SetDeadline(time.Time) error      { return nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	runtime.GOMAXPROCS(1)
	control, machine := key.NewMachine(), key.NewMachine()
	initiation, _, err := controlbase.ClientDeferred(machine, control.Public(), protoVers)
	if err != nil {
		log.Fatal(err)
	}
	best := time.Duration(1<<63 - 1)
	for range batches {
		start := cpuTime()
		for range perBatch {
			conn, err := controlbase.Server(context.Background(), sink{}, control, initiation)
			if err != nil {
				log.Fatal(err)
			}
			if conn.Peer() != machine.Public() {
				log.Fatal("another peer")
			}
		}
		best = min(best, (cpuTime()-start)/perBatch)
	}
	fmt.Printf("best %-25s %d ns\n", "go_responder", best.Nanoseconds())
}
