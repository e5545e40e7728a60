#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# openapi.sh TS2021D: what ts2021d says of its admin API against what the API does: schemathesis makes requests from the
# description and compares each answer with it. By hand: long polls make it four minutes. The tool is a test dependency from
# PyPI, kept in the cache; exit status 77 where it can't be had.
set -eu
version=4.32.5
venv=${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/schemathesis/$version
if [ ! -x "$venv/bin/schemathesis" ]; then
  rm -rf "$venv" "$venv.part"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q "schemathesis==$version"; } > /dev/null 2>&1; then
    rm -rf "$venv"
    echo "skip: there is no schemathesis, and it can't be installed" >&2
    exit 77
  fi
fi

work=$(mktemp -d)
"$1" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --test-mode --clock virtual --json > "$work/ready" 2> "$work/log" &
daemon=$!
trap 'kill $daemon 2> /dev/null; wait $daemon || :; rm -rf "$work"' EXIT
until [ -s "$work/ready" ]; do sleep 0.1; done
admin=$(sed 's/.*"admin":"\([^"]*\)".*/\1/' "$work/ready")
cd "$work"
"$venv/bin/schemathesis" run "$admin/admin/openapi.json" --phases coverage --request-timeout 60 --no-color \
  --checks status_code_conformance,content_type_conformance,response_schema_conformance \
  > report || { cat report; exit 1; }
sed -n '/Coverage (in/,$p' report
kill -0 $daemon # it has not crashed
