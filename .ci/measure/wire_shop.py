"""What the functions talk to in a measurement, as far as their jobs go, and the events that they are given.

The tables keep what is put, and refuse what the conditions of puts forbid: that an item is not there yet, and that
its version is the one read. Updates change nothing, and queries find what a job needs. So a job that does not do its
durable work is noticed, but this is no DynamoDB; that the functions are right is for the tests to say.
"""

import collections
import hashlib
import hmac
import json
import re
import time
import urllib.parse
from pathlib import Path

from wire_line import answer

ROOT = Path(__file__).resolve().parents[2]
SIGNING_SECRET = "whsec_wire"
SECRETS = {"/till/stripe-secret-key": "sk_test_wire", "/till/stripe-webhook-secrets": SIGNING_SECRET}
# An open session at Stripe, with as much in its answer as there is at Stripe.
JSON = "content-type: application/x-amz-json-1.0"
CONDITION = "ConditionalCheckFailed"
ID = r"^(cs_\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"


def sample(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


class Tables:
    """DynamoDB."""

    def __init__(self):
        self.items, self.refused, self.asked = {}, 0, []
        mug = {"id": "sample-mug", "name": "Mug", "description": "Holds a quarter of a litre.", "catalog": "catalog"}
        self.product = {name: {"S": value} for name, value in mug.items()}
        self.product |= {"images": {"L": [{"S": "https://shop.example.com/mug.svg"}]}, "active": {"BOOL": True}}
        self.product["price"] = {"M": {"amount": {"N": "1500"}, "currency": {"S": "usd"}}}

    @staticmethod
    def place(table, item):
        return (table, *(item[name]["S"] for name in ("pk", "sk", "id") if name in item and (name != "id" or "pk" not in item)))

    def found(self, table, key):
        if table == "products":
            return self.product
        return self.items.get(self.place(table, key))

    def answered(self, request):
        asked = json.loads(request.body)
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        self.asked.append((operation, asked))
        status, said = getattr(self, operation)(asked)
        return answer(status, json.dumps(said).encode(), JSON, "x-amzn-requestid: WIRE")

    def GetItem(self, asked):
        item = self.found(asked["TableName"], asked["Key"])
        return 200, {"Item": item} if item else {}

    def BatchGetItem(self, asked):
        found = {table: [item for key in of["Keys"] if (item := self.found(table, key))]
                 for table, of in asked["RequestItems"].items()}
        return 200, {"Responses": found, "UnprocessedKeys": {}}

    def Query(self, asked):
        items = [self.product] * 20 if asked["TableName"] == "products" else []
        return 200, {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def UpdateItem(self, asked):
        item = self.found(asked["TableName"], asked["Key"])
        return 200, {"Attributes": item} if asked.get("ReturnValues") == "ALL_NEW" else {}

    def DescribeTable(self, asked):
        return 200, {"Table": {"TableName": asked["TableName"], "CreationDateTime": time.time() - 3600}}

    def PutItem(self, asked):
        self.items[self.place(asked["TableName"], asked["Item"])] = asked["Item"]
        return 200, {}

    def TransactWriteItems(self, asked):
        puts = [part.get("Put") for part in asked["TransactItems"]]
        reasons = [{"Code": "None" if put is None or self.allowed(put) else CONDITION} for put in puts]
        if any(reason["Code"] == CONDITION for reason in reasons):
            self.refused += 1
            kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
            return 400, {"__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons}
        for put in filter(None, puts):
            self.items[self.place(put["TableName"], put["Item"])] = put["Item"]
        return 200, {}

    def allowed(self, put):
        there = self.found(put["TableName"], put["Item"])
        condition = put.get("ConditionExpression", "")
        if condition.startswith("attribute_not_exists"):
            return there is None
        if condition == "version = :version":
            return there is not None and there["version"] == put["ExpressionAttributeValues"][":version"]
        return True


def members(asked):
    """What requests are made of: how often each place and type of a member was sent, whatever its value."""
    return collections.Counter(f"{what} {place}" for what, body in asked for place in places(body))


def places(value, path=""):
    if path.endswith(".detail.S"):
        # An event for other systems: JSON in a text.
        value = json.loads(value)
    if isinstance(value, dict):
        for name, member in value.items():
            # Sessions and holds are members by their ids.
            yield from places(member, f"{path}.{re.sub(ID, 'ID', name)}")
    elif isinstance(value, list):
        for member in value:
            yield from places(member, path)
    else:
        told = path.endswith(("TableName", "Expression", "ConsistentRead", "keyed by its purchase"))
        yield f"{path}={value}" if told else path


def parameter_store(request):
    asked = json.loads(request.body)
    parameter = {"Name": asked["Name"], "Type": "SecureString", "Value": SECRETS[asked["Name"]]}
    return answer(200, json.dumps({"Parameter": parameter}).encode(), "content-type: application/x-amz-json-1.1")


def ses(_):
    sent = '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>wire' \
        "</MessageId></SendEmailResult><ResponseMetadata><RequestId>wire</RequestId></ResponseMetadata></SendEmailResponse>"
    return answer(200, sent.encode(), "content-type: text/xml")


class Stripe:
    """Stripe: opens sessions, and lists nothing."""

    def __init__(self):
        event = json.loads(sample("webhook-completed-paid")["body"])
        self.session = event["data"]["object"] | {"status": "open", "payment_status": "unpaid", "payment_intent": None}
        self.opened, self.asked = 0, []

    def answered(self, request):
        if request.method == "POST":
            self.opened += 1
            form = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))
            # Stripe's libraries make up a key where they are given none; then a second try could open a second session.
            keyed = request.headers.get("idempotency-key", "").startswith(form["client_reference_id"])
            self.asked.append((f"POST {request.path}", form | {"keyed by its purchase": keyed}))
            said = self.session | {"id": f"cs_test_{self.opened:060}", "url": f"https://checkout.stripe.com/c/pay/{self.opened}"}
        else:
            said = {"object": "list", "data": [], "has_more": False, "url": request.path}
        return answer(200, json.dumps(said, indent=2).encode(), "content-type: application/json", "request-id: req_wire")


class Events:
    """The events of each job, never the same one twice."""

    def __init__(self):
        self.serial = 0
        self.list_request, self.checkout_request = sample("catalog-list"), sample("checkout-idempotent")
        self.purchase_request, self.delivery = sample("purchases-one"), sample("webhook-completed-paid")
        self.stream, self.schedule = sample("mailer-stream"), sample("reconcile-schedule")
        self.purchases = []

    def of(self, job):
        self.serial += 1
        return json.dumps(getattr(self, job)(self.serial)).encode()

    def hello(self, _):
        return self.list_request

    def catalog(self, _):
        return self.list_request

    def next_purchase(self, serial):
        return self.purchases[serial % len(self.purchases)]

    @staticmethod
    def signed_in(request, buyer):
        request["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = buyer

    def checkout(self, serial):
        request = self.checkout_request
        self.signed_in(request, f"buyer-{serial:031}")
        request["headers"]["idempotency-key"] = f"key-{serial:032}"
        return request

    def purchases_(self, serial):
        request, purchase = self.purchase_request, self.next_purchase(serial)
        self.signed_in(request, purchase["buyer"])
        request["pathParameters"] = {"id": purchase["id"]}
        request["rawPath"] = f"/purchases/{purchase['id']}"
        return request

    def webhook(self, serial):
        purchase = self.next_purchase(serial)
        event = json.loads(sample("webhook-completed-paid")["body"])
        session = event["data"]["object"]
        event["id"] = f"evt_{serial:024}"
        session |= {"id": purchase["session"], "payment_intent": f"pi_{serial:024}", "client_reference_id": purchase["id"]}
        session["metadata"] |= {"purchase_id": purchase["id"], "buyer": purchase["buyer"]}
        body, at = json.dumps(event, indent=2), int(time.time())
        signature = hmac.new(SIGNING_SECRET.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        self.delivery["body"] = body
        self.delivery["headers"]["stripe-signature"] = f"t={at},v1={signature}"
        return self.delivery

    def mailer(self, serial):
        change = self.stream["Records"][0]["dynamodb"]
        change["Keys"]["id"]["S"] = change["NewImage"]["id"]["S"] = f"{self.next_purchase(serial)['id']}#paid"
        return self.stream

    def reconcile(self, _):
        return self.schedule
