"""Measures what each request takes as a buyer, a shop and a cart grow. Run by `growth`.

What counts is the calls and the capacity units, which DynamoDB charges and limits, and the function's own processor
time. The milliseconds until the answer include this machine's engine, which is not DynamoDB."""

import argparse
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import plot
from built_functions import AWS, STRIPE, Function, World, dynamodb, sample, settled

ARGUMENTS = argparse.ArgumentParser(description="Measures what each request takes as everything grows")
ARGUMENTS.add_argument("--most", type=int, default=100_000, help="purchases of a buyer, at most (100000)")
ARGUMENTS.add_argument("--runs", type=int, default=15, help="how often each request is made (15)")
ARGUMENTS.add_argument("--plot", metavar="FILE", help="draw the ratios into an SVG file")

BUYER = "5b0c1c7e-6f0d-4b59-9a6e-3f1d2c4b5a69"
WARMING = 5
PRODUCTS = [1, 10, 100, 1_000, 10_000]
LINES = [1, 3, 10, 30, 60, 90]
EVENTS = 1_000
# Requests that are not drawn, because a chart has room for six lines; they are as flat as the others.
LEFT_OUT = {"GET /purchases?status=open", "GET /subscriptions", "GET /entitlements"}
COLUMNS = ("calls", "items", "read", "write", "processor", "took")


class Tables:
    """Writes items as fast as the engine takes them."""

    def __init__(self):
        address = urllib.parse.urlsplit(AWS)
        self.connection = http.client.HTTPConnection(address.hostname, address.port)

    def put(self, table, items):
        headers = {
            "x-amz-target": "DynamoDB_20120810.BatchWriteItem", "content-type": "application/x-amz-json-1.0",
            "x-amz-date": "20260101T000000Z",
            "authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        for start in range(0, len(items), 25):
            batch = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]}
            self.connection.request("POST", "/", json.dumps({"RequestItems": batch}), headers)
            answer = self.connection.getresponse()
            body = answer.read()
            assert answer.status == 200 and not json.loads(body).get("UnprocessedItems"), body


