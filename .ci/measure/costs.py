"""Measures what a purchase makes each function do, and multiplies that by AWS's prices. Run by `costs`.

The functions in `.aws-sam/build` run against the tables and the Stripe of a local shop. The processor
time they take, their calls, and the capacity that DynamoDB says it used are counted. What cannot be
measured here, how long AWS and Stripe take to answer, is assumed below and can be changed.

    costs.py [--without-holds]

With the flag, what a buyer holds is left out of the transactions, which shows what counting it costs."""

import copy
import hashlib
import hmac
import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from samtranslator.yaml_helper import yaml_parse

WITHOUT_HOLDS = "--without-holds" in sys.argv
PURCHASES = 10_000
RUNS = 200

# What a buyer does, from the first page to the receipt: calls to each function.
WALK = {"catalog": 4, "checkout": 1, "webhook": 1, "mailer": 1, "purchases": 4}

# Assumed: milliseconds until an answer, from a function in the same region.
WAIT = {"dynamodb": 8, "stripe": 500, "ses": 80}
# 1769 MB of memory come with one processor, less with a proportional share of it.
MEMORY_MB = 256
SHARE = MEMORY_MB / 1769
# Assumed: one call in this many meets a new instance, which takes this long to start.
COLD_ONE_IN, COLD_MS = 10, 150

# US East (N. Virginia), USD, without free tiers.
PRICE = {
    "Lambda, arm64: GB-second": 0.0000133334,
    "Lambda: request": 0.20e-6,
    "DynamoDB: write unit": 0.625e-6,
    "DynamoDB: read unit": 0.125e-6,
    "HTTP API: request": 1.00e-6,
    "SES: mail": 0.10e-3,
    "CloudWatch Logs: GB taken in": 0.50,
}
ALARM_METRIC = 0.10  # a month
MONTH_MINUTES = 30 * 24 * 60

SHOP, STRIPE, AWS = (os.environ[name] for name in ("SHOP_URL", "STRIPE_URL", "AWS_URL"))
TABLES = {name: f"Costs{name}" for name in ("ProductsTable", "PurchasesTable", "OutboxTable")}

counted = Counter()


