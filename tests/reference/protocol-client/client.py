"""A client of the canvas, written from docs/protocol.md alone.

    client.py URL [--paint N] [--seed S] [--keepalive SECONDS] --picture FILE

Joins, paints N messages at random, and tells each thing that it does as a line of JSON. Then it
waits for a position on standard input. Once it holds that position it writes red, green and blue of
every pixel to FILE, and ends.
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
import sys

from canvas import Broken, Canvas, position
from connection import Closed, Connection

PICTURE_WITHIN = 30
GAP_LASTS = 2
UNSEEN, UNSEEN_AFTER_PING = 3, 5
BEHIND_LASTS = 5
PONG_WITHIN = 10
LONGEST_PAUSE = 30
LONGEST_RETRY = 60
LONGEST_CONNECTION = (90 * 60, 115 * 60)


class Refused(Exception):
    """The server will not take this message, however often it is sent."""


class Client:
    """Stays connected, knows the canvas, and paints."""

    def __init__(self, url: str, keepalive: float, tell=lambda event, **more: None):
        self.url, self.keepalive, self.tell = url, keepalive, tell
        self.canvas, self.connection = Canvas(), None
        self.moved = asyncio.Condition()
        # The message that is under way: what is not seen yet, what was seen in another colour, and
        # what became of it.
        self.unseen, self.touched, self.settled = {}, set(), None
        # Epoch and position at the oldest ping without an answer, and the check after a pong.
        self.pinged, self.watch = None, None

    # Staying connected

    async def run(self):
        """Connects again and again."""
        limit = 1
        while True:
            reason = await self.live()
            limit = 1 if self.canvas.held is not None else min(2 * limit, LONGEST_PAUSE)
            self.tell("disconnected", reason=reason)
            self.settle("lost")
            await asyncio.sleep(random.uniform(0, limit))

    async def live(self) -> str:
        """One connection from its start to its end; why it ended."""
        self.canvas, self.pinged = Canvas(), None
        self.canvas.on_change = self.changed
        try:
            self.connection = await asyncio.wait_for(Connection.connect(self.url), PICTURE_WITHIN)
        except Closed as error:
            return str(error)
        except (TimeoutError, asyncio.TimeoutError):
            return "no handshake"
        tasks = [asyncio.create_task(work) for work in (self.hear(), self.guard(), self.keep())]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        tasks += [self.watch] if self.watch is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection, self.connection, self.watch = self.connection, None, None
        connection.close()
        error = done.pop().exception()
        if not isinstance(error, (Closed, Broken)):
            raise error
        return str(error)

    async def hear(self):
        """Takes in every frame."""
        async for text in self.connection.messages():
            with contextlib.suppress(json.JSONDecodeError):
                self.take(json.loads(text))
            async with self.moved:
                self.moved.notify_all()
        raise Closed("the stream ended")

    def take(self, frame):
        """One frame; what has another type, or none, is not for this client."""
        kind = frame.get("type") if isinstance(frame, dict) else None
        kinds = {
            "init": self.canvas.init,
            "update": self.canvas.update,
            "pong": self.pong,
            "error": self.error,
        }
        try:
            kinds.get(kind, lambda _: None)(frame)
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"a frame that can't be read: {error!r}") from error

    def error(self, frame: dict):
        """What the server did not like about the message that is under way."""
        self.tell("error", code=frame["code"], message=frame["message"])
        self.settle(frame)

    async def guard(self):
        """Ends a connection that brings no picture, keeps a gap, or becomes too old."""
        clock = asyncio.get_running_loop().time
        start, gap_since = clock(), None
        until = start + random.uniform(*LONGEST_CONNECTION)
        while clock() < until:
            await asyncio.sleep(0.1)
            if self.canvas.held is None and clock() > start + PICTURE_WITHIN:
                raise Closed("no picture")
            gap_since = (gap_since or clock()) if self.canvas.has_gap else None
            if gap_since and clock() > gap_since + GAP_LASTS:
                raise Closed("a gap")
        raise Closed("old enough")

    async def keep(self):
        """Pings, and hears whether the other side still lives."""
        while True:
            await asyncio.sleep(self.keepalive)
            for _ in range(2):
                await self.ping()
                answered = self.until(lambda: self.pinged is None)
                with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                    await asyncio.wait_for(answered, PONG_WITHIN)
                    break
            else:
                raise Closed("no pong")

    async def ping(self):
        """Asks where the canvas is. A server that sends no epochs knows no pings."""
        if self.canvas.epoch is None:
            return
        if self.pinged is None:
            self.pinged = (self.canvas.epoch, self.canvas.held)
        await self.send({"action": "sendMessage", "ping": True})

    def pong(self, frame: dict):
        """Compares the canvas with what is held."""
        at, epoch = position(frame["at"]), frame["epoch"]
        self.tell("pong", at=frame["at"], epoch=epoch, online=frame["online"])
        pinged, self.pinged = self.pinged, None
        if pinged is not None and pinged[0] == epoch and at < pinged[1]:
            raise Broken("the canvas went back")
        if self.watch is None or self.watch.done():
            self.watch = asyncio.create_task(self.catch_up(epoch, at))

    async def catch_up(self, epoch: str, at: tuple):
        """Gives frames that are under way some time."""
        await asyncio.sleep(BEHIND_LASTS)
        if self.canvas.epoch != epoch or self.canvas.held < at:
            self.tell("behind", epoch=epoch)
            self.connection.close()

    async def send(self, message: dict):
        """Sends one message."""
        if self.connection is None:
            raise Closed("not connected")
        await self.connection.send(json.dumps(message, separators=(",", ":")))

    async def until(self, reached):
        """Waits for frames until `reached` says yes."""
        async with self.moved:
            await self.moved.wait_for(reached)

    async def joined(self):
        """Waits for a whole picture."""
        await self.until(lambda: self.connection is not None and self.canvas.held is not None)

    # Painting

    def changed(self, places):
        """Something was painted; `None` is a whole picture."""
        for place in self.unseen.keys() & (self.unseen.keys() if places is None else places):
            if self.canvas.colour(*place) == self.unseen[place]:
                del self.unseen[place]
            elif places is not None:
                self.touched.add(place)
        if not self.unseen:
            self.settle("seen")

    def settle(self, outcome):
        """Ends the message that is under way."""
        if self.settled is not None and not self.settled.done():
            self.settled.set_result(outcome)

    async def paint(self, pixels: list):
        """Paints (x, y, (r, g, b)), however often it takes."""
        keys = ("x", "y", "r", "g", "b")
        data = [dict(zip(keys, (x, y, *rgb))) for x, y, rgb in pixels]
        colours = {(x, y): bytes(rgb) for x, y, rgb in pixels}
        pause = 1
        while True:
            await self.joined()
            outcome = await self.attempt(data, colours)
            if outcome == "seen":
                return
            if isinstance(outcome, dict):
                code = outcome["code"]
                if code not in ("COOLING_DOWN", "UNAVAILABLE"):
                    raise Refused(f"{code}: {outcome['message']}")
                await asyncio.sleep(retry_ms(outcome) / 1000 if code == "COOLING_DOWN" else pause)
                pause = min(2 * pause, LONGEST_RETRY) if code == "UNAVAILABLE" else pause
            await self.joined()
            if all(self.canvas.colour(*place) == rgb for place, rgb in colours.items()):
                return

    async def attempt(self, data: list, colours: dict):
        """Sends a message once; what became of it."""
        self.unseen, self.touched = dict(colours), set()
        self.settled = asyncio.get_running_loop().create_future()
        try:
            await self.send({"action": "sendMessage", "data": data})
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.settled), UNSEEN)
            # Somebody painted the same places, earlier or later, and nothing was refused.
            if self.unseen.keys() <= self.touched:
                return "seen"
            await self.ping()
            return await asyncio.wait_for(self.settled, UNSEEN_AFTER_PING)
        except Closed:
            return "lost"
        except (TimeoutError, asyncio.TimeoutError):
            return "unseen"
        finally:
            self.unseen, self.touched, self.settled = {}, set(), None


def retry_ms(error: dict) -> float:
    """How long one that cools down waits."""
    if "retry_ms" in error:
        return error["retry_ms"]
    found = re.search(r"(\d+) ms", error["message"])
    return int(found.group(1)) if found else 1000


def tell(event: str, **more):
    """One line for whoever started this."""
    print(json.dumps({"event": event, **more}), flush=True)


async def play(client: Client, options):
    """What the command line asks for."""
    await client.joined()
    canvas = client.canvas
    tell("joined", at="%d-%d" % canvas.held, width=canvas.width, height=canvas.height)
    dice = random.Random(options.seed)
    for number in range(options.paint):
        pixels = [
            (dice.randrange(24), dice.randrange(16), tuple(dice.randbytes(3)))
            for _ in range(number % 8 + 1)
        ]
        await client.paint(pixels)
    tell("painted", messages=options.paint)
    line = await asyncio.to_thread(sys.stdin.readline)
    wanted = position(line.strip())
    await client.until(lambda: client.canvas.held is not None and client.canvas.held >= wanted)
    with open(options.picture, "wb") as file:
        file.write(client.canvas.rgb)
    tell("finished", at="%d-%d" % client.canvas.held, epoch=client.canvas.epoch)


async def both(options):
    """Plays for as long as the client runs."""
    client = Client(options.url, options.keepalive, tell)
    tasks = [asyncio.create_task(work) for work in (client.run(), play(client, options))]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[0].cancel()
    done.pop().result()


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--paint", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keepalive", type=float, default=240)
    parser.add_argument("--picture", required=True)
    asyncio.run(both(parser.parse_args()))


if __name__ == "__main__":
    main()
