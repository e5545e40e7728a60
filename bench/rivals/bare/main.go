// SPDX-License-Identifier: BSD-3-Clause

// What Go's transport alone costs: the official upgrade and Noise, HTTP/2 of golang.org/x/net, and behind it a server that knows nothing.
// Whoever registers is welcome, a map stream has one tiny map and then silence. Listens on a free port of the loopback and says where,
// as ts2021d does.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"golang.org/x/net/http2"
	"tailscale.com/control/controlhttp/controlhttpserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/util/zstdframe"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// message is a map message as the stream has it: its size, and JSON or a zstd frame of it.
func message(body []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

var (
	plainMap    = must(json.Marshal(tailcfg.MapResponse{Domain: "bare.invalid"}))
	smallestMap = map[string][]byte{"": message(plainMap), "zstd": message(zstdframe.AppendEncode(nil, plainMap, zstdframe.FastestCompression))}
	welcome     = must(json.Marshal(tailcfg.RegisterResponse{MachineAuthorized: true}))
)

func register(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Write(welcome)
}

func sendMap(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Stream   bool
		Compress string
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, "no map request", http.StatusBadRequest)
		return
	}
	if !request.Stream {
		return // an update
	}
	w.Write(smallestMap[request.Compress])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func main() {
	private := key.NewMachine()
	keys := must(json.Marshal(tailcfg.OverTLSPublicKeyResponse{PublicKey: private.Public()}))
	inside := http.NewServeMux()
	inside.HandleFunc("POST /machine/register", register)
	inside.HandleFunc("POST /machine/map", sendMap)
	var http2Server http2.Server
	base := &http.Server{Handler: inside}

	outside := http.NewServeMux()
	outside.HandleFunc("GET /key", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(keys)
	})
	outside.HandleFunc("POST /ts2021", func(w http.ResponseWriter, r *http.Request) {
		conn, err := controlhttpserver.AcceptHTTP(r.Context(), w, r, private, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		http2Server.ServeConn(conn, &http2.ServeConnOpts{Context: r.Context(), BaseConfig: base})
	})

	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	ready := must(json.Marshal(map[string]any{"url": "http://" + listener.Addr().String(), "pid": os.Getpid(), "auth_key": ""}))
	fmt.Println(string(ready))
	log.Fatal(http.Serve(listener, outside))
}
