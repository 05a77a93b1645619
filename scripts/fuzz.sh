#!/usr/bin/env bash
# Hostile input, at length: ten million executions, or as many as the first argument says, from a
# new seed (or from PLACE_FUZZ_SEED). Each target's line says what it did; a failure says the input.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

export PLACE_FUZZ_EXECUTIONS=${1:-10000000}
export PLACE_FUZZ_SEED=${PLACE_FUZZ_SEED:-$(date +%s)}
cargo test --release -p place-canvas --test fuzz -- --nocapture
say "$PLACE_FUZZ_EXECUTIONS executions, seed $PLACE_FUZZ_SEED, $(machine)"
