// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The capability version that each release sends.
var capabilityOf = map[string]int{
	"v1.20.4": 26, "v1.32.3": 46, "v1.50.1": 74, "v1.60.1": 87, "v1.70.0": 102, "v1.80.3": 113, "v1.90.9": 130,
	"v1.98.1": 138, "v1.104.5": 148,
}

// The golden messages, which unit.msg compares byte for byte with what we write, as the types of official releases
// read them, members that they don't have refused (decode/main.go). Each release reads what it is sent itself; a class
// whose releases we don't have is read by the next newer one.
func TestGolden(t *testing.T) {
	const folder = "../vectors/msg/golden/MapResponse"
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files in %s: %v", len(files), folder, err)
	}
	var classes []int
	for _, file := range files {
		class, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			t.Fatal(err)
		}
		classes = append(classes, class)
	}
	slices.Sort(classes)

	var releases []string
	for _, version := range append(strings.Fields(os.Getenv("INTEROP_RELEASES")), newestClient) {
		if capabilityOf[version] == 0 {
			t.Fatalf("the capability version of %s is not known here", version)
		}
		if !slices.Contains(releases, version) {
			releases = append(releases, version)
		}
	}
	slices.SortFunc(releases, func(a, b string) int { return capabilityOf[a] - capabilityOf[b] })
	if newest := capabilityOf[releases[len(releases)-1]]; newest < classes[len(classes)-1] {
		t.Fatalf("no release here is as new as class %d", classes[len(classes)-1])
	}

	for i, release := range releases {
		read := 0
		for j, class := range classes {
			of := capabilityOf[release]
			own := class <= of && (j+1 == len(classes) || of < classes[j+1])
			if !own && (class > of || i > 0 && class <= capabilityOf[releases[i-1]]) {
				continue
			}
			var without []string
			for name, end := range withdrawn {
				if class < end && end <= of {
					without = append(without, name)
				}
			}
			file := filepath.Join(folder, strconv.Itoa(class)+".json")
			out, _, err := output(t, 30*time.Second, filepath.Join(clientsDir, release, "decode"),
				"-without="+strings.Join(without, ","), file)
			if err != nil {
				t.Errorf("%s: %v\n%s", release, err, out)
			}
			read++
		}
		t.Logf("%s has read %d files", release, read)
	}
}

// Members that older clients had, and the version from which they are gone.
var withdrawn = map[string]int{
	"ForceBackgroundSTUN": 37, "RandomizeClientPort": 37,
	"SetForceBackgroundSTUN": 70, "SetRandomizeClientPort": 70, "TrimWGConfig": 70, "DisableSubnetsIfPAC": 70,
	"DisableUPnP": 70, "OneCGNATRoute": 70, "EnableSilentDisco": 70,
	"Groups": 87,
}
