#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# joined.sh FOLDER "PROGRAM VERSION COUNT"...: prints which real clients joined, from the files that the tests
# left in FOLDER, into FOLDER.txt too; fails when one of those named is missing.
set -eu
folder=$1
shift
list=$(cat "$folder"/* 2> /dev/null | awk -F '\t' '
  { count[$1] += $2 }
  END { for (name in count) print name (count[name] > 1 ? " (x" count[name] ")" : "") }' | sort)
{
  echo "Real clients that joined:"
  if [ -n "$list" ]; then echo "$list" | sed 's/^/  /'; else echo "  none"; fi
} | tee "$folder.txt"

missing=0
for wanted in "$@"; do
  name=${wanted% *} count=${wanted##* }
  got=$(cat "$folder"/* 2> /dev/null | awk -F '\t' -v name="$name" '$1 == name { n += $2 } END { print n + 0 }')
  if [ "$got" -lt "$count" ]; then
    echo "  missing: $name ($got of $count)" | tee -a "$folder.txt"
    missing=1
  fi
done
exit $missing
