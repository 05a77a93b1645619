#!/usr/bin/env bash
# Everything that must hold: format, lints, unit tests, end-to-end tests on the local cloud.
# Goes on after a failure, so that one run shows all of them.
set -uo pipefail
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

log=$target/test.log
mkdir -p "$target"
: >"$log"
failed=()

step() {
  local name=$1
  shift
  say "== $name"
  "$@" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || failed+=("$name")
}

step 'format' cargo fmt --all --check
step 'build' cargo build --workspace --all-targets
step 'lints' cargo clippy --workspace --all-targets -- --deny warnings
step 'handlers' scripts/handlers.sh
step 'tests' cargo test --workspace --no-fail-fast

say ''
closing_lines "$log"
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}" "the whole output is in $log"
