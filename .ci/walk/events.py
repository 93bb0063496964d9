"""Buys in a local shop, and has the consumer in docs/unlock follow: what is posted to $EVENTS_URL is what a rule's target
gets, and its table is one in the shop's DynamoDB. Run by `events`, beside a shop."""

import http.server
import json
import os
import queue
import random
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

SHOP = os.environ["SHOP_URL"]
PORTS = [urllib.parse.urlsplit(os.environ[name]).port for name in ("SHOP_URL", "STRIPE_URL", "AWS_URL")]

os.environ |= {"UNLOCKED_TABLE": "unlocked", "AWS_ENDPOINT_URL_DYNAMODB": os.environ["AWS_URL"]}
sys.path.insert(0, "docs/unlock")
import app  # noqa: E402, it reads the environment

app.table.meta.client.create_table(
    TableName="unlocked",
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "purchase_id", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "purchase_id", "KeyType": "HASH"}],
)

# What came, in that order; and whether it is taken.
came, is_open = queue.Queue(), threading.Event()


class Target(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if is_open.is_set():
            came.put(event)
        self.send_response(204 if is_open.is_set() else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


def shown(what):
    print(f"ok      {what}", flush=True)


def call(path, token=None, body=None, form=None):
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode() if form else None
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    url = path if path.startswith("http") else SHOP + path
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return answer.read()


def till(*arguments):
    ports = [word for name, port in zip(("--port", "--stripe-port", "--aws-port"), PORTS) for word in (name, str(port))]
    command = [os.environ["CARGO_TARGET_DIR"] + "/debug/till", *arguments, *ports]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def settle():
    assert json.loads(call("/_local/settle", form={"": ""}))["settled"]


def events():
    """The types of what came since, after the consumer has taken it."""
    settle()
    types = []
    while not came.empty():
        event = came.get()
        types.append(event["detail-type"])
        app.handler(event, None)
    return types


def row(purchase):
    return app.table.get_item(Key={"purchase_id": purchase}, ConsistentRead=True).get("Item")


def buy(token, product):
    cart = {"items": [{"product_id": product, "quantity": 1}]}
    checkout = json.loads(call("/checkout", token, body=cart))
    card = {"card_number": "4242 4242 4242 4242", "exp": "12 / 34", "cvc": "123"}
    call(checkout["url"], form={"email": "ada@example.com", **card})
    return checkout["purchase_id"]


sample = json.load(open("docs/unlock/event.json"))
app.handler(sample, None)
assert row(sample["detail"]["subject"])["unlocked"] is True
shown("the sample event unlocks its purchase")

port = urllib.parse.urlsplit(os.environ["EVENTS_URL"]).port
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Target)
threading.Thread(target=server.serve_forever, daemon=True).start()
token = json.loads(call("/_local/token", form={"email": "ada@example.com"}))["access_token"]

purchase = buy(token, "sample-mug")
assert events() == [] and row(purchase) is None
is_open.set()
till("clock", "advance", "1h")
# The mailer's schedule goes by real minutes; publishing again need not wait for it.
till("events", "publish", purchase)
types = events()
assert types and set(types) == {"purchase.paid"}, types
unlocked = row(purchase)
assert unlocked["unlocked"] is True and unlocked["products"] == ["sample-mug"], unlocked
shown("what nobody takes is told again, and unlocks")

till("purchases", "fulfil", purchase, "--tracking", "AB 12", "--carrier", "Post")
assert "purchase.fulfilled" in events()
story = json.loads(till("purchases", "show", purchase, "--json"))
(parcel,) = story["purchase"]["parcels"]
assert parcel["tracking_number"] == "AB12" and parcel["carrier"] == "Post", parcel
shown("what is fulfilled is told")

(session,) = story["purchase"]["sessions"]
call(f"/_local/payments/{session['payment_intent']}/dispute", form={"kind": "chargeback"})
assert "purchase.disputed" in events() and row(purchase)["unlocked"] is False
(dispute,) = json.loads(till("purchases", "show", purchase, "--json"))["purchase"]["disputes"]
call(f"/_local/stripe/disputes/{dispute['id']}/won", form={"": ""})
assert "purchase.dispute_closed" in events() and row(purchase)["unlocked"] is True
shown("a dispute locks, and unlocks once it is won")

till("refund", purchase, "--yes")
assert "purchase.refunded" in events() and row(purchase)["unlocked"] is False
before = row(purchase)
till("events", "publish", purchase)
settle()
again = [came.get() for _ in range(came.qsize())]
# The first of all may come once more, now that it is due.
again = [event for event in again if event["detail"]["replay"]]
assert [event["detail-type"] for event in again][:2] == ["purchase.paid", "purchase.fulfilled"], again
assert len(again) == 5, again
random.Random(1).shuffle(again)
for event in again + again:
    app.handler(event, None)
assert row(purchase) == before
shown("a refund locks, and all of it again, twice and in any order, changes nothing")
