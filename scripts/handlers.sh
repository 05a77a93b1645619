#!/usr/bin/env bash
# Builds the Lambda functions and lays them out as cargo-lambda does: target/lambda/NAME/bootstrap.
# `cargo lambda build --profile handlers` makes the same files, and cross-compiles.
set -euo pipefail
source "$(dirname "$0")/common.sh"
cd "$root"

cargo build --package place-handlers --bins --profile handlers

for name in placev2handler placev2disconnect sendMessage placev2broadcast initializeConnection \
    save placev2admin placev2page; do
    built=$target/handlers/$name
    bootstrap=$target/lambda/$name/bootstrap
    # A file that did not change keeps its time, so that nothing is uploaded for nothing.
    if ! cmp -s "$built" "$bootstrap"; then
        mkdir -p "$(dirname "$bootstrap")"
        # Beside and renamed, because a running function keeps the old file open.
        cp "$built" "$bootstrap.new"
        mv "$bootstrap.new" "$bootstrap"
    fi
done
