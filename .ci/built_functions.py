"""The built functions beside a local shop: each in a process of its own, behind a Runtime API, with its calls counted.

The functions in `.aws-sam/build` run against the Stripe of the shop that `with-shop` has started and against tables
of their own in its DynamoDB. What they call passes through here, so that it can be counted."""

import atexit
import hashlib
import hmac
import json
import os
import queue
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHOP, STRIPE, AWS = (os.environ[name] for name in ("SHOP_URL", "STRIPE_URL", "AWS_URL"))
BUILT = os.environ.get("BUILT", ".aws-sam/build")
MEMORY_MB = 256
READS = ("GetItem", "Query", "BatchGetItem")


class Passing(BaseHTTPRequestHandler):
    """Passes calls on, and counts them and the capacity they used. Its server has where to, as `target`, what was
    `counted`, and `changed`, which may change a request to DynamoDB."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # An answer leaves in one piece, so that a function takes the same steps to read it every time.
    wbufsize = 1 << 20

    def do_POST(self):
        counted = self.server.counted
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation:
            counted["dynamodb"] += 1
            counted[operation] += 1
            request = json.loads(body) | {"ReturnConsumedCapacity": "TOTAL"}
            body = json.dumps(self.server.changed(request)).encode()
        else:
            counted["stripe" if self.server.target == STRIPE else "ses"] += 1
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
        call = urllib.request.Request(self.server.target + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(call) as answer:
                status, answered, kind = answer.status, answer.read(), answer.headers["content-type"]
        except urllib.error.HTTPError as error:
            status, answered, kind = error.code, error.read(), error.headers["content-type"]
        if operation:
            self.count_capacity(operation, json.loads(answered))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answered)))
        self.end_headers()
        self.wfile.write(answered)

    do_GET = do_POST

    def count_capacity(self, operation, answer):
        used = answer.get("ConsumedCapacity") or []
        units = sum(it["CapacityUnits"] for it in (used if isinstance(used, list) else [used]))
        self.server.counted["read" if operation in READS else "write"] += units
        self.server.counted["items"] += len(answer.get("Items", [])) + ("Item" in answer)
        self.server.counted["items"] += sum(map(len, answer.get("Responses", {}).values()))

    def log_message(self, *_):
        pass


class Runtime(BaseHTTPRequestHandler):
    """The side of the Runtime API that hands out events."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 20

    def do_GET(self):
        self.server.idle.release()
        body = self.server.events.get()
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", str(uuid.uuid4()))
        self.send_header("lambda-runtime-deadline-ms", str(int((time.time() + 60) * 1000)))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:built")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        answer = self.rfile.read(int(self.headers["content-length"] or 0))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.answers.put((self.path, answer))

    def log_message(self, *_):
        pass


