// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"log"
	"os"

	"tailscale.com/tailcfg"
)

// measureJSON is encoding/json with the official types, on the texts that json_bench uses.
func measureJSON(requestFile, mapFile string) {
	requestText, err := os.ReadFile(requestFile)
	if err != nil {
		log.Fatal(err)
	}
	report("go_decode_request", 2000, func() {
		var request tailcfg.MapRequest
		if err := json.Unmarshal(requestText, &request); err != nil || request.Hostinfo == nil {
			log.Fatal("not decoded: ", err)
		}
	})

	mapText, err := os.ReadFile(mapFile)
	if err != nil {
		log.Fatal(err)
	}
	var response tailcfg.MapResponse
	if err := json.Unmarshal(mapText, &response); err != nil || len(response.Peers) != 1000 {
		log.Fatal("not decoded: ", err)
	}
	report("go_encode_map", 4, func() {
		if text, err := json.Marshal(&response); err != nil || len(text) < 500_000 {
			log.Fatal("not encoded: ", err)
		}
	})
	report("go_decode_map", 2, func() {
		var again tailcfg.MapResponse
		if err := json.Unmarshal(mapText, &again); err != nil {
			log.Fatal("not decoded: ", err)
		}
	})
}
