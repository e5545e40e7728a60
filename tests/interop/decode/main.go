// SPDX-License-Identifier: BSD-3-Clause

// Command decode reads MapResponses with the types of the release that it is built with, and refuses members that
// they don't have. build_clients.sh builds it inside each release, back to v1.20 and its Go.
//
//	decode [-without NAME,NAME] FILE...
//
// prints a line per file that can't be read; exit status 1 when there is one. Members of the given names are taken out
// first, wherever they are.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"tailscale.com/tailcfg"
)

var withdrawn = map[string]bool{}

func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	messages := json.NewDecoder(file)
	messages.UseNumber()
	count := 0
	for ; ; count++ {
		var value interface{}
		if err := messages.Decode(&value); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		takeOut(value)
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var message tailcfg.MapResponse
		if err := decoder.Decode(&message); err != nil {
			return err
		}
	}
	if count == 0 {
		return fmt.Errorf("it holds no message")
	}
	return nil
}

func takeOut(value interface{}) {
	switch value := value.(type) {
	case []interface{}:
		for _, element := range value {
			takeOut(element)
		}
	case map[string]interface{}:
		for name, member := range value {
			if withdrawn[name] {
				delete(value, name)
			} else {
				takeOut(member)
			}
		}
	}
}

func main() {
	without := flag.String("without", "", "names of members to take out")
	flag.Parse()
	for _, name := range strings.Split(*without, ",") {
		withdrawn[name] = true
	}
	bad := flag.NArg() == 0
	for _, path := range flag.Args() {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}
