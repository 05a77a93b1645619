#!/usr/bin/env bash
# Measures placectl, as built for release, on a local cloud of its own; beside it Terraform, where it
# and its AWS provider are installed (TF_PLUGIN_DIR names a directory that holds the provider).
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

cargo build --release -p placectl
# The harness itself only waits and counts: built as the tests are, it builds nothing twice.
PLACECTL_BIN=$target/release/placectl cargo test -p place-tests --bench stack -- "$@"
say "machine: $(machine)"
