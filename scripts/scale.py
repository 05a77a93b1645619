#!/usr/bin/env python3
"""What a crowd takes and costs, each way that it can watch: prints docs/scale.md.

With --check it says whether the file is what this prints.
"""
import pathlib
import sys

FILE = pathlib.Path(__file__).resolve().parent.parent / "docs/scale.md"

# List prices of us-east-1 in dollars, 2026. Bytes are decimal, as AWS counts them.
MESSAGE = 1.00 / 1e6  # WebSocket message of up to 32 KB
MINUTE = 0.25 / 1e6  # minute of a connection
REQUEST = 0.20 / 1e6  # invocation of a function
GIGABYTE_SECOND = 0.0000166667  # of a function, x86
NAT = 0.045 / 1e9  # byte through the NAT gateway
OUT = 0.09 / 1e9  # byte to the internet, first 10 TB a month
CDN_REQUEST = 1.00 / 1e6  # CloudFront, HTTPS, United States
CDN_OUT = 0.085 / 1e9  # CloudFront, first 10 TB a month

FRAME = 3_200  # bytes of a second of 333 changes, in base64
TICK = 1.0  # seconds between two frames to a client
SLOT = 2.0  # seconds of a slot
HEADERS = 400  # bytes of an answer beside its body
MEMORY = 0.5  # GB of the page function
ANSWER = 0.005  # seconds that the page function takes for a slot
POSTS = 10_000  # posts a second that an account may make in the larger regions by default
PER_CONCURRENCY = 10  # requests a second for each unit of a function's concurrency
CONCURRENCY = 1_000  # units that an account has by default

HOUR = 3_600
CROWDS = [1_000, 10_000, 100_000, 1_000_000]


def sockets(viewers):
    frames = HOUR / TICK
    size = FRAME * TICK
    each = frames * (MESSAGE + size * (NAT + OUT)) + 60 * MINUTE
    posts = viewers / TICK
    needs = f"{posts:,.0f} posts/s, {posts / POSTS:.1f} of the default quota"
    return needs, viewers * each


def slots(viewers):
    requests = HOUR / SLOT
    size = FRAME * SLOT + HEADERS
    each = requests * (REQUEST + ANSWER * MEMORY * GIGABYTE_SECOND + size * OUT)
    units = viewers / SLOT / PER_CONCURRENCY
    needs = f"{units:,.0f} units of concurrency, {units / CONCURRENCY:.1f} of the default quota"
    return needs, viewers * each


def slots_behind_a_cdn(viewers):
    requests = HOUR / SLOT
    size = FRAME * SLOT + HEADERS
    each = requests * (CDN_REQUEST + size * CDN_OUT)
    origin = requests * (REQUEST + ANSWER * MEMORY * GIGABYTE_SECOND + size * OUT)
    needs = f"{viewers / SLOT:,.0f} requests/s at the CDN, one in {SLOT:.0f} s at the function"
    return needs, viewers * each + origin


WAYS = [
    ("sockets", sockets),
    ("slots from the function alone", slots),
    ("slots behind CloudFront", slots_behind_a_cdn),
]


def page():
    rows = []
    for viewers in CROWDS:
        for name, way in WAYS:
            needs, dollars = way(viewers)
            price = f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"
            rows.append(f"| {viewers:,} | {name} | {needs} | {price} |")
    return f"""# What a crowd takes and costs

Everybody who paints has a socket. Who only watches can do without: the page falls back to slots by
itself when the canvas is full (`api.max_clients`). So `api.max_clients` decides how many watch each
way. This page is printed by `scripts/scale.py`, which says each price and each assumption; nothing on
it was measured on AWS.

Assumed: 333 changes a second ({FRAME / 1000:.1f} KB a second in base64), a frame each {TICK:.0f} s to each socket
(the tick stretches by itself, so that posts stay below `broadcast.max_posts_per_second`), slots of
{SLOT:.0f} s, {ANSWER * 1000:.0f} ms of a function of {MEMORY * 1024:.0f} MB for a slot. Prices of us-east-1 without discounts.

| viewers | way | takes | an hour |
|---|---|---|---|
{chr(10).join(rows)}

## The formulas

- Sockets: viewers x 3600 / tick x (price of a message + bytes of a frame x (NAT + traffic out)) +
  viewers x 60 x price of a minute. Posts a second: viewers / tick. The quota is the account's, and
  all of its API Gateway calls share it; AWS raises it on request, within weeks.
- Slots from the function: viewers x 3600 / slot x (price of a request + seconds x GB x price of a
  GB-second + bytes x traffic out). Concurrency: viewers / slot / {PER_CONCURRENCY}, because Lambda takes {PER_CONCURRENCY} requests
  a second for each unit. `page.max_concurrency` is the lid on that.
- Slots behind a CDN: viewers x 3600 / slot x (price of a request + bytes x traffic out), at the CDN.
  The function answers each slot once, however many watch: a complete slot may be kept for ever.

## What follows

- Up to some thousand viewers sockets are simplest. They see a change within a tenth of a second.
- Beyond the quota of posts, a lower `api.max_clients` keeps painting fast for those who have a socket,
  and everybody else watches two seconds behind.
- From about 20,000 viewers without a socket a CDN in front (`page.address`) is needed: the function
  alone would take all of the account's concurrency.
"""


def main():
    text = page()
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text() != text:
            sys.exit(f"error: {FILE.name} is not what scripts/scale.py prints")
    else:
        FILE.write_text(text)


if __name__ == "__main__":
    main()
