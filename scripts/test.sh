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

# That they can be read at all: no test runs the benchmarks.
check_scripts() {
  find scripts tests .ci -name '*.sh' -o -path .ci/run | xargs -n 1 bash -n &&
    find scripts tests cli -name '*.py' | xargs python3 -I -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)'
}

step 'scripts' check_scripts
step 'format' cargo fmt --all --check
step 'build' cargo build --workspace --all-targets
step 'lints' cargo clippy --workspace --all-targets -- --deny warnings
step 'handlers' scripts/handlers.sh
step 'tests' cargo test --workspace --no-fail-fast

say ''
closing_lines "$log"
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}" "the whole output is in $log"
