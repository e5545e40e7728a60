#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds tailscaled and tailscale of the given releases from the official Go module, each with the Go of its time,
# into ${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/clients/<version>. What is there already is kept. Beside them come
# decode/, which reads our golden messages with the types of that release, and from v1.98 the relay derper, for all.
#   build_clients.sh v1.98.1 ...      a release takes two to six minutes on two cores
#   build_clients.sh --dir            prints the folder that holds them
#   build_clients.sh --go VERSION     prints the Go release it is built with
set -eu

here=$(cd "$(dirname "$0")" && pwd)
netstack=/usr/share/gocode/src/inet.af/netstack
root="${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/clients"

go_of() {
  case "$1" in
    v1.20.*) echo go1.17.13 ;;
    v1.24.*) echo go1.18.10 ;;
    v1.32.*) echo go1.19.13 ;;
    v1.40.*) echo go1.20.14 ;;
    v1.50.*) echo go1.21.13 ;;
    v1.60.* | v1.70.*) echo go1.22.12 ;;
    v1.80.*) echo go1.23.12 ;;
    v1.90.*) echo go1.25.14 ;;
    v1.98.*) echo go1.26.8 ;;
    v1.104.*) echo go1.27.4 ;;
    *) # newer than this list: the least that its own go.mod asks for
      asked=$(go_mod_of "$1" | sed -n 's/^go \([0-9.]*\)$/\1/p')
      case "$asked" in
        *.*.*) echo "go$asked" ;;
        *) echo "build_clients.sh: no Go release is known for $1" >&2; return 1 ;;
      esac ;;
  esac
}

# The go.mod of a release. One that wants a newer Go than ours is still fetched, with an error beside it.
go_mod_of() (
  empty=$(mktemp -d)
  trap 'rmdir "$empty"' EXIT
  cd "$empty"
  cat "$(GOTOOLCHAIN=local GOFLAGS=-mod=mod go mod download -json "tailscale.com@$1" | sed -n 's/^[[:space:]]*"GoMod": "\(.*\)",*$/\1/p')"
)

case "${1-}" in
  --dir) echo "$root"; exit 0 ;;
  --go) go_of "$2"; exit 0 ;;
  '') echo "usage: build_clients.sh VERSION..." >&2; exit 2 ;;
esac

# One release into a folder of its own name.
build() {
  version=$1
  target="$root/$version"
  missing=
  programs="tailscaled tailscale"
  case "$version" in v1.98.*) programs="$programs derper" ;; esac
  for program in $programs; do
    [ -x "$target/$program" ] || missing="$missing $program"
  done
  cmp -s "$here/decode/main.go" "$target/decode.go" || missing="$missing decode"
  [ -n "$missing" ] || return 0
  toolchain=$(go_of "$version")
  echo "building$missing of $version with $toolchain" >&2
  if [ "$(go env GOVERSION)" = "$toolchain" ]; then toolchain=local; fi
  export GOTOOLCHAIN="$toolchain" CGO_ENABLED=0 GOFLAGS=-buildvcs=false
  case "$toolchain" in go1.17.*) GOFLAGS=-mod=mod ;; esac # it knows no -buildvcs; empty, it would take one from the settings
  unset GOROOT || true

  work=$(mktemp -d "$root/.build.XXXXXX")
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  # Asked for from an empty folder, so that no go.mod around us has a say.
  module=$(cd "$work" && go mod download -json "tailscale.com@$version" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
  [ -d "$module" ] || { echo "build_clients.sh: tailscale.com@$version can't be downloaded" >&2; return 1; }
  cp -R "$module" "$work/source"
  chmod -R u+w "$work/source"
  cp -R "$here/decode" "$work/source/cmd/decode"
  # Modules that are not served, or no longer under their old names: the same code elsewhere, or that of the release before.
  (
    cd "$work/source"
    elsewhere() { # NAME PLACE[@VERSION]; the same version where none is given
      pinned=$(sed -n "s|^[[:space:]]*$1 \(v[^ ]*\).*|\1|p" go.mod)
      case "$pinned:$2" in
        :*) ;;
        *@*) go mod edit -replace "$1=$2" ;;
        *) go mod edit -replace "$1=$2@$pinned" ;;
      esac
    }
    elsewhere inet.af/peercred github.com/tailscale/peercred@v0.0.0-20250107143737-35a0c7bd7edc
    elsewhere inet.af/wf github.com/tailscale/wf@v0.0.0-20240214030419-6fbb0a674ee6
    elsewhere inet.af/tcpproxy github.com/inetaf/tcpproxy@v0.0.0-20240214030015-3ce58045626c
    elsewhere inet.af/netaddr github.com/inetaf/netaddr
    before() { # NAME VERSION, where the wanted one can't be had
      pinned=$(sed -n "s|^[[:space:]]*$1 \(v[^ ]*\).*|\1|p" go.mod)
      [ -n "$pinned" ] || return 0
      go mod download "$1@$pinned" 2> /dev/null || go mod edit -replace "$1=$1@$2"
    }
    case "$version" in
      v1.?.* | v1.[1-9]?.* | v1.10[0-3].*) ;;
      *)
        before gvisor.dev/gvisor v0.0.0-20260224225140-573d5e7127a8
        before github.com/tailscale/gliderssh v0.3.4-0.20260716005906-1a0f895faf28
        # Only for Windows, and unknown to that gvisor.
        if grep -q '^replace gvisor.dev/gvisor ' go.mod; then sed -i '/opts\.ClockResolution = /d' wgengine/netstack/netstack.go; fi ;;
    esac
    if grep -q 'inet.af/netstack v' go.mod; then # Debian's package is the very commit that v1.20 asks for
      [ -d "$netstack" ] || { echo "build_clients.sh: $version needs the package golang-inet-netstack-dev" >&2; exit 1; }
      cp -R "$netstack" "$work/netstack"
      chmod -R u+w "$work/netstack"
      printf 'module inet.af/netstack\n\ngo 1.16\n\nrequire (\n\tgithub.com/google/btree v1.0.1\n\tgolang.org/x/sys v0.0.0-20210616094352-59db8d763f22\n\tgolang.org/x/time v0.0.0-20210220033141-f8bda1e9f3ba\n)\n' > "$work/netstack/go.mod"
      go mod edit -replace "inet.af/netstack=$work/netstack"
    fi
  )
  export GONOSUMDB='github.com/inetaf/*'
  number=${version#v}
  set --
  for name in Long Short longStamp shortStamp; do set -- "$@" "-X tailscale.com/version.$name=$number"; done
  mkdir -p "$work/bin" "$target"
  for program in $missing; do
    (cd "$work/source" && go build -mod=mod -trimpath -ldflags "$*" -o "$work/bin/$program" "./cmd/$program")
  done
  case "$missing" in *decode) cp "$here/decode/main.go" "$work/bin/decode.go" ;; esac
  mv "$work/bin"/* "$target"
  chmod -R u+w "$work"
  rm -rf "$work"
  trap - EXIT
}

mkdir -p "$root"
# Two runs at once: the second waits and finds everything built.
if command -v flock > /dev/null; then
  exec 9> "$root/.lock"
  flock 9
fi
for wanted in "$@"; do
  (build "$wanted")
done
