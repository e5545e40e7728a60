// SPDX-License-Identifier: BSD-3-Clause

// The official test server as a program: listens on a free port of the loopback and says where, as ts2021d does.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	control := &testcontrol.Server{
		ExplicitBaseURL:  url,
		AllNodesSameUser: true,
		DERPMap:          &tailcfg.DERPMap{},
		Logf:             func(string, ...any) {},
	}
	ready, err := json.Marshal(map[string]any{"url": url, "pid": os.Getpid(), "auth_key": ""})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(ready))
	log.Fatal(http.Serve(listener, control))
}
