#!/usr/bin/env bash
# Ends every local cloud of this user, and removes its state and the installed emulator.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# The processes carry a mark in their environment: the state directory that they belong to.
for environment in /proc/[0-9]*/environ; do
  if tr '\0' '\n' 2>/dev/null <"$environment" | grep -q '^PLACECTL_LOCAL='; then
    pid=${environment//[!0-9]/}
    say "ending $(cat "/proc/$pid/comm" 2>/dev/null || true) ($pid)"
    kill "$pid" 2>/dev/null || true
  fi
done
[ ! -d "$cache" ] || { say "removing $cache"; rm -rf "$cache"; }
