#!/usr/bin/env bash
# Measures placectl, as built for release, on a local cloud of its own.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

cargo build --release -p placectl
# The harness itself only waits and counts: built as the tests are, it builds nothing twice.
PLACECTL_BIN=$target/release/placectl cargo test -p place-tests --bench stack -- "$@"

say ''
say "sizes, in bytes"
stat -c '%s %n' "$target/release/placectl" >&2
for function in "$target"/lambda/*/bootstrap; do
  archive=$(mktemp --suffix .zip)
  (cd "$(dirname "$function")" && python3 -m zipfile -c "$archive" bootstrap)
  printf '%s %s, zipped\n' "$(stat -c %s "$archive")" "$(basename "$(dirname "$function")")" >&2
  rm -f "$archive"
done
say "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(date +%F)"
