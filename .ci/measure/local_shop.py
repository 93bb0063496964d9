"""A local shop under load: starts `till` as released, and speaks to it as its buyers, Stripe and AWS do.

For `load` and `soak`. Nothing but Python's own library, and all of it in one thread: on the same machine, whatever
asks takes processor time from what answers."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

STRIPE_KEY = "Basic " + base64.b64encode(b"sk_test_local:").decode()
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CARD = {"method": "card", "card_number": "4242424242424242", "exp": "12 / 40", "cvc": "123"}


class Client:
    """Connections to one server, kept open and used again."""

    def __init__(self, port):
        self.port, self.idle = port, []

    async def ask(self, method, path, body=b"", kind=None, **headers):
        """The answer's status, headers and body. A connection that the server has closed is opened anew once."""
        head = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", f"content-length: {len(body)}"]
        head += [f"content-type: {kind}"] if kind else []
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        request = "\r\n".join(head).encode() + b"\r\n\r\n" + body
        if self.idle:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                return await self.exchange(self.idle.pop(), request)
        return await self.exchange(await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 27), request)

    async def exchange(self, connection, request):
        reader, writer = connection
        try:
            writer.write(request)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            if headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(await reader.readline(), 16):
                    body += (await reader.readexactly(size + 2))[:-2]
                await reader.readline()
            else:
                body = await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        self.idle.append(connection)
        return int(status.split()[1]), headers, body


class Unexpected(Exception):
    """An answer that nobody should get."""


def expected(answer, status, what):
    if answer[0] != status:
        raise Unexpected(f"{what}: {answer[0]} instead of {status}: {answer[2][:300].decode(errors='replace')}")
    return json.loads(answer[2]) if answer[2].startswith((b"{", b"[")) else None


class Shop:
    """The shop, its Stripe and its AWS, each on a port of its own."""

    def __init__(self, port, process, log):
        self.process, self.log = process, log
        self.shop, self.stripe, self.aws = (Client(port + offset) for offset in range(3))
        # By what was asked: the milliseconds that each answer took.
        self.took = {}

    async def timed(self, what, asking):
        began = time.perf_counter()
        answer = await asking
        self.took.setdefault(what, []).append((time.perf_counter() - began) * 1000)
        return answer

    async def sign_in(self, email):
        body = urllib.parse.urlencode({"email": email}).encode()
        answer = await self.shop.ask("POST", "/_local/token", body, FORM)
        return "Bearer " + expected(answer, 200, "signing in")["access_token"]

    async def look(self, path, token=None, what=None):
        signed = {"authorization": token} if token else {}
        return expected(await self.timed(what or f"GET {path}", self.shop.ask("GET", path, **signed)), 200, path)

    async def checkout(self, token, cart):
        items = [{"product_id": product, "quantity": quantity} for product, quantity in cart]
        asking = self.shop.ask("POST", "/checkout", json.dumps({"items": items}).encode(), JSON, authorization=token)
        return expected(await self.timed("POST /checkout", asking), 201, "a checkout")

    async def pay(self, url, email="buyer@example.com"):
        body = urllib.parse.urlencode(CARD | {"email": email}).encode()
        asking = self.stripe.ask("POST", urllib.parse.urlsplit(url).path, body, FORM)
        expected(await self.timed("Stripe's page, paid", asking), 303, "paying")

    async def at_stripe(self, method, path, **form):
        body = urllib.parse.urlencode(form).encode()
        answer = await self.stripe.ask(method, path, body, FORM if body else None, authorization=STRIPE_KEY)
        return expected(answer, 200, path)

    async def deliver(self, event):
        """Posts an event as Stripe does. The answer says what became of it."""
        now = int(time.time())
        signature = hmac.new(b"whsec_local", f"{now}.".encode() + event, hashlib.sha256).hexdigest()
        asking = self.shop.ask("POST", "/webhook", event, JSON, stripe_signature=f"t={now},v1={signature}")
        answer = expected(await self.timed("POST /webhook", asking), 200, "the webhook")
        return answer["result"]

    async def dynamodb(self, operation, **request):
        authorization = (
            "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=00"
        )
        answer = await self.aws.ask(
            "POST", "/", json.dumps(request).encode(), "application/x-amz-json-1.0", authorization=authorization,
            x_amz_target=f"DynamoDB_20120810.{operation}", x_amz_date="20260101T000000Z",
        )
        return expected(answer, 200, operation)

    async def items(self, table):
        """Every item of a table."""
        found, start = [], {}
        while True:
            page = await self.dynamodb("Scan", TableName=table, ConsistentRead=True, **start)
            found += page["Items"]
            if not page.get("LastEvaluatedKey"):
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def limit(self, product, stock):
        """Puts a product beside the mug that differs only in its id and in how much of it there is."""
        mug = await self.dynamodb("GetItem", TableName="ProductsTable", Key={"id": {"S": "sample-mug"}})
        item = mug["Item"] | {"id": {"S": product}, "stock": {"N": str(stock)}}
        await self.dynamodb("PutItem", TableName="ProductsTable", Item=item)

    async def stock(self, product):
        found = await self.dynamodb("GetItem", TableName="ProductsTable", Key={"id": {"S": product}}, ConsistentRead=True)
        return int(found["Item"]["stock"]["N"])

    async def until_mailed(self, seconds=300):
        """Waits until every row of the outbox has been sent. Returns the rows by state."""
        patience = time.monotonic() + seconds
        while True:
            states = {}
            for row in await self.items("OutboxTable"):
                states.setdefault(row["state"]["S"], []).append(row)
            if set(states) <= {"sent"} or time.monotonic() > patience:
                return states
            await asyncio.sleep(1)


def free_ports():
    """A port whose two neighbors are free, too."""
    for port in range(4420, 6000, 3):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for offset in range(3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            return port
    raise SystemExit("no three ports in a row are free between 4420 and 6000")


@contextlib.asynccontextmanager
async def running_shop(data=None):
    """`till` at $TILL in a process of its own; in memory, or with a data folder."""
    port = free_ports()
    command = [os.environ["TILL"], "--port", str(port), "--stripe-port", str(port + 1), "--aws-port", str(port + 2)]
    command += ["--data", str(data)] if data else ["--memory"]
    log = Path(os.environ.get("SHOP_LOG", os.devnull)).open("ab")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    shop = Shop(port, process, log)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                await shop.shop.ask("GET", "/products")
                break
            if process.poll() is not None:
                raise SystemExit(f"till ended with {process.returncode}; SHOP_LOG=FILE keeps what it says")
            await asyncio.sleep(0.1)
        yield shop
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


async def all_at_once(concurrency, jobs):
    """Runs the jobs, so many at a time. Returns what they returned, in order, and the seconds it took."""
    results, waiting = [None] * len(jobs), iter(enumerate(jobs))

    async def worker():
        for number, job in waiting:
            results[number] = await job()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(worker())
    return results, time.perf_counter() - began
