// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What each client did in each check: a row per client, a column per check.
type table struct {
	t       *testing.T
	rows    []string
	columns []string
	cells   map[[2]string]string // row and column
}

const (
	cellOK            = "ok"
	cellFailed        = "FAIL"
	cellNotApplicable = "n.a." // the client can't do it; the check says why where it skips
	cellNotRun        = "-"    // it is out: it never joined, or an earlier check has lost it
)

func newTable(t *testing.T) *table {
	return &table{t: t, cells: map[[2]string]string{}}
}

// A check may have several steps: one that has failed stays so.
func (table *table) set(row, column, value string) {
	if !slices.Contains(table.rows, row) {
		table.rows = append(table.rows, row)
	}
	if !slices.Contains(table.columns, column) {
		table.columns = append(table.columns, column)
	}
	if cell := [2]string{row, column}; table.cells[cell] != cellFailed {
		table.cells[cell] = value
	}
}

// Runs one check of one client as a subtest of its own, so that its failure leaves the others running.
func (table *table) run(row, column string, check func(t *testing.T)) bool {
	skipped := false
	passed := table.t.Run(strings.ReplaceAll(column, " ", "_")+"/"+row, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		check(t)
	})
	switch {
	case !passed:
		table.set(row, column, cellFailed)
	case skipped:
		table.set(row, column, cellNotApplicable)
	default:
		table.set(row, column, cellOK)
	}
	return passed
}

func (table *table) print(out io.Writer) {
	widths := []int{0}
	for _, row := range table.rows {
		widths[0] = max(widths[0], utf8.RuneCountInString(row))
	}
	for _, column := range table.columns {
		widths = append(widths, max(len(cellFailed), utf8.RuneCountInString(column)))
	}
	line := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		fmt.Fprintln(out, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
	line(append([]string{""}, table.columns...)...)
	for _, row := range table.rows {
		cells := []string{row}
		for _, column := range table.columns {
			cell, found := table.cells[[2]string{row, column}]
			if !found {
				cell = cellNotRun
			}
			cells = append(cells, cell)
		}
		line(cells...)
	}
}
