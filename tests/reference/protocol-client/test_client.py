"""What a client does with frames, without a server.  `python -m unittest` in this directory."""

import asyncio
import base64
import json
import struct
import unittest
import zlib

import client as player
import png
from canvas import Broken, Canvas, position


def chunk(kind, body):
    """One chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def file_of(width, height, depth, colour, rows, palette=b""):
    """A PNG file of rows that are filtered already."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    packed = zlib.compress(b"".join(rows))
    parts = [chunk(b"IHDR", header), chunk(b"PLTE", palette) if palette else b""]
    # In two chunks, as encoders may.
    parts += [chunk(b"IDAT", packed[:9]), chunk(b"IDAT", packed[9:]), chunk(b"IEND", b"")]
    return png.SIGNATURE + b"".join(parts)


def filtered(kind, line, above, pixel=3):
    """A row as an encoder filters it."""
    out = bytearray([kind])
    for i, byte in enumerate(line):
        left = line[i - pixel] if i >= pixel else 0
        up_left = above[i - pixel] if i >= pixel else 0
        expected = png.predict(kind, left, above[i], up_left) if kind else 0
        out.append(byte - expected & 255)
    return bytes(out)


def picture(width=4, height=3, rgb=b"\xff\xff\xff"):
    """A picture of one colour."""
    return file_of(width, height, 8, png.TRUE_COLOUR, [b"\0" + rgb * width] * height)