def serve(handler, **attributes):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    for name, value in attributes.items():
        setattr(server, name, value)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class World:
    """What the functions call: tables whose names begin with `prefix`, SES, and Stripe, with all calls `counted`."""

    def __init__(self, prefix, changed=lambda request: request):
        self.tables = {name: prefix + name for name in ("ProductsTable", "PurchasesTable", "OutboxTable")}
        self.counted = Counter()
        passing = {"counted": self.counted, "changed": changed}
        self.aws, self.stripe = (
            f"http://127.0.0.1:{serve(Passing, target=target, **passing).server_port}" for target in (AWS, STRIPE)
        )

    def make_tables(self):
        """A second set of the shop's tables, which only what is measured touches, with its products."""
        for name, copied in self.tables.items():
            table = dynamodb("DescribeTable", {"TableName": name})["Table"]
            indexes = [
                {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
                for index in table.get("GlobalSecondaryIndexes", [])
            ]
            wanted = {part: table[part] for part in ("KeySchema", "AttributeDefinitions")}
            wanted |= {"TableName": copied, "BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": indexes}
            dynamodb("CreateTable", wanted)
        for item in dynamodb("Scan", {"TableName": "ProductsTable"})["Items"]:
            dynamodb("PutItem", {"TableName": self.tables["ProductsTable"], "Item": item})

    def environment(self, name, runtime):
        return {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": name,
            "AWS_LAMBDA_LOG_STREAM_NAME": name,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self.aws,
            "TILL_STACK": "till",
            "TILL_MODE": "test",
            "LOG_LEVEL": "INFO",
            "SITE_URL": "https://shop.example.com",
            "SHOP_NAME": "Till",
            "EVENT_BUS": "shop-events",
            "FILES_BUCKET": "shop-files",
            "MAIL_FROM": "shop@example.com",
            "SELLER_EMAIL": "seller@example.com",
            "MAX_OPEN_PURCHASES": "10",
            "MAX_RESERVED_PIECES": "20",
            "DEVELOPER_EMAIL": "dev@example.com",
            "STRIPE_SECRET_KEY": "sk_test_local",
            "STRIPE_WEBHOOK_SECRETS": "whsec_local",
            "STRIPE_API_BASE": self.stripe,
            "PRODUCTS_TABLE": self.tables["ProductsTable"],
            "PURCHASES_TABLE": self.tables["PurchasesTable"],
            "OUTBOX_TABLE": self.tables["OutboxTable"],
        }


class Function:
    """A built function that is kept warm. `more` is added to its environment."""

    def __init__(self, name, world, **more):
        self.name, self.world = name, world
        self.runtime = serve(Runtime, events=queue.Queue(), answers=queue.Queue(), idle=threading.Semaphore(0))
        bootstrap = f"{BUILT}/{name.capitalize()}Function/bootstrap"
        if not os.path.exists(bootstrap):
            raise SystemExit(f"there is no {bootstrap}: run .ci/build first")
        self.process = subprocess.Popen(
            [bootstrap], env=world.environment(name, self.runtime) | more,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        atexit.register(self.end)
        self.logged = 0
        threading.Thread(target=self.read_log, daemon=True).start()
        self.used = Counter()
        self.calls = 0
        self.until_idle()

    def read_log(self):
        for line in self.process.stdout:
            self.logged += len(line)

    def until_idle(self):
        """Waits until it asks for work. Only then has it done everything that the last piece took."""
        assert self.runtime.idle.acquire(timeout=60), f"{self.name} does not ask for work"

    def processor(self):
        """Milliseconds."""
        threads = os.listdir(f"/proc/{self.process.pid}/task")
        return sum(int(open(f"/proc/{self.process.pid}/task/{it}/schedstat").read().split()[0]) for it in threads) / 1e6

    def call(self, event, measured=True):
        """Its answer to an event. What a measured call takes is added up in `used`."""
        before, processor, logged = self.world.counted.copy(), self.processor(), self.logged
        began = time.perf_counter()
        self.runtime.events.put(json.dumps(event).encode())
        path, answer = self.runtime.answers.get(timeout=60)
        took = (time.perf_counter() - began) * 1000
        assert path.endswith("/response"), answer
        answer = json.loads(answer) or {}
        assert answer.get("statusCode", 200) < 300, answer
        self.until_idle()
        if measured:
            self.calls += 1
            self.used += self.world.counted - before
            self.used["processor"] += self.processor() - processor
            self.used["logged"] += self.logged - logged
            self.used["took"] += took
        return answer

    def per_call(self, what):
        return self.used[what] / self.calls

    def end(self):
        self.process.kill()
        self.process.wait()


def dynamodb(operation, request, at=AWS):
    headers = {
        "x-amz-target": f"DynamoDB_20120810.{operation}",
        "content-type": "application/x-amz-json-1.0",
        "authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "x-amz-date": "20260101T000000Z",
    }
    call = urllib.request.Request(at, json.dumps(request).encode(), headers)
    with urllib.request.urlopen(call) as answer:
        return json.load(answer)


def sample(name, **replaced):
    """The event in `events/<name>.json`, about another purchase if one is given."""
    with open(f"events/{name}.json") as file:
        text = file.read()
    for old, new in replaced.items():
        text = text.replace({"purchase": "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57"}[old], new)
    return json.loads(text)


def settled(purchase, session, amount=None):
    """The event that Stripe sends when the session is paid: with this amount, or with that of a mug."""
    event = sample("webhook-completed-paid", purchase=purchase)
    told = json.loads(event["body"])
    told["id"] = f"evt_{uuid.uuid4().hex}"
    told["data"]["object"] |= {"id": session, "payment_intent": f"pi_{uuid.uuid4().hex}"}
    if amount is not None:
        told["data"]["object"] |= {"amount_total": amount, "amount_subtotal": amount}
    event["body"] = json.dumps(told)
    now = int(time.time())
    signature = hmac.new(b"whsec_local", f"{now}.{event['body']}".encode(), hashlib.sha256).hexdigest()
    event["headers"]["stripe-signature"] = f"t={now},v1={signature}"
    return event


def buy(functions, measured, at_checkout=lambda event: event):
    """What a buyer does, from the first page to the receipt. Returns the purchase's id."""
    functions["catalog"].call(sample("catalog-list"), measured)
    opened = json.loads(functions["checkout"].call(at_checkout(sample("checkout-ok")), measured)["body"])
    purchase = opened["purchase_id"]
    functions["webhook"].call(settled(purchase, opened["url"].rsplit("/", 1)[1]), measured)
    functions["mailer"].call(sample("mailer-stream", purchase=purchase), measured)
    functions["purchases"].call(sample("purchases-one", purchase=purchase), measured)
    return purchase
