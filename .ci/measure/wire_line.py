"""HTTP servers at the end of a line that is as long as one likes, with TLS or without.

The line's model, for a round-trip time R. What a client sends arrives R/2 later, and so does what it is answered. The
system answers a TCP handshake at once, so the handshake's round trip is made up for: nothing that a client sends
arrives before R + R/2 after its connection was opened. A TLS 1.3 handshake then takes one more round trip, as its
messages travel the same line, and a request one. Nothing is lost, bandwidth has no limit, and names are looked up at
no distance. One process plays all the services; its own time, a few tenths of a millisecond for a request, is in
every latency, whoever asks.
"""

import asyncio
import collections
import selectors
import ssl
import time


def loop():
    # Its time limits are of microseconds; those of epoll are of milliseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class Line:
    """One direction of a connection: hands on what is put in, in order, at its time."""

    def __init__(self, deliver):
        self.deliver, self.waiting = deliver, collections.deque()

    def put(self, data, at):
        if at <= time.monotonic() and not self.waiting:
            self.deliver(data)
            return
        self.waiting.append(data)
        asyncio.get_running_loop().call_at(at, self.arrive)

    def arrive(self):
        self.deliver(self.waiting.popleft())


class Request:
    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body


def answer(status, body, *headers):
    head = [f"HTTP/1.1 {status} Answer", *headers, f"content-length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """Serves `service.respond(request, reply)` on a connection, where `reply` takes bytes, now or later."""

    def __init__(self, service):
        self.service, self.unread = service, b""
        self.tls = None

    def connection_made(self, transport):
        self.transport, self.opened = transport, time.monotonic()
        self.service.connections += 1
        # The path may be changed while connections are open; each keeps the length that it began with.
        self.round_trip = self.service.wire.round_trip
        self.inbound, self.outbound = Line(self.arrive), Line(self.write)
        if self.service.tls:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = self.service.tls.wrap_bio(self.incoming, self.outgoing, server_side=True)
            self.shaken = False

    def data_received(self, data):
        at = max(time.monotonic(), self.opened + self.round_trip)
        self.inbound.put(data, at + self.round_trip / 2)

    def write(self, data):
        if not self.transport.is_closing():
            self.transport.write(data)

    def send(self, data):
        if self.tls:
            self.tls.write(data)
            data = self.outgoing.read()
        self.outbound.put(data, time.monotonic() + self.round_trip / 2)

    def arrive(self, data):
        if self.tls:
            self.incoming.write(data)
            try:
                data = self.decrypted()
            except ssl.SSLError as error:
                self.service.wire.failed = f"{self.service.name}: {error}"
                self.transport.close()
                return
        self.unread += data
        self.serve()

    def decrypted(self):
        clear = b""
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
                self.service.resumed += bool(self.tls.session_reused)
            while chunk := self.tls.read(65536):
                clear += chunk
        except ssl.SSLWantReadError:
            pass
        if handshake := self.outgoing.read():
            self.outbound.put(handshake, time.monotonic() + self.round_trip / 2)
        return clear

    def serve(self):
        while True:
            head, found, rest = self.unread.partition(b"\r\n\r\n")
            if not found:
                return
            request = Request(head, b"")
            if "chunked" in request.headers.get("transfer-encoding", ""):
                body, rest = unchunked(rest)
                if body is None:
                    return
            else:
                length = int(request.headers.get("content-length", 0))
                if len(rest) < length:
                    return
                body, rest = rest[:length], rest[length:]
            request.body, self.unread = body, rest
            self.service.requests += 1
            self.service.respond(request, self.send)


def unchunked(data):
    body = b""
    while True:
        size, found, data = data.partition(b"\r\n")
        if not found:
            return None, b""
        size = int(size.split(b";")[0], 16)
        if len(data) < size + 2:
            return None, b""
        body, data = body + data[:size], data[size + 2 :]
        if size == 0:
            return body, data


class Service:
    """One that is asked something and answers at once: `answered` makes the answer."""

    def __init__(self, wire, name, answered, tls):
        self.wire, self.name, self.answered, self.tls = wire, name, answered, tls
        self.connections = self.requests = self.resumed = 0

    def respond(self, request, send):
        send(self.answered(request))


class Wire:
    """All of the services, and how far away they are."""

    def __init__(self, tls):
        self.tls, self.round_trip, self.services, self.failed = tls, 0.0, {}, None

    async def listen(self, service):
        server = await asyncio.get_running_loop().create_server(lambda: Connection(service), "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def add(self, name, answered):
        service = self.services[name] = Service(self, name, answered, self.tls)
        service.url = f"https://localhost:{await self.listen(service)}"
        return service

    def forget(self):
        for service in self.services.values():
            service.connections = service.requests = service.resumed = 0
        self.failed = None


class RuntimeApi(Service):
    """Lambda's: hands out events and takes answers. It is on the same machine as the function, so it has no TLS and
    no distance. `asked` and `done` are called with the time."""

    def __init__(self):
        super().__init__(None, "runtime", None, None)
        self.round_trip = 0.0
        self.wire, self.waiting, self.serial = self, None, 0
        self.asked = self.done = lambda *_: None

    def respond(self, request, send):
        now = time.perf_counter()
        if request.path.endswith("/invocation/next"):
            self.waiting = send
            self.asked(now)
            return
        send(answer(202, b""))
        if request.path.endswith("/response"):
            self.done(now, request.body, None)
        else:
            self.done(now, None, request.body.decode())

    def invoke(self, event):
        send, self.waiting = self.waiting, None
        self.serial += 1
        send(answer(
            200,
            event,
            "content-type: application/json",
            f"lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{self.serial:012}",
            "lambda-runtime-deadline-ms: 4102444800000",
            "lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:1:function:f",
        ))
        return time.perf_counter()
