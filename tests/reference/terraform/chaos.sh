#!/usr/bin/env bash
# What a power cut does to Terraform on the same stack and the same emulator: it is killed in the
# middle of an apply, then `apply` is run again, then `destroy`, then what is left is listed.
#
#   chaos.sh http://127.0.0.1:4566 target/lambda target/debug/examples/inventory [<seconds> ...]
#
# The emulator is emptied before each run; TF_VAR_access_key is its key. TF_PLUGIN_DIR, when set, names a directory with the AWS
# provider, for machines without access to the registry.
set -euo pipefail

endpoint=${1:?usage: chaos.sh <endpoint> <directory of the functions> <inventory> [<seconds> ...]}
artifacts=$(cd "$2" && pwd)
inventory=$(realpath "$3")
shift 3
[ $# -gt 0 ] || set -- 15 28
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TF_DATA_DIR=$work/data TF_IN_AUTOMATION=1
export TF_VAR_endpoint=$endpoint TF_VAR_artifacts=$work/zips
export TF_VAR_cache_mode=${CACHE_MODE:-replication_group}
mkdir "$work/zips"
for function in "$artifacts"/*/bootstrap; do
  name=$(basename "$(dirname "$function")")
  (cd "$(dirname "$function")" && python3 -I -m zipfile -c "$work/zips/$name.zip" bootstrap)
done

run() { terraform "$@" -input=false -no-color; }
skip() { echo "Terraform as a yardstick: skipped, $1"; exit 0; }
command -v terraform >/dev/null || skip 'it is not installed'
run init ${TF_PLUGIN_DIR:+-plugin-dir="$TF_PLUGIN_DIR"} >"$work/log" 2>&1 ||
  skip "its AWS provider can't be had: $(grep -m 1 -o 'Error: .*' "$work/log" || true)"

reset() {
  python3 -I -c 'import os, sys, urllib.request as u
key = {"x-placectl-key": os.environ["TF_VAR_access_key"]}
u.urlopen(u.Request(sys.argv[1] + "/_ministack/reset", method="POST", headers=key)).read()' "$endpoint"
}

# A command's exit code, and its errors in one line.
outcome() {
  local code=0
  run "$@" >"$work/log" 2>&1 || code=$?
  printf 'exit %d' $code
  grep -o 'Error: .*' "$work/log" | sort | uniq -c | head -n 3 |
    sed 's/^ *\([0-9]*\) /; \1 x /; s/ *$//' | cut -c 1-110 | tr -d '\n' || true
  echo
}

echo "Terraform $(terraform version | sed -n '1s/.* v//p'), $TF_VAR_cache_mode:"
for seconds in "$@"; do
  reset
  "$inventory" "$endpoint" >"$work/before"
  state=-state=$work/state-$seconds
  # A group of its own, so that the provider dies with it as in a power cut.
  set -m
  run apply -auto-approve "$state" >"$work/log" 2>&1 &
  set +m
  sleep "$seconds"
  kill -KILL -- -$! 2>/dev/null || true
  wait $! 2>/dev/null || true
  echo "  killed after $seconds s"
  echo "    apply again: $(outcome apply -auto-approve "$state")"
  echo "    destroy:     $(outcome destroy -auto-approve "$state")"
  "$inventory" "$endpoint" >"$work/after"
  left=$(comm -13 "$work/before" "$work/after")
  if [ -z "$left" ]; then echo "    left:        nothing"; continue; fi
  echo "    left:        $(printf '%s\n' "$left" | wc -l) things"
  printf '%s\n' "$left" | cut -d ' ' -f 1-3 | sed 's/^/      /'
done
