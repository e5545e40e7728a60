// SPDX-License-Identifier: BSD-3-Clause

// Command go measures what the official code needs for the same work as our benches:
//
//	go handshake
//	go json REQUEST.json MAP.json
package main

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"syscall"
	"time"
)

const batches = 15

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// report prints the CPU time of one call, garbage collection included: the best of the batches.
func report(name string, perBatch int, call func()) {
	best := time.Duration(1<<63 - 1)
	for range batches {
		start := cpuTime()
		for range perBatch {
			call()
		}
		best = min(best, (cpuTime()-start)/time.Duration(perBatch))
	}
	fmt.Printf("best %-25s %d ns\n", name, best.Nanoseconds())
}

func main() {
	runtime.GOMAXPROCS(1)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "handshake":
		measureHandshake()
	case len(os.Args) == 4 && os.Args[1] == "json":
		measureJSON(os.Args[2], os.Args[3])
	default:
		log.Fatal("handshake, or json REQUEST.json MAP.json")
	}
}
