// The part of the address behind `#`: a place, how near, and a template that is shared with it.
//   #120,45,8   #120,45,8&template=https%3A%2F%2F...&at=100,40&opacity=60

/**
 * @typedef {{x: number, y: number, zoom: number | null}} Place
 * @typedef {{url: string, x: number, y: number, opacity: number}} Overlay
 */

const NUMBER = "(-?\\d{1,7}(?:\\.\\d{1,3})?)";
const PLACE = new RegExp(`^${NUMBER},${NUMBER}(?:,(\\d{1,4}(?:\\.\\d{1,3})?))?$`);

/**
 * @param {string} hash
 * @returns {{place: Place | null, overlay: Overlay | null}}
 */
export function parse(hash) {
  const [first = "", ...rest] = hash.replace(/^#/, "").split("&");
  const found = PLACE.exec(first);
  const place = found && { x: Math.trunc(Number(found[1])), y: Math.trunc(Number(found[2])), zoom: found[3] ? Number(found[3]) : null };
  const more = new URLSearchParams((found ? rest : [first, ...rest]).join("&"));
  const url = more.get("template");
  if (!url || !/^https?:\/\//.test(url)) return { place, overlay: null };
  const [x = 0, y = 0] = (more.get("at") ?? "").split(",").map((v) => Math.trunc(Number(v)) || 0);
  const said = Number(more.get("opacity") ?? NaN);
  return { place, overlay: { url, x, y, opacity: said >= 0 && said <= 100 ? said : 60 } };
}

/**
 * @param {Place} place
 * @param {Overlay | null} overlay
 */
export function format({ x, y, zoom }, overlay = null) {
  const near = zoom === null ? "" : `,${Math.round(zoom * 100) / 100}`;
  if (!overlay) return `#${x},${y}${near}`;
  const { url, opacity } = overlay;
  return `#${x},${y}${near}&template=${encodeURIComponent(url)}&at=${overlay.x},${overlay.y}&opacity=${Math.round(opacity)}`;
}
