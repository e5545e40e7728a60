// SPDX-License-Identifier: BSD-3-Clause

//go:build pin

// Package headscale pins the release that run.sh builds.
package headscale

import _ "github.com/juanfont/headscale/cmd/headscale"
