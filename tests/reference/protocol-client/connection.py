"""A WebSocket of text messages, on `wsproto`, which comes with the emulator."""

import asyncio
import collections
import ssl
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

# The longest WebSocket frame that the gateway takes.
FRAME_BYTES = 32 * 1024


class Closed(Exception):
    """The connection ended, or did not come about."""


class Connection:
    """One connection, open once `connect` has returned it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.events = collections.deque()

    @classmethod
    async def connect(cls, url: str):
        """Opens a connection to `ws://...` or `wss://...`."""
        parts = urlsplit(url)
        secure = ssl.create_default_context() if parts.scheme == "wss" else None
        port = parts.port or (443 if secure else 80)
        try:
            opened = await asyncio.open_connection(parts.hostname, port, ssl=secure)
        except OSError as error:
            raise Closed(f"could not connect: {error}") from error
        connection = cls(*opened)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        await connection.transmit(Request(host=parts.netloc, target=target or "/"))
        while True:
            event = await connection.event()
            if isinstance(event, AcceptConnection):
                return connection
            if isinstance(event, RejectConnection):
                connection.writer.close()
                raise Closed(f"refused with {event.status_code}")

    async def transmit(self, event):
        """Sends what the protocol makes of an event."""
        try:
            self.writer.write(self.protocol.send(event))
            await self.writer.drain()
        except (OSError, ProtocolError) as error:
            raise Closed(str(error)) from error

    async def event(self):
        """The next thing that the stream says."""
        try:
            while not self.events:
                self.protocol.receive_data(await self.reader.read(65536) or None)
                self.events.extend(self.protocol.events())
        except (OSError, ProtocolError) as error:
            raise Closed(str(error)) from error
        return self.events.popleft()

    async def send(self, text: str):
        """Sends a message, in frames that the gateway takes: one letter may be four bytes."""
        step = FRAME_BYTES // 4
        pieces = [text[at : at + step] for at in range(0, len(text), step)] or [""]
        for number, piece in enumerate(pieces, 1):
            await self.transmit(Message(data=piece, message_finished=number == len(pieces)))

    async def messages(self):
        """Every message, until the connection ends."""
        text = ""
        while True:
            event = await self.event()
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    yield text
                    text = ""
            elif isinstance(event, Ping):
                await self.transmit(event.response())
            elif isinstance(event, CloseConnection):
                raise Closed(f"closed with {event.code}")

    def close(self):
        """Ends it without waiting for the other side."""
        try:
            self.writer.write(self.protocol.send(CloseConnection(code=1000)))
        except ProtocolError:
            pass
        self.writer.close()