class Counting(BaseHTTPRequestHandler):
    """Passes calls on to DynamoDB and SES, and counts them and the capacity they used."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        target = self.headers.get("x-amz-target", "")
        if target:
            counted["dynamodb"] += 1
            request = json.loads(body) | {"ReturnConsumedCapacity": "TOTAL"}
            if WITHOUT_HOLDS and "TransactItems" in request:
                request["TransactItems"] = [it for it in request["TransactItems"] if "buyer#" not in json.dumps(it)]
            body = json.dumps(request).encode()
        else:
            counted["ses"] += 1
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
        try:
            with urllib.request.urlopen(urllib.request.Request(AWS + self.path, body, headers)) as answer:
                status, answered, kind = answer.status, answer.read(), answer.headers["content-type"]
        except urllib.error.HTTPError as error:
            status, answered, kind = error.code, error.read(), error.headers["content-type"]
        if target:
            used = json.loads(answered).get("ConsumedCapacity") or []
            units = sum(it["CapacityUnits"] for it in (used if isinstance(used, list) else [used]))
            verb = target.split(".")[1]
            counted["read" if verb in ("GetItem", "Query", "BatchGetItem") else "write"] += units
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answered)))
        self.end_headers()
        self.wfile.write(answered)

    def log_message(self, *_):
        pass


class Runtime(BaseHTTPRequestHandler):
    """The side of the Runtime API that hands out events."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.events.get()
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", str(uuid.uuid4()))
        self.send_header("lambda-runtime-deadline-ms", str(int((time.time() + 60) * 1000)))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:costs")
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


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Function:
    """A built function that is kept warm."""

    def __init__(self, name, counting):
        self.name = name
        self.runtime = serve(Runtime)
        self.runtime.events, self.runtime.answers = queue.Queue(), queue.Queue()
        aws = f"http://127.0.0.1:{counting.server_port}"
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.runtime.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": name,
            "AWS_LAMBDA_LOG_STREAM_NAME": name,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": aws,
            "TILL_STACK": "till",
            "TILL_MODE": "test",
            "LOG_LEVEL": "INFO",
            "SITE_URL": "https://shop.example.com",
            "SHOP_NAME": "Till",
            "MAIL_FROM": "shop@example.com",
            "SELLER_EMAIL": "seller@example.com",
            "MAX_OPEN_PURCHASES": "10",
            "MAX_RESERVED_PIECES": "20",
            "DEVELOPER_EMAIL": "dev@example.com",
            "STRIPE_SECRET_KEY": "sk_test_local",
            "STRIPE_WEBHOOK_SECRETS": "whsec_local",
            "STRIPE_API_BASE": STRIPE,
            "PRODUCTS_TABLE": TABLES["ProductsTable"],
            "PURCHASES_TABLE": TABLES["PurchasesTable"],
            "OUTBOX_TABLE": TABLES["OutboxTable"],
        }
        binary = f".aws-sam/build/{name.capitalize()}Function/bootstrap"
        self.process = subprocess.Popen([binary], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.logged = 0
        threading.Thread(target=self.read_log, daemon=True).start()
        self.used = Counter()
        self.calls = 0

    def read_log(self):
        for line in self.process.stdout:
            self.logged += len(line)

    def processor(self):
        """Milliseconds."""
        threads = os.listdir(f"/proc/{self.process.pid}/task")
        return sum(int(open(f"/proc/{self.process.pid}/task/{it}/schedstat").read().split()[0]) for it in threads) / 1e6

    def call(self, event, measured):
        before, processor, logged = copy.copy(counted), self.processor(), self.logged
        self.runtime.events.put(json.dumps(event).encode())
        path, answer = self.runtime.answers.get(timeout=60)
        assert path.endswith("/response"), answer
        answer = json.loads(answer) or {}
        assert answer.get("statusCode", 200) < 300, answer
        if measured:
            self.calls += 1
            self.used += counted - before
            self.used["processor"] += self.processor() - processor
            self.used["logged"] += self.logged - logged
        return answer

    def per_call(self, what):
        return self.used[what] / self.calls


def dynamodb(operation, request, at=AWS):
    headers = {
        "x-amz-target": f"DynamoDB_20120810.{operation}",
        "content-type": "application/x-amz-json-1.0",
        "authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "x-amz-date": "20260101T000000Z",
    }
    call = urllib.request.Request(at, json.dumps(request).encode(), headers)
    return json.load(urllib.request.urlopen(call))


def make_tables():
    """A second set of the shop's tables, which only what is measured touches."""
    for name, copied in TABLES.items():
        table = dynamodb("DescribeTable", {"TableName": name})["Table"]
        indexes = [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in table.get("GlobalSecondaryIndexes", [])
        ]
        wanted = {part: table[part] for part in ("KeySchema", "AttributeDefinitions")}
        wanted |= {"TableName": copied, "BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": indexes}
        dynamodb("CreateTable", wanted)
    for item in dynamodb("Scan", {"TableName": "ProductsTable"})["Items"]:
        dynamodb("PutItem", {"TableName": TABLES["ProductsTable"], "Item": item})


def sample(name, **replaced):
    text = open(f"events/{name}.json").read()
    for old, new in replaced.items():
        text = text.replace({"purchase": "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57"}[old], new)
    return json.loads(text)


def settled(purchase, session):
    """The event that Stripe sends when the session is paid."""
    event = sample("webhook-completed-paid", purchase=purchase)
    told = json.loads(event["body"])
    told["id"] = f"evt_{uuid.uuid4().hex}"
    told["data"]["object"] |= {"id": session, "payment_intent": f"pi_{uuid.uuid4().hex}"}
    event["body"] = json.dumps(told)
    now = int(time.time())
    signature = hmac.new(b"whsec_local", f"{now}.{event['body']}".encode(), hashlib.sha256).hexdigest()
    event["headers"]["stripe-signature"] = f"t={now},v1={signature}"
    return event


def alarm_metrics():
    """An alarm is billed by the metrics it looks at."""
    resources = yaml_parse(open("template.yaml").read())["Resources"].values()
    alarms = [it["Properties"] for it in resources if it["Type"] == "AWS::CloudWatch::Alarm"]
    return sum(sum("MetricStat" in str(it) for it in alarm.get("Metrics", [])) or 1 for alarm in alarms)


def walk(functions, measured):
    functions["catalog"].call(sample("catalog-list"), measured)
    opened = json.loads(functions["checkout"].call(sample("checkout-ok"), measured)["body"])
    purchase = opened["purchase_id"]
    functions["webhook"].call(settled(purchase, opened["url"].rsplit("/", 1)[1]), measured)
    functions["mailer"].call(sample("mailer-stream", purchase=purchase), measured)
    functions["purchases"].call(sample("purchases-one", purchase=purchase), measured)


def main():
    make_tables()
    counting = serve(Counting)
    functions = {name: Function(name, counting) for name in WALK}
    for number in range(RUNS + 20):
        walk(functions, measured=number >= 20)
    functions["checkout"].used["stripe"] = functions["checkout"].calls

    print(f"Per call, measured over {RUNS} purchases; waiting as assumed: {WAIT}\n")
    print("| function | calls | processor ms | DynamoDB calls | read units | write units | billed ms | log bytes |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    spent = Counter()
    for name, calls in WALK.items():
        of = functions[name].per_call
        waiting = sum(of(who) * wait for who, wait in WAIT.items())
        billed = of("processor") / SHARE + waiting + COLD_MS / COLD_ONE_IN
        print(
            f"| {name} | {calls} | {of('processor'):.1f} | {of('dynamodb'):.1f} | {of('read'):.1f} "
            f"| {of('write'):.1f} | {billed:.0f} | {of('logged'):.0f} |"
        )
        calls *= PURCHASES
        spent["Lambda, arm64: GB-second"] += calls * billed / 1000 * MEMORY_MB / 1024
        spent["Lambda: request"] += calls
        spent["DynamoDB: read unit"] += calls * of("read")
        spent["DynamoDB: write unit"] += calls * of("write")
        # With what Lambda itself writes about each call.
        spent["CloudWatch Logs: GB taken in"] += calls * (of("logged") + 900) / 1e9
        if name in ("catalog", "checkout", "purchases"):
            spent["HTTP API: request"] += calls
            # One line of the access log.
            spent["CloudWatch Logs: GB taken in"] += calls * 250 / 1e9
    spent["SES: mail"] = PURCHASES
    print(f"\n| for {PURCHASES:,} purchases | quantity | price, USD | USD |\n| --- | --: | --: | --: |")
    total = 0
    for what, price in PRICE.items():
        total += spent[what] * price
        print(f"| {what} | {spent[what]:,.2f} | {price:.10g} | {spent[what] * price:.2f} |")
    print(f"| **together** | | | **{total:.2f}** |")

    # What there is to pay when nobody buys: the mailer checks every minute whether mail is due.
    minutely = Function("mailer", counting)
    for number in range(RUNS + 20):
        minutely.call(sample("mailer-schedule"), measured=number >= 20)
    billed = minutely.per_call("processor") / SHARE + minutely.per_call("dynamodb") * WAIT["dynamodb"]
    looking = MONTH_MINUTES * (
        billed / 1000 * MEMORY_MB / 1024 * PRICE["Lambda, arm64: GB-second"]
        + PRICE["Lambda: request"]
        + minutely.per_call("read") * PRICE["DynamoDB: read unit"]
        + (minutely.per_call("logged") + 900) / 1e9 * PRICE["CloudWatch Logs: GB taken in"]
    )
    alarms = alarm_metrics()
    print("\n| a month, however much is sold | quantity | USD |\n| --- | --: | --: |")
    print(f"| the mailer's check, once a minute, {billed:.0f} ms | {MONTH_MINUTES:,} | {looking:.2f} |")
    print(f"| metrics that alarms watch | {alarms} | {alarms * ALARM_METRIC:.2f} |")


main()
