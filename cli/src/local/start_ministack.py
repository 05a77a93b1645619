# Starts MiniStack as `python -m ministack` does, with two differences.
#
# A guard stands before it. MiniStack runs what it is given as its own user and asks nobody who they
# are: any page in a browser and any other user of the machine could have it run a program. So a
# caller needs the key of this local cloud: as the access key of a signed request, or in the header
# `x-placectl-key`. What a browser sends on behalf of a page is refused whatever it carries. Open,
# as they are on AWS, are WebSocket APIs and function URLs; a function's own check decides there.
#
# And its Runtime API answers a function in two pieces, headers and event, and Nagle's algorithm
# holds the second back until the function's kernel has acknowledged the first, which takes 40 ms,
# at every invocation. Lambda's own doesn't.
import hmac
import json
import os
import re
import socketserver
from html import escape
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from ministack.core import lambda_runtime

# Both come through the environment, which other users can't read (proc(5)).
KEY = os.environ["AWS_ACCESS_KEY_ID"]
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]

# A page of a foreign site can have its own name lead to 127.0.0.1, but can't send another `Host`.
HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
API_HOST = re.compile(r"[a-z0-9]+\.execute-api\.(127\.0\.0\.1|localhost)(:\d+)?")
FROM_A_PAGE = ("origin", "sec-fetch-site")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
HEALTH = "/_ministack/health"
SOCKETS = "/_aws/execute-api/"
# With an id: without one MiniStack would take the request for a call of some service.
FUNCTION_URL = re.compile(r"/_aws/lambda-url/[^/]+(/.*)?", re.DOTALL)


def is_key(text):
    return hmac.compare_digest(text.encode(), KEY.encode())


def is_issued(access_key):
    """Whether the emulator gave out this key: to a user of its IAM, or to a function's role."""
    from ministack.services import iam, sts

    issued = (key for _, key in iam._access_keys.to_dict())
    return access_key in sts._sessions or access_key in issued


def carries_key(headers, query):
    """The same access key that MiniStack will act on."""
    from ministack.core.router import extract_access_key_id

    if is_key(headers.get("x-placectl-key", "")):
        return True
    access_key = extract_access_key_id(headers, parse_qs(query, keep_blank_values=True))
    return is_key(access_key) or bool(access_key) and is_issued(access_key)


def foreign_host(hosts, allowed):
    """Why the `Host` is not one of this machine's; None where it is."""
    if len(hosts) == 1 and any(host.fullmatch(hosts[0]) for host in allowed):
        return None
    named = ", ".join(hosts) or "(none)"
    return f"the host {named} is not this machine: use 127.0.0.1 or localhost"


def refusal(scope):
    """Why a request must not reach MiniStack; None where it may."""
    headers, hosts = {}, []
    for name, value in scope.get("headers", []):
        name, value = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = value
        if name == "host":
            hosts.append(value)
    path, is_socket = scope.get("path", ""), scope["type"] == "websocket"
    if FUNCTION_URL.fullmatch(path) and not is_socket:
        return foreign_host(hosts, [HOST])
    if foreign := foreign_host(hosts, [HOST, API_HOST]):
        return foreign
    if is_socket and (path.startswith(SOCKETS) or API_HOST.fullmatch(hosts[0])):
        return None
    if any(name in headers for name in FROM_A_PAGE):
        return "a page in a browser may not use the local cloud"
    if path == HEALTH and scope.get("method") == "GET":
        return None
    if carries_key(headers, scope.get("query_string", b"").decode("latin-1")):
        return None
    return "the access key is not the local cloud's: `placectl local status` says how to use it"


def answer(scope, reason):
    """A refusal in the protocol of the caller: EC2, IAM, STS and ElastiCache speak XML."""
    kind = dict(scope.get("headers", [])).get(b"content-type", b"")
    if kind.startswith(b"application/x-www-form-urlencoded"):
        text = f"<Code>InvalidClientTokenId</Code><Message>{escape(reason)}</Message>"
        error = f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error></ErrorResponse>"
        return b"text/xml", error.encode()
    error = {"__type": "UnrecognizedClientException", "message": reason}
    return b"application/json", json.dumps(error).encode()


def guarded(app):
    async def guard(scope, receive, send):
        reason = refusal(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            return await app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008})
        kind, body = answer(scope, reason)
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        headers.append((b"x-amzn-errortype", b"UnrecognizedClientException"))
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return guard


def salted(text):
    return hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()


def keyed_credentials(credentials):
    """A function's calls carry the key; with AUTH=true its role's own, made hard to guess."""

    def keyed(config):
        from ministack import app
        from ministack.services import sts

        given = credentials(config)
        if not app.AUTH:
            return {**given, "AWS_ACCESS_KEY_ID": KEY}
        session = sts._sessions.pop(given["AWS_ACCESS_KEY_ID"])
        key, secret, token = (salted(given[name]) for name in CREDENTIALS)
        key = "ASIA" + key[:32].upper()
        sts.register_session(key, {**session, "SecretAccessKey": secret, "SessionToken": token})
        return dict(zip(CREDENTIALS, (key, secret, token)))

    return keyed


def without_pages(parse_request):
    """The Runtime API's server, of one port a function: no page may take an event out of it."""

    def parse(self):
        if not parse_request(self):
            return False
        from_a_page = any(self.headers.get(name) for name in FROM_A_PAGE)
        if from_a_page or foreign_host(self.headers.get_all("host", []), [HOST]):
            self.send_error(403)
            return False
        return True

    return parse


socketserver.StreamRequestHandler.disable_nagle_algorithm = True
BaseHTTPRequestHandler.parse_request = without_pages(BaseHTTPRequestHandler.parse_request)
# Before anything of MiniStack takes a copy of it.
lambda_runtime.execution_credentials = keyed_credentials(lambda_runtime.execution_credentials)

from ministack import app as ministack_app

ministack_app.app = guarded(ministack_app.app)
ministack_app.main()
