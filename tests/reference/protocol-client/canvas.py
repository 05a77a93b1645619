"""What a client knows of the canvas: a picture, its position, and what it can't use yet."""

import base64

import png

RECORD = 7


class Broken(Exception):
    """A frame that breaks the protocol: a reason to reconnect."""


def position(text: str) -> tuple:
    """A position, as something that compares as positions do."""
    ms, n = text.split("-")
    return int(ms), int(n)


def records(data: str):
    """The pixels of an update: x, y, and red, green, blue."""
    raw = base64.b64decode(data, validate=True)
    if len(raw) % RECORD:
        raise Broken("an update that is no run of records")
    for at in range(0, len(raw), RECORD):
        x, y = raw[at] << 8 | raw[at + 1], raw[at + 2] << 8 | raw[at + 3]
        yield x, y, raw[at + 4 : at + RECORD]


class Canvas:
    """A client's knowledge, for the length of one connection."""

    def __init__(self):
        self.epoch = None
        self.held = None
        self.width = self.height = 0
        self.rgb = bytearray()
        # Pictures that are not whole yet, and how many updates had come before the first part.
        self.parts, self.before = {}, {}
        self.kept, self.came = [], 0
        self.on_change = lambda places: None

    @property
    def has_gap(self) -> bool:
        """Whether updates wait for one that is missing."""
        return self.held is not None and bool(self.kept)

    def colour(self, x: int, y: int) -> bytes:
        """What the picture shows at a place."""
        at = (y * self.width + x) * 3
        return bytes(self.rgb[at : at + 3])

    def init(self, frame: dict):
        """Takes in a part of a picture, and the picture when it is whole."""
        number, count = frame["part"], frame["parts"]
        if not 1 <= number <= count:
            raise Broken(f"part {number} of {count}")
        name = (frame.get("epoch"), frame["at"], count)
        self.before.setdefault(name, self.came)
        parts = self.parts.setdefault(name, {})
        parts[number] = base64.b64decode(frame["data"], validate=True)
        if len(parts) < count:
            return
        del self.parts[name]
        epoch, at = frame.get("epoch"), position(frame["at"])
        is_other = self.held is not None and epoch != self.epoch
        if self.held is not None and not is_other and at <= self.held:
            return
        self.show(frame, b"".join(parts[n] for n in range(1, count + 1)))
        if is_other:
            self.kept = [update for update in self.kept if update[3] > self.before[name]]
            self.parts, self.before = {}, {}
        self.epoch, self.held = epoch, at
        for other in [n for n in self.parts if n[0] == epoch and position(n[1]) <= at]:
            del self.parts[other]
        self.on_change(None)
        self.settle()

    def show(self, frame: dict, file: bytes):
        """Replaces the picture."""
        width, height = frame["width"], frame["height"]
        try:
            self.rgb = png.decode(file, width, height)
        except png.Unreadable as error:
            raise Broken(f"a picture: {error}") from error
        self.width, self.height = width, height

    def update(self, frame: dict):
        """Takes in changes: now, later or not at all."""
        start, end = position(frame["from"]), position(frame["at"])
        if end <= start:
            raise Broken("an update that leads nowhere")
        self.came += 1
        self.kept.append((start, end, list(records(frame["data"])), self.came))
        self.settle()

    def settle(self):
        """Applies what is kept, as far as it leads."""
        if self.held is None:
            return
        self.kept.sort(key=lambda update: update[:2])
        while self.kept and self.kept[0][0] <= self.held:
            _, end, pixels, _ = self.kept.pop(0)
            if end > self.held:
                self.paint(pixels)
                self.held = end

    def paint(self, pixels: list):
        """Applies the records of an update."""
        for x, y, rgb in pixels:
            if x >= self.width or y >= self.height:
                raise Broken("an update outside the canvas")
            at = (y * self.width + x) * 3
            self.rgb[at : at + 3] = rgb
        self.on_change({(x, y) for x, y, _ in pixels})
