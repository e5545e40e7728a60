// SPDX-License-Identifier: BSD-3-Clause

// Command decode reads MapResponses with the types of the release that it is built with, and refuses members that
// they don't have. build_clients.sh builds it inside each release, back to v1.20 and its Go.
//
//	decode FILE...    a line per message that can't be read; exit status 1 when there is one
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"tailscale.com/tailcfg"
)

func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	count := 0
	for ; ; count++ {
		var message tailcfg.MapResponse
		if err := decoder.Decode(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	if count == 0 {
		return fmt.Errorf("it holds no message")
	}
	return nil
}

func main() {
	bad := len(os.Args) < 2
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}
