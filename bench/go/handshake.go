// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"io"
	"log"
	"net"
	"time"

	"tailscale.com/control/controlbase"
	"tailscale.com/types/key"
)

// sink is a connection without a peer.
type sink struct{ net.Conn }

func (sink) Read([]byte) (int, error)         { return 0, io.EOF }
func (sink) Write(p []byte) (int, error)      { return len(p), nil }
func (sink) Close() error                     { return nil }
func (sink) SetDeadline(time.Time) error      { return nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

// measureHandshake is the server's side of the official handshake: controlbase.Server answering one initiation
// over and over, into a connection that drops what is written.
func measureHandshake() {
	const protocolVersion = 138
	control, machine := key.NewMachine(), key.NewMachine()
	initiation, _, err := controlbase.ClientDeferred(machine, control.Public(), protocolVersion)
	if err != nil {
		log.Fatal(err)
	}
	report("go_responder", 150, func() {
		conn, err := controlbase.Server(context.Background(), sink{}, control, initiation)
		if err != nil {
			log.Fatal(err)
		}
		if conn.Peer() != machine.Public() {
			log.Fatal("another peer")
		}
	})
}
