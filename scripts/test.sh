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
  find scripts tests .ci -name node_modules -prune -o -name '*.sh' -print -o -path .ci/run -print |
    xargs -n 1 bash -n &&
    find scripts tests cli -name node_modules -prune -o -name '*.py' -print | xargs python3 -I -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)'
}

# Advisories, licences, sources (deny.toml). The tool is no part of Rust, and the advisories come
# from the network: what can't be had is said and not missed.
check_dependencies() {
  if ! command -v cargo-deny >/dev/null; then
    say 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)'
    return
  fi
  local checks=(bans licenses sources)
  if cargo deny fetch db; then
    checks+=(advisories)
  else
    say 'skipped: the advisories of rustsec.org could not be fetched'
  fi
  cargo deny --offline check --hide-inclusion-graph "${checks[@]}"
}

step 'scripts' check_scripts
step 'scale' python3 scripts/scale.py --check
step 'dependencies' check_dependencies
step 'format' cargo fmt --all --check
step 'page types' npm --prefix tests/page run --silent types
step 'page' npm --prefix tests/page test --silent
step 'page in a browser' npm --prefix tests/page run --silent browser
step 'build' cargo build --workspace --all-targets
step 'lints' cargo clippy --workspace --all-targets -- --deny warnings
step 'handlers' scripts/handlers.sh
step 'tests' cargo test --workspace --no-fail-fast

say ''
closing_lines "$log"
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}" "the whole output is in $log"
