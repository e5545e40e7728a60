#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh FOLDER TS2021D [PACKAGE [TEST FLAG...]]: the official tests of a package that use its test server, with ts2021d
# in that server's place. FOLDER keeps a copy of the module and what Go builds. Prints what passed.
# tstest/integration (if absent), tsnet, control/controlclient, control/tsp and feature/taildrop pass; of the test
# server's own, one asks for the loss of a disco key that we keep.
set -eu
PATH=${GO:+$(dirname "$GO"):}$PATH
package=${3:-tstest/integration}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
TS2021D=$(realpath "$2")
shift "$(($# < 3 ? $# : 3))"
export TS2021D GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOTOOLCHAIN=auto

# What lies in Go's cache can't be overlaid.
module=$folder/tailscale.com
if [ ! -d "$module" ]; then
  source=$(cd "$here/.." && go mod download -json tailscale.com | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -r "$source" "$module.part"
  chmod -R u+w "$module.part"
  mv "$module.part" "$module"
fi
control=$module/tstest/integration/testcontrol
mkdir -p "$control/admin"
{
  echo '{"Replace":{'
  for file in client config nodes watch; do
    echo "\"$control/admin/$file.go\":\"$here/../admin/$file.go\","
  done
  echo "\"$control/testcontrol.go\":\"$here/testcontrol.go\"}}"
} > "$folder/overlay.json"

cd "$module/$package"
name=$folder/$(echo "$package" | tr / -).test
go test -c -overlay "$folder/overlay.json" -o "$name" .
# The tests build the client themselves, with the cache that there is.
GOBIN=$folder/bin go install tailscale.com/cmd/tailscaled tailscale.com/cmd/tailscale
export GOPROXY=off
exec sh "$here/../netns.sh" "$name" -test.v "$@"