def measured(function, event, runs, before=lambda: None):
    """What one call takes, by name. `event` makes the event; `before` prepares, and is not measured."""
    function.used.clear()
    function.calls = 0
    took = []
    for number in range(WARMING + runs):
        before()
        earlier = function.used["took"]
        function.call(event(), number >= WARMING)
        took.append(function.used["took"] - earlier)
    function.used["calls"] = function.used["dynamodb"] + function.used["stripe"]
    found = {what: function.per_call(what) for what in COLUMNS}
    return found | {"took": sorted(took[WARMING:])[runs // 2]}


def body_of(event, **body):
    return event | {"body": json.dumps(body)}


def checkout(functions, *items):
    """The event of a checkout, under a new key."""
    event = sample("checkout-ok")
    return body_of(event, items=[{"product_id": product, "quantity": 1} for product in items])


def forget_holds(world):
    """Lets the buyer's limit on open purchases not get in the way."""
    key = {"pk": {"S": f"buyer#{BUYER}"}, "sk": {"S": "open"}}
    dynamodb("DeleteItem", {"TableName": world.tables["PurchasesTable"], "Key": key})


def bought(functions, *items):
    """A purchase that is paid, and the event that said so."""
    opened = json.loads(functions["checkout"].call(checkout(functions, *items), False)["body"])
    session = opened["url"].rsplit("/", 1)[1]
    event = settled(opened["purchase_id"], session, 1500 * len(items))
    return opened["purchase_id"], event


def rows_of(title, by, table):
    print(f"\n{title}\n")
    print(f"| {by} | | calls | items read | read units | write units | processor ms | ms | ratio |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in {name: None for row in table.values() for name in row}:
        smallest = next(row[name] for row in table.values() if name in row)
        for number, row in table.items():
            if name in row:
                it = row[name]
                cells = [f"{it[what]:.1f}".removesuffix(".0") for what in COLUMNS[:4]]
                print(f"| {number:,} | {name} | {' | '.join(cells)} | {it['processor']:.2f} | {it['took']:.1f} "
                      f"| {it['processor'] / smallest['processor']:.2f} |")


def with_purchases(world, functions, options):
    """Every route of a buyer with ever more purchases."""
    tables, table = Tables(), world.tables["PurchasesTable"]
    purchase, event = bought(functions, "sample-mug")
    functions["webhook"].call(event, False)
    key = {"pk": {"S": purchase}, "sk": {"S": "purchase"}}
    item = json.dumps(dynamodb("GetItem", {"TableName": table, "Key": key})["Item"])
    found, there, number = {}, 1, 1
    while number <= options.most:
        # Older than the first, as ids are times.
        old = (str(uuid.UUID(f"01900000-0000-7000-8000-{it:012x}")) for it in range(there, number))
        tables.put(table, [json.loads(item.replace(purchase, one)) for one in old])
        there = number
        forget_holds(world)
        pending = []

        def open_one():
            forget_holds(world)
            pending.append(bought(functions, "sample-mug"))

        one = sample("purchases-one", purchase=purchase)
        ask = lambda name, event, before=lambda: None: measured(functions[name], event, options.runs, before)
        forget = lambda: forget_holds(world)
        # The last ones add to the purchases, so what reads them comes first.
        found[number] = {
            "GET /purchases": ask("purchases", lambda: sample("purchases-list")),
            "GET /purchases?status=open": ask("purchases", lambda: sample("purchases-list-open"), forget),
            "GET /purchases/{id}": ask("purchases", lambda: one),
            "GET /subscriptions": ask("purchases", lambda: sample("purchases-subscriptions")),
            "GET /entitlements": ask("purchases", lambda: sample("purchases-entitlements")),
            "POST /checkout": ask("checkout", lambda: checkout(functions, "sample-mug"), forget),
            "POST /checkout, a trial": ask("checkout", lambda: checkout(functions, "sample-magazine"), forget),
            "POST …/cancel": ask("purchases", lambda: sample("purchases-cancel", purchase=pending.pop()[0]), open_one),
            "the webhook, paid": ask("webhook", lambda: pending.pop()[1], open_one),
        }
        number *= 10
    return found


def with_products(world, functions, options):
    tables, table = Tables(), world.tables["ProductsTable"]
    mug = dynamodb("GetItem", {"TableName": table, "Key": {"id": {"S": "sample-mug"}}})["Item"]
    for item in dynamodb("Scan", {"TableName": table})["Items"]:
        if item["id"]["S"] != "sample-mug":
            dynamodb("DeleteItem", {"TableName": table, "Key": {"id": item["id"]}})
    found, there = {}, 1
    for number in PRODUCTS:
        tables.put(table, [mug | {"id": {"S": f"product-{it}"}} for it in range(there, number)])
        there = number
        ask = lambda name, event, before=lambda: None: measured(functions[name], event, options.runs, before)
        one = sample("catalog-one")
        one["rawPath"], one["pathParameters"] = "/products/sample-mug", {"id": "sample-mug"}
        found[number] = {
            "GET /products": ask("catalog", lambda: sample("catalog-list")),
            "GET /products/{id}": ask("catalog", lambda: one),
            "POST /checkout": ask("checkout", lambda: checkout(functions, "sample-mug"), lambda: forget_holds(world)),
        }
    return found


def with_lines(world, functions, options):
    """Carts of ever more lines; there are products enough by now."""
    found = {}
    for number in LINES:
        wanted = [f"product-{it}" for it in range(1, number + 1)]
        pending, paid = [], []

        def open_one():
            forget_holds(world)
            pending.append(bought(functions, *wanted)[1])

        def pay_one():
            forget_holds(world)
            purchase, event = bought(functions, *wanted)
            functions["webhook"].call(event, False)
            paid.append(sample("mailer-stream", purchase=purchase))

        ask = lambda name, event, before=lambda: None: measured(functions[name], event, options.runs, before)
        forget = lambda: forget_holds(world)
        found[number] = {
            "POST /checkout": ask("checkout", lambda: checkout(functions, *wanted), forget),
            "the webhook, paid": ask("webhook", lambda: pending.pop(), open_one),
            "the mailer": ask("mailer", lambda: paid.pop(), pay_one),
            "GET /purchases": ask("purchases", lambda: sample("purchases-list")),
        }
    return found


def pay_at_stripe(url):
    card = {"method": "card", "card_number": "4242424242424242", "exp": "12 / 40", "cvc": "123"}
    form = card | {"email": "ada@example.com"}

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        urllib.request.build_opener(Stay).open(url, urllib.parse.urlencode(form).encode())
    except urllib.error.HTTPError as answer:
        assert answer.code == 303, answer.read()


def running(prefix, *names):
    """Tables of their own, and these functions."""
    world = World(prefix)
    world.make_tables()
    return world, {name: Function(name, world) for name in names}


def reconciling():
    """What a thousand events that no webhook reported take, and the same once they are known."""
    world, functions = running("Reconciling", "checkout", "reconcile")
    for _ in range(EVENTS):
        forget_holds(world)
        opened = json.loads(functions["checkout"].call(checkout(functions, "sample-mug"), False)["body"])
        pay_at_stripe(opened["url"])
    # Younger events are left to their delivery.
    time.sleep(70)
    print(f"\nReconcile, {EVENTS:,} payments:\n")
    print("| | calls to Stripe | calls to DynamoDB | read units | write units | processor ms | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    # Every run begins an hour before the last one's newest event, so it meets most events once more.
    for name in ("that no webhook reported", "that are known"):
        function = functions["reconcile"]
        function.used.clear()
        function.calls = 0
        function.call(sample("reconcile-schedule"))
        it = function.used
        print(f"| {name} | {it['stripe']} | {it['dynamodb']} | {it['read']:.0f} | {it['write']:.0f} "
              f"| {it['processor']:.0f} | {it['took'] / 1000:.1f} |")


def draw(path, tables):
    charts = []
    for title, by, table, what in tables:
        smallest = next(iter(table.values()))
        lines = {name: [] for name in smallest if name not in LEFT_OUT}
        for name, line in lines.items():
            for number, row in table.items():
                ratio = row[name]["processor"] / smallest[name]["processor"]
                line.append((number, ratio if what == "ratio" else row[name][what]))
        label = {"ratio": "processor time, ratio to the smallest", "read": "read units"}[what]
        charts.append(plot.Panel(title, by, label, lines, y_most=4 if what == "ratio" else 0))
    plot.panels(path, "What requests take as a buyer, a shop and a cart grow", charts)


def main():
    options = ARGUMENTS.parse_args()
    # First, while Stripe has no other events.
    reconciling()
    world, functions = running("Growth", "catalog", "checkout", "webhook", "mailer", "purchases")
    purchases = with_purchases(world, functions, options)
    rows_of("A buyer's purchases:", "purchases", purchases)
    products = with_products(world, functions, options)
    rows_of("Products for sale:", "products", products)
    lines = with_lines(world, functions, options)
    rows_of("A cart's lines:", "lines", lines)
    if options.plot:
        draw(options.plot, [
            ("A buyer's purchases", "purchases", purchases, "ratio"), ("Products for sale", "products", products, "ratio"),
            ("A cart's lines", "lines", lines, "ratio"), ("A cart's lines", "lines", lines, "read"),
        ])


main()
