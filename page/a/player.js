// Who paints, as far as the server can tell: a random token that this browser keeps.

const KEY = "place.player";

/**
 * The token of this browser; one for this visit only where nothing may be kept.
 * @param {() => Storage} storage
 */
export function player(storage = () => localStorage) {
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  try {
    const kept = storage().getItem(KEY);
    if (kept && /^[0-9a-f]{32}$/.test(kept)) return kept;
    storage().setItem(KEY, fresh);
  } catch {
    // Refused: private windows, blocked cookies.
  }
  return fresh;
}
