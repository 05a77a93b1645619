// A stub of the server for trying the page in a browser: it speaks the whole protocol, and does on
// request what a real server does on its worst days.
//
//   node stub.mjs [--port 8080] [--width 300] [--height 200] [--rate 0] [--today]
//
// `--today`: as servers without `resume`: a picture on every connection, no names in errors.
// POST /_knobs with a JSON object changes the knobs below; POST /_do/<deed> does a deed once.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import { World } from "./stub-world.mjs";

const PAGE = fileURLToPath(new URL("../../page/", import.meta.url));
const KINDS = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** What can be turned. */
const DEFAULTS = {
  refuse: false, // no socket is accepted
  full: false, // config.json says so
  isDown: false, // HTTP answers 503
  portal: false, // HTTP answers a login page instead of JSON
  drop: 0, // the share of updates that are not delivered: gaps
  mute: false, // nothing is delivered at all
  swallow: false, // paints are neither painted nor answered
  error: null, // every paint is refused with this code
  retryMs: 5000, // with COOLING_DOWN
  cooldownMs: 0,
  palette: [],
  bands: 1,
  everyMs: 0, // of slots
  title: "A stub of a canvas",
  notice: null,
  page: "dev", // the hash of the page that is published now
  published: "dev", // the folder under which index.html finds its files
  rate: 0, // pixels a second of others
  socketPath: "/socket",
  epochs: true,
};

