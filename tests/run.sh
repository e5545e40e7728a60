#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds everything and runs all tests: installs the packages that are missing, then cmake/check.cmake.
#   sh tests/run.sh            everything; about half an hour on two cores with nothing cached
#   sh tests/run.sh --quick    scans, one build, its tests: no sanitizers, no install test, no real clients
set -eu
cd "$(dirname "$0")/.."

quick=OFF
case "${1-}" in
  '') ;;
  --quick) quick=ON ;;
  *) echo "usage: tests/run.sh [--quick]" >&2; exit 2 ;;
esac

# Caches of compilers and clients live in the home folder; a bare environment may not name it.
HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export HOME
# Where Go was unpacked by hand it is seldom in the path of a plain shell.
PATH=$PATH:/usr/local/go/bin
sh cmake/packages.sh test
exec cmake -DQUICK=$quick -P cmake/check.cmake
