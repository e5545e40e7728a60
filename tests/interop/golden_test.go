// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tailscale.com/tailcfg"
)

// The golden messages, which unit.msg compares byte for byte with what we write, as the official types read them.
// The types of this release know all members that clients of its time know and none that came later.
func TestGolden(t *testing.T) {
	const folder = "../vectors/msg/golden/MapResponse"
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files in %s: %v", len(files), folder, err)
	}
	strict := 0
	for _, file := range files {
		version, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		if version > 0 && version <= int(tailcfg.CurrentCapabilityVersion) {
			decoder.DisallowUnknownFields()
			strict++
		}
		for decoder.More() {
			var message tailcfg.MapResponse
			if err := decoder.Decode(&message); err != nil {
				t.Errorf("%s: %v", file, err)
				break
			}
		}
	}
	t.Logf("%d files, %d of them with unknown members refused", len(files), strict)
}
