"""Reads the PNG files that the canvas sends: true colour, or a palette; no interlacing."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUE_COLOUR, PALETTE = 2, 3


class Unreadable(Exception):
    """The file is not such a picture."""


def decode(file: bytes, width: int, height: int) -> bytearray:
    """Red, green and blue of each pixel, row by row, of a picture that must have this size."""
    header, palette, packed = None, b"", bytearray()
    for kind, body in chunks(file):
        if kind == b"IHDR" and len(body) == 13:
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
    if header is None or header[:2] != (width, height):
        raise Unreadable("not of the size that was announced")
    depth, colour, compression, filtering, interlacing = header[2:]
    is_known = (colour == TRUE_COLOUR and depth == 8) or (
        colour == PALETTE and depth in (1, 2, 4, 8)
    )
    if not is_known or (compression, filtering, interlacing) != (0, 0, 0):
        raise Unreadable("a kind of PNG that the protocol does not use")
    row = (width * (24 if colour == TRUE_COLOUR else depth) + 7) // 8
    samples = unfilter(inflate(packed, (row + 1) * height), row, 3 if colour == TRUE_COLOUR else 1)
    return samples if colour == TRUE_COLOUR else look_up(samples, row, width, depth, palette)


def chunks(file: bytes):
    """Kind and content of each chunk up to the end of the picture."""
    if not file.startswith(SIGNATURE):
        raise Unreadable("no PNG file")
    at = len(SIGNATURE)
    while at + 12 <= len(file):
        (length,) = struct.unpack_from(">I", file, at)
        kind, body = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        checksum = file[at + 8 + length : at + 12 + length]
        if checksum != struct.pack(">I", zlib.crc32(kind + body)):
            raise Unreadable("a broken chunk")
        if kind == b"IEND":
            return
        yield kind, body
        at += 12 + length
    raise Unreadable("no end")


def inflate(packed: bytes, size: int) -> bytes:
    """Exactly `size` bytes: a hostile file must not become large."""
    try:
        plain = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise Unreadable(str(error)) from error
    if len(plain) != size:
        raise Unreadable("rows are missing, or too many")
    return plain


def unfilter(plain: bytes, row: int, pixel: int) -> bytearray:
    """Takes back the filter of each row; `pixel` is how far left the left neighbour is."""
    rows, above = bytearray(), bytes(row)
    for at in range(0, len(plain), row + 1):
        kind, line = plain[at], bytearray(plain[at + 1 : at + 1 + row])
        if kind > 4:
            raise Unreadable("an unknown filter")
        for i in range(row if kind else 0):
            left = line[i - pixel] if i >= pixel else 0
            up_left = above[i - pixel] if i >= pixel else 0
            line[i] = line[i] + predict(kind, left, above[i], up_left) & 255
        rows += line
        above = line
    return rows


def predict(kind: int, left: int, up: int, up_left: int) -> int:
    """What a row's filter expected a byte to be."""
    if kind < 3:
        return left if kind == 1 else up
    if kind == 3:
        return (left + up) // 2
    guess = left + up - up_left
    return min((left, up, up_left), key=lambda neighbour: abs(guess - neighbour))


def look_up(samples: bytes, row: int, width: int, depth: int, palette: bytes) -> bytearray:
    """The colours behind palette numbers of `depth` bits, the leftmost pixel in the high bits."""
    colours = [palette[at : at + 3] for at in range(0, len(palette), 3)]
    rgb, each, mask = bytearray(), 8 // depth, (1 << depth) - 1
    try:
        for start in range(0, len(samples), row):
            for x in range(width):
                byte = samples[start + x // each]
                rgb += colours[byte >> 8 - depth * (x % each + 1) & mask]
    except IndexError as error:
        raise Unreadable("a colour that the palette lacks") from error
    return rgb
