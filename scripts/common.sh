# Shared by the scripts: where things are. Sourced, never run.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/placectl

# One place says which release of the emulator is used: the program that runs it.
ministack_version=$(sed -n 's/.*MINISTACK_VERSION: &str = "\(.*\)";/\1/p' \
  "$root/cli/src/local/install.rs")
ministack=$cache/ministack-$ministack_version
# A second one, for the tests alone.
moto_version=$(sed -n 's/.*MOTO_VERSION: &str = "\(.*\)";/\1/p' "$root/tests/src/moto.rs")
moto=$cache/moto-$moto_version

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $1"; [ $# -lt 2 ] || say "hint: $2"; exit 1; }

# What a figure was measured on, and when.
machine() {
  printf '%s cores, %s, %s\n' "$(nproc)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(date +%F)"
}

# The closing lines of all test runners in a log, then their sum.
closing_lines() {
  grep '^test result:' "$1" || true
  # Node's test runner has other words.
  grep -E '^# (pass|fail) ' "$1" || true
  awk '/^test result:/ { passed += $4; failed += $6 }
    /^# pass / { passed += $3 } /^# fail / { failed += $3 }
    END { printf "%d passed, %d failed\n", passed, failed }' "$1"
}