export async function start({ port = 0, width = 300, height = 200, rate = 0, today = false, prefix = "/", ...more } = {}) {
  const world = new World({ width, height, slotMs: more.slotMs ?? 2000 });
  const knobs = { ...DEFAULTS, rate, ...more };
  const clients = new Set();
  /** What was painted by clients: every message as it came. */
  const messages = [];
  /** Paths that were asked for over HTTP. */
  const requests = [];
  let sent = { index: 0, at: world.at };
  world.first = world.at;

  const config = () => ({
    socket: `ws://127.0.0.1:${server.address().port}${knobs.socketPath}`, epoch: world.epoch, width: world.width,
    height: world.height, background: "#ffffff", palette: knobs.palette, cooldown_ms: knobs.cooldownMs,
    max_pixels_per_message: 256, keepalive_s: knobs.keepaliveS ?? 240, title: knobs.title, imprint: "https://example.org/imprint",
    privacy: null, notice: knobs.notice, page: knobs.page, full: knobs.full, online: clients.size + 16,
    slot_ms: world.slotMs, bands: knobs.bands,
  });

  const deeds = {
    kill: () => clients.forEach((c) => c.socket.terminate()),
    epoch: () => {
      world.reset();
      world.first = world.at;
      sent = { index: 0, at: world.at };
      clients.forEach(picture);
    },
    resize: () => {
      world.reset(world.width + 50, world.height + 30);
      world.first = world.at;
      sent = { index: 0, at: world.at };
      clients.forEach(picture);
    },
    reload: () => clients.forEach((c) => send(c, { type: "reload", at: world.at })),
    notice: (body) => clients.forEach((c) => send(c, { type: "notice", text: body.text })),
    raw: (body) => clients.forEach((c) => c.socket.send(body.text)),
    paint: (body) => world.paint(body.x, body.y, body.rgb, "somebody-else"),
    messages: () => messages,
    pixels: () => ({ rgb: world.rgb.toString("base64"), at: world.at }),
  };

  async function answer(request, response) {
    const url = new URL(request.url, "http://x");
    const send = (status, body, headers = {}) => response.writeHead(status, headers).end(body);
    const json = (value, age = 0) => send(200, JSON.stringify(value), { "content-type": "application/json", "cache-control": age ? `max-age=${age}` : "no-store" });
    if (!url.pathname.startsWith(prefix)) return send(404, "not here");
    const path = url.pathname.slice(prefix.length);
    if (path === "_knobs" || path.startsWith("_do/")) {
      const chunks = [];
      for await (const part of request) chunks.push(part);
      const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
      return json((path === "_knobs" ? Object.assign(knobs, body) : deeds[path.slice(4)]?.(body)) ?? {});
    }
    requests.push(path);
    if (path === "" || path.startsWith("a/")) return file(path, send);
    if (knobs.isDown) return send(503, "{}");
    if (knobs.portal) return send(200, "<html>Log in to this network</html>", { "content-type": "text/html" });
    if (path === "config.json") return json(config());
    const band = /^canvas\/(\d+)\.png$/.exec(path);
    if ((path === "canvas.png" && knobs.bands === 1) || band) {
      const rows = Math.ceil(world.height / knobs.bands);
      const top = band ? Number(band[1]) * rows : 0;
      return send(200, world.png(top, band ? Math.min(rows, world.height - top) : world.height), {
        "content-type": "image/png", "x-place-at": world.at, "x-place-epoch": world.epoch,
        "x-place-slot": String(Math.floor(Date.now() / world.slotMs)), "cache-control": "no-store",
      });
    }
    const slot = /^slots\/(\d+)$/.exec(path);
    if (slot) {
      const body = world.slot(Number(slot[1]));
      if (body.in_ms && knobs.everyMs) body.every_ms = knobs.everyMs;
      return json(body.frames ? { ...body, online: clients.size + 16 } : body);
    }
    const pixel = /^pixels\/(\d+)\/(\d+)$/.exec(path);
    if (pixel) {
      const [x, y] = [Number(pixel[1]), Number(pixel[2])];
      const hex = (rgb) => `#${rgb.toString(16).padStart(6, "0")}`;
      const changes = world.history.filter((h) => h.x === x && h.y === y).reverse().map(({ rgb, by, at }) => ({ rgb: hex(rgb), by, at }));
      const [last = { rgb: hex(world.get(x, y)), by: null, at: null }, ...before] = changes;
      return json({ x, y, ...last, before: before.slice(0, 10) });
    }
    return send(404, "{}");
  }

  async function file(path, send) {
    const name = normalize(path === "" ? "index.html" : path.replace(/^a\/[^/]+\//, "a/"));
    try {
      const body = await readFile(join(PAGE, name));
      const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data: blob:; connect-src 'self' ws://127.0.0.1:*; base-uri 'none'; form-action 'none'`;
      const published = name === "index.html" ? body.toString().replaceAll("a/dev/", `a/${knobs.published}/`) : body;
      send(200, published, { "content-type": KINDS[extname(name)] ?? "application/octet-stream", "cache-control": "no-store", "content-security-policy": policy });
    } catch {
      send(404, "no such file");
    }
  }

  const server = createServer((request, response) => answer(request, response).catch((error) => response.writeHead(500).end(String(error))));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (knobs.refuse || knobs.full) return socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (s) => connect(s, new URL(request.url, "http://x").searchParams));
  });

  function send(client, frame) {
    if (!knobs.mute) client.socket.send(JSON.stringify(frame));
  }

  function picture(client) {
    const data = world.png().toString("base64");
    const parts = Math.ceil(data.length / 32_000);
    const name = { type: "init", epoch: knobs.epochs ? world.epoch : undefined, at: world.at, width: world.width, height: world.height, parts };
    for (let n = 0; n < parts; n++) send(client, { ...name, part: n + 1, data: data.slice(n * 32_000, (n + 1) * 32_000) });
  }

  function connect(socket, query) {
    const client = { socket, player: query.get("player") ?? "", coolUntil: 0 };
    clients.add(client);
    socket.on("close", () => clients.delete(client));
    socket.on("message", (text) => receive(client, JSON.parse(text.toString())));
    const [epoch, from] = (query.get("from") ?? "").split(":");
    const index = world.history.findIndex((h) => h.at === from);
    if (today || epoch !== world.epoch || (index < 0 && from !== world.at)) return setTimeout(() => picture(client), 30);
    send(client, { type: "resume", from });
    const start = index < 0 ? world.history.length : index + 1;
    for (const frame of world.frames(start, world.history.length, from)) send(client, frame);
    send(client, { type: "resumed", at: world.at });
  }

  function receive(client, message) {
    if (message.ping) return send(client, { type: "pong", at: world.at, epoch: world.epoch, online: clients.size + 16 });
    messages.push(message);
    if (knobs.swallow) return;
    const pixels = [message.data].flat();
    const now = Date.now();
    const refuse = (code, more = {}) => send(client, { type: "error", code, message: `refused: ${code}`, ...(today ? {} : { name: message.name, x: pixels[0].x, y: pixels[0].y }), ...more });
    if (knobs.error) return refuse(knobs.error, knobs.error === "COOLING_DOWN" ? { retry_ms: knobs.retryMs } : {});
    if (pixels.some((p) => p.x >= world.width || p.y >= world.height)) return refuse("OUT_OF_BOUNDS");
    if (now < client.coolUntil) return refuse("COOLING_DOWN", { retry_ms: client.coolUntil - now });
    const name = `${client.player}:${message.name}`;
    if (!today && message.name && world.names.has(name)) return;
    world.names.add(name);
    client.coolUntil = now + knobs.cooldownMs;
    for (const { x, y, r, g, b } of pixels) world.paint(x, y, (r << 16) | (g << 8) | b, client.player.slice(0, 16));
  }

  let owed = 0;
  const timer = setInterval(() => {
    owed += knobs.rate / 10;
    for (; owed >= 1; owed--) {
      const [x, y] = [Math.floor(Math.random() * world.width), Math.floor(Math.random() * world.height)];
      world.paint(x, y, Math.floor(Math.random() * 0x1000000), "0123456789abcdef");
    }
    if (sent.index > world.history.length) sent.index = Math.max(0, world.history.findIndex((h) => h.at === sent.at) + 1);
    if (sent.index === world.history.length) return;
    const frames = world.frames(sent.index, world.history.length, sent.at);
    sent = { index: world.history.length, at: world.at };
    for (const frame of frames) {
      for (const client of clients) if (Math.random() >= knobs.drop) send(client, frame);
    }
  }, 100);

  await new Promise((done) => server.listen(port, "127.0.0.1", () => done(undefined)));
  const stop = () => {
    clearInterval(timer);
    clients.forEach((c) => c.socket.terminate());
    server.close();
  };
  return { world, knobs, deeds, messages, requests, clients, stop, url: `http://127.0.0.1:${server.address().port}${prefix}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = {};
  for (let n = 2; n < process.argv.length; n++) {
    const name = process.argv[n].replace(/^--/, "");
    if (name === "today") options.today = true;
    else options[name] = Number(process.argv[++n]);
  }
  const { url } = await start({ port: 8080, ...options });
  console.log(`listening on ${url}`);
}