def init(at, epoch="aa", parts=2, file=None):
    """The frames of a picture."""
    file = file or picture()
    step = -(-len(file) // parts)
    pieces = [file[n * step : (n + 1) * step] for n in range(parts)]
    for number, piece in enumerate(pieces, 1):
        frame = {"type": "init", "at": at, "width": 4, "height": 3, "part": number, "parts": parts}
        yield {**frame, "epoch": epoch, "data": base64.b64encode(piece).decode()}


def update(start, at, x=1, y=2, rgb=b"\xff\0\0"):
    """An update of one pixel."""
    data = base64.b64encode(struct.pack(">HH", x, y) + rgb).decode()
    return {"type": "update", "from": start, "at": at, "data": data}


def fed(*frames):
    """A canvas that was sent these frames."""
    canvas = Canvas()
    for frame in frames:
        (canvas.init if frame["type"] == "init" else canvas.update)(frame)
    return canvas


class Pictures(unittest.TestCase):
    def test_all_five_filters(self):
        lines = [bytes((i * 37 + row * 91) % 256 for i in range(12)) for row in range(5)]
        above = [bytes(12)] + lines[:-1]
        # Paeth's, as the standard has it: of two that are equally near, up comes before up-left.
        for (left, up, up_left), expected in {(1, 2, 3): 1, (3, 1, 2): 2, (0, 6, 2): 6}.items():
            self.assertEqual(png.predict(4, left, up, up_left), expected)
        self.assertEqual(png.predict(3, 255, 254, 0), 254)
        rows = [filtered(kind, *pair) for kind, pair in enumerate(zip(lines, above))]
        self.assertEqual(png.decode(file_of(4, 5, 8, 2, rows), 4, 5), b"".join(lines))

    def test_palettes_of_every_depth(self):
        palette = bytes(range(48))
        for depth in (1, 2, 4, 8):
            numbers = [n % min(16, 1 << depth) for n in range(5)]
            bits = "".join(format(n, f"0{depth}b") for n in numbers)
            bits += "0" * (-len(bits) % 8)
            row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
            wanted = b"".join(palette[3 * n : 3 * n + 3] for n in numbers)
            file = file_of(5, 2, depth, png.PALETTE, [row] * 2, palette)
            self.assertEqual(png.decode(file, 5, 2), wanted * 2, depth)

    def test_what_is_no_such_picture_is_refused(self):
        good = picture()
        short = file_of(4, 3, 8, 2, [b"\0" + bytes(12)] * 2)
        missing = file_of(4, 3, 8, png.PALETTE, [b"\0\0\0\0\9"] * 3, bytes(3))
        for file in (b"", good[:-1], good[:40] + b"x" + good[41:], short, missing):
            with self.assertRaises(png.Unreadable):
                png.decode(file, 4, 3)
        with self.assertRaises(png.Unreadable):
            png.decode(good, 3, 4)


class Knowledge(unittest.TestCase):
    def test_positions_are_compared_as_numbers(self):
        self.assertLess(position("9-9"), position("9-10"))
        self.assertLess(position("9-10"), position("10-0"))

    def test_parts_and_early_updates_in_any_order(self):
        one, two = init("5-0")
        canvas = fed(update("6-0", "7-0", x=2), two, update("5-0", "6-0"), one)
        self.assertEqual(canvas.held, (7, 0))
        self.assertEqual((canvas.colour(1, 2), canvas.colour(2, 2)), (b"\xff\0\0",) * 2)

    def test_two_pictures_interleaved(self):
        (a1, a2), (b1, b2) = init("5-0", file=picture(rgb=b"abc")), init("6-0")
        canvas = fed(a1, b1, b1, a2, b2)
        self.assertEqual((canvas.held, canvas.colour(0, 0)), ((6, 0), b"\xff\xff\xff"))
        self.assertEqual(fed(a1, b1, b2, a2).held, (6, 0))

    def test_what_is_known_already_is_dropped(self):
        red, green = b"\xff\0\0", b"\0\xff\0"
        canvas = fed(*init("5-0"), update("5-0", "7-0", rgb=red), update("5-0", "6-0", rgb=green))
        self.assertEqual((canvas.held, canvas.colour(1, 2)), ((7, 0), red))

    def test_a_gap_stays_until_it_closes(self):
        canvas = fed(*init("5-0"), update("6-0", "7-0"))
        self.assertEqual((canvas.held, canvas.has_gap), ((5, 0), True))
        canvas.update(update("4-0", "6-0"))
        self.assertEqual((canvas.held, canvas.has_gap), ((7, 0), False))

    def test_another_epoch_replaces_everything(self):
        canvas = fed(*init("9-0"), update("10-0", "12-0"))
        early, late = update("3-0", "4-0", x=0, y=0), update("4-0", "5-0", x=3)
        one, two = init("3-0", epoch="bb", file=picture(rgb=b"abc"))
        for frame in (one, early, late, two):
            (canvas.init if frame["type"] == "init" else canvas.update)(frame)
        self.assertEqual((canvas.epoch, canvas.held, canvas.has_gap), ("bb", (3, 0), False))
        self.assertEqual(canvas.colour(1, 2), b"abc")

    def test_a_server_without_epochs(self):
        frames = [dict(frame) for frame in (*init("5-0"), *init("4-0"))]
        for frame in frames:
            del frame["epoch"]
        self.assertEqual((fed(*frames).epoch, fed(*frames).held), (None, (5, 0)))

    def test_an_update_without_pixels_moves(self):
        self.assertEqual(fed(*init("5-0"), {**update("5-0", "6-0"), "data": ""}).held, (6, 0))

    def test_broken_frames(self):
        for frame in (update("5-0", "5-0"), update("5-0", "6-0", x=4)):
            with self.assertRaises(Broken):
                fed(*init("5-0"), frame)


class Server:
    """Stands in for a connection: each message that the client sends has frames that answer it."""

    def __init__(self, answer):
        self.answer, self.sent, self.queue = answer, [], asyncio.Queue()

    async def send(self, text):
        self.sent.append(json.loads(text))
        for frame in self.answer(len(self.sent), self.sent[-1]):
            self.queue.put_nowait(frame if isinstance(frame, str) else json.dumps(frame))

    async def messages(self):
        while True:
            message = await self.queue.get()
            if message == "":
                raise player.Closed("cut")
            yield message

    def close(self):
        self.queue.put_nowait("")


class Conversations(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.servers, self.told = [], []
        self.before = player.Connection.connect
        for name, seconds in {"UNSEEN": 0.2, "UNSEEN_AFTER_PING": 0.2, "GAP_LASTS": 0.1}.items():
            self.addCleanup(setattr, player, name, getattr(player, name))
            setattr(player, name, seconds)
        for name in ("BEHIND_LASTS", "PONG_WITHIN"):
            self.addCleanup(setattr, player, name, getattr(player, name))
            setattr(player, name, 0.1)

    async def asyncTearDown(self):
        player.Connection.connect = self.before

    async def joined(self, answer, keepalive=60, first=None):
        """A client that is connected to servers that answer like this."""
        async def connect(_):
            server = Server(answer)
            for frame in first or init("5-0"):
                server.queue.put_nowait(json.dumps(frame))
            self.servers.append(server)
            return server

        player.Connection.connect = connect
        heard = lambda event, **more: self.told.append(event)
        client = player.Client("ws://nowhere", keepalive, heard)
        running = asyncio.create_task(client.run())
        self.addCleanup(running.cancel)
        await client.joined()
        return client

    async def reconnected(self):
        """Waits for a second connection."""
        async def second():
            while len(self.servers) < 2:
                await asyncio.sleep(0.01)

        await asyncio.wait_for(second(), 5)

    PIXEL = [(1, 2, (255, 0, 0))]

    async def test_one_that_cools_down_paints_again(self):
        def answer(number, _):
            if number == 1:
                yield {"type": "error", "code": "COOLING_DOWN", "message": "wait 10 ms"}
            else:
                yield update("5-0", "6-0")

        client = await self.joined(answer)
        await client.paint(self.PIXEL)
        self.assertEqual(len(self.servers[0].sent), 2)

    async def test_a_refusal_is_final(self):
        error = {"type": "error", "code": "BAD_COLOR", "message": "no"}
        client = await self.joined(lambda *_: [error])
        with self.assertRaises(player.Refused):
            await client.paint(self.PIXEL)
        self.assertEqual(len(self.servers[0].sent), 1)

    async def test_an_unseen_pixel_is_asked_about_and_painted_again(self):
        def answer(number, message):
            if number == 2:
                self.assertTrue(message["ping"])
                yield {"type": "pong", "at": "5-0", "epoch": "aa", "online": 1}
            elif number == 3:
                yield update("5-0", "6-0")

        client = await self.joined(answer)
        await client.paint(self.PIXEL)
        self.assertEqual(len(self.servers[0].sent), 3)

    async def test_what_somebody_painted_over_is_settled(self):
        client = await self.joined(lambda *_: [update("5-0", "6-0", rgb=b"abc")])
        await client.paint(self.PIXEL)
        self.assertEqual(len(self.servers[0].sent), 1)

    async def test_a_gap_that_stays_is_a_reason_to_reconnect(self):
        client = await self.joined(lambda *_: [])
        self.servers[0].queue.put_nowait(json.dumps(update("6-0", "7-0")))
        await self.reconnected()
        await client.joined()

    async def test_an_answer_of_the_gateway_and_unknown_frames_are_ignored(self):
        def answer(*_):
            yield '{"message": "Forbidden", "connectionId":"a=", "requestId":"b="}'
            yield "Internal error"
            yield {"type": "notice", "text": "hello"}
            yield update("5-0", "6-0")

        client = await self.joined(answer)
        await client.paint(self.PIXEL)
        self.assertEqual(len(self.servers), 1)

    async def test_a_ping_without_an_answer_twice(self):
        await self.joined(lambda *_: [], keepalive=0.05)
        await self.reconnected()
        self.assertEqual(len(self.servers[0].sent), 2)

    async def test_a_canvas_that_went_back(self):
        pong = {"type": "pong", "at": "4-0", "epoch": "aa", "online": 1}
        await self.joined(lambda *_: [pong], keepalive=0.05)
        await self.reconnected()

    async def test_updates_that_overtake_a_pong_are_no_reason_to_reconnect(self):
        pong = {"type": "pong", "at": "5-0", "epoch": "aa", "online": 1}

        def answer(n, _):
            yield update(f"{n + 4}-0", f"{n + 5}-0")
            yield {**pong, "at": f"{n + 4}-0"}

        client = await self.joined(answer, 0.05)
        await client.until(lambda: client.canvas.held >= (9, 0))
        self.assertEqual(len(self.servers), 1)

    async def test_one_that_stays_behind(self):
        pong = {"type": "pong", "at": "6-0", "epoch": "aa", "online": 1}
        await self.joined(lambda *_: [pong], keepalive=0.05)
        await self.reconnected()
        self.assertIn("behind", self.told)

    async def test_another_epoch_whose_picture_does_not_come(self):
        pong = {"type": "pong", "at": "5-0", "epoch": "bb", "online": 1}
        await self.joined(lambda *_: [pong], keepalive=0.05)
        await self.reconnected()


if __name__ == "__main__":
    unittest.main()
