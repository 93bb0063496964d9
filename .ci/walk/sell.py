"""Buys something in the shop that was deployed to ministack, and rehearses it. Run by `sell`."""

import atexit
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import boto3
from botocore.exceptions import ClientError

from deployed import (
    BUYER, STRIPE, api, call, cognito, deliver, dynamodb, form, function_url, invoke, mails, outputs, pay, resources,
    route_api, sign_in, ssm, until,
)

TILL = sys.argv[1]


def shown(what):
    print(f"ok      {what}", flush=True)


def logged(name):
    events = boto3.client("logs").filter_log_events(logGroupName=resources[f"{name}Logs"])["events"]
    return "\n".join(event["message"] for event in events)


@functools.cache
def as_function(name):
    """AWS, as somebody who may do what the function's role may."""
    iam, role = boto3.client("iam"), resources[f"{name}Role"]
    iam.create_user(UserName=name)
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"].startswith("AccessDenied"), error
        return True
    return False


def listen(bus):
    """A queue that gets whatever the shop publishes on its bus."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="told", EventBusName=bus, EventPattern=json.dumps({"source": ["till"]}))
    events.put_targets(Rule="told", EventBusName=bus, Targets=[{"Id": "told", "Arn": arn}])

    def told():
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return told


def sell(product, name, amount, **more):
    price = {"M": {"amount": {"N": str(amount)}, "currency": {"S": "usd"}}}
    dynamodb.put_item(TableName=outputs["ProductsTable"], Item={
        "id": {"S": product}, "catalog": {"S": "catalog"}, "name": {"S": name}, "description": {"S": ""},
        "images": {"L": []}, "price": price, "active": {"BOOL": True}, **more,
    })


def change_product(what):
    """As a transaction that checkout and webhook write changes one."""
    return [{"Update": {
        "TableName": outputs["ProductsTable"], "Key": {"id": {"S": "mug"}},
        "UpdateExpression": f"SET {what} = :value", "ExpressionAttributeValues": {":value": {"N": "1"}},
    }}]


invoke("ReconcileFunction", "reconcile-schedule")
log = until("log of reconcile", lambda: logged("Reconcile"))
assert "the shop is not set up yet" in log and not re.search('"level":"(WARN|ERROR)"|"metric"', log), log
shown("before the shop is set up, reconcile waits, and its log has nothing that an alarm would count")

ssm.put_parameter(Name=outputs["StripeSecretKeyParameter"], Value="sk_test_local", Type="SecureString")
ssm.put_parameter(Name=outputs["StripeWebhookSecretsParameter"], Value="whsec_local", Type="SecureString")
sell("mug", "Mug", 1500)
route_api()

status, found = api("GET", "/products")
assert status == 200 and [product["id"] for product in found["products"]] == ["mug"], (status, found)
assert api("GET", "/products/mug")[0] == 200
shown("anybody can see what is for sale")

told = listen(outputs["EventBus"])
cart = {"items": [{"product_id": "mug", "quantity": 2}]}
assert api("POST", "/checkout", body=cart)[0] == 401
assert api("POST", "/checkout", token="ey.ey.ey", body=cart)[0] == 401
token = sign_in()
shown("a buyer signs in with a code and PKCE; the API turns others away")

status, checkout = api("POST", "/checkout", token, cart)
assert status == 201, (status, checkout)
shown("checkout opens a session at Stripe with the key from Parameter Store")

event = pay(checkout)
assert deliver(event, "whsec_another")[0] == 400
status, _, text = deliver(event)
assert status == 200, (status, text)
shown("webhook takes the event, and none with another's signature")

for query in ("?q=a+b", "?q=a%20b%22%3C%0D"):
    status, _, text = call("POST", function_url(query), b"{}")
    assert status == 400 and json.loads(text)["type"] == "urn:till:problem:bad-signature", (status, text)
shown("webhook has an answer whatever is in the query")

status, purchase = api("GET", f"/purchases/{checkout['purchase_id']}", token)
assert status == 200 and purchase["status"] == "paid", (status, purchase)
assert purchase["total"] == {"amount": 3000, "currency": "usd"}, purchase
status, history = api("GET", "/purchases", token)
assert status == 200 and [one["id"] for one in history["purchases"]] == [checkout["purchase_id"]], (status, history)
shown("the purchase is paid and in the buyer's history")

def both_mails():
    sent = mails(checkout["purchase_id"])
    return sent if len(sent) > 1 else None


sent = until("two mails", both_mails)
assert all(mail["To"] == ["dev@example.com"] and "Mug" in mail["BodyText"] for mail in sent), sent
subjects = sorted(mail["Subject"] for mail in sent)
assert "receipt" in subjects[0] and "for seller@example.com] Sold for" in subjects[1], subjects
shown("the outbox's stream wakes mailer, which sends the receipt, and tells the seller of the sale")

(event,) = until("event", told)
assert event["detail-type"] == "purchase.paid" and event["source"] == "till", event
assert event["detail"]["id"] == f"{checkout['purchase_id']}#paid", event
assert event["detail"]["purchase"]["status"] == "paid" and BUYER not in json.dumps(event), event
shown("mailer tells other systems by the stack's bus, without the buyer's address")

invoke("ReconcileFunction", "reconcile-schedule")
invoke("MailerFunction", "mailer-schedule")
sent = [mail["Subject"] for mail in mails(checkout["purchase_id"])]
assert len(sent) == 2, sent
shown("reconcile and mailer run by schedule, and do nothing twice")

with tempfile.TemporaryDirectory() as folder:
    atlas, picture = pathlib.Path(folder) / "Grüße & Atlas.pdf", pathlib.Path(folder) / "atlas.png"
    atlas.write_text("the whole atlas")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    sell("atlas", "Atlas", 900)
    for what in (["file", "push", atlas], ["images", "push", picture]):
        subprocess.run([TILL, "products", *what, "--product", "atlas", "--stack", "till", "--yes"], check=True)
(image,) = api("GET", "/products/atlas")[1]["images"]
shown_at = image.removeprefix(outputs["SiteAddress"] + "/")
stored = boto3.client("s3").head_object(Bucket=outputs["SiteBucket"], Key=shown_at)
assert stored["ContentType"] == "image/png" and "immutable" in stored["CacheControl"], stored
status, checkout = api("POST", "/checkout", token, {"items": [{"product_id": "atlas", "quantity": 1}]})
assert status == 201, (status, checkout)
path = f"/purchases/{checkout['purchase_id']}"
assert "downloads" not in api("GET", path, token)[1]
event = pay(checkout)
assert deliver(event)[0] == 200
(download,) = api("GET", path, token)[1]["downloads"]
status, headers, text = call("GET", download["url"])
assert (status, text) == (200, "the whole atlas"), (status, text)
assert headers["Content-Disposition"].endswith("filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%26%20Atlas.pdf"), headers
assert call("GET", download["url"].split("?")[0])[0] == 403 or os.environ.get("AUTH") != "true"
intent = form(payment_intent=event["data"]["object"]["payment_intent"])
refund = {"Authorization": "Bearer sk_test_local", "Content-Type": "application/x-www-form-urlencoded"}
status, _, text = call("POST", f"{STRIPE}/v1/refunds", intent, refund)
assert status == 200, text
events = json.loads(call("GET", f"{STRIPE}/v1/events?limit=10", headers=refund)[2])["data"]
for event in events:
    if event["type"].startswith(("refund.", "charge.refund")):
        assert deliver(event)[0] == 200
status, purchase = api("GET", path, token)
assert purchase["status"] == "refunded" and "downloads" not in purchase, purchase
shown("a file in the private bucket is downloaded by who has paid for it, and no more after a refund")

# --- The dashboard ---


class Dashboard:
    """`till dashboard`, opened by somebody with the permissions that docs/OPERATIONS.md names."""

    def __init__(self, user, *without):
        (document,) = re.findall(r"(?s)```json\n(.*?)```", pathlib.Path("docs/OPERATIONS.md").read_text())
        document = json.loads(document)
        document["Statement"] = [it for it in document["Statement"] if it["Sid"] not in without]
        iam = boto3.client("iam")
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="dashboard", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        self.process = subprocess.Popen(
            [TILL, "dashboard", "--stack", "till", "--listen", "0", "--json"], stdout=subprocess.PIPE, text=True,
            env=os.environ | {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                "STRIPE_API_BASE": STRIPE,
            },
        )
        atexit.register(self.process.kill)
        told = ""
        while "}" not in told:
            line = self.process.stdout.readline()
            assert line, "the dashboard ended"
            told += line
        # Not every system's resolver knows this name, as browsers do.
        entrance = json.loads(told)["url"].replace("till.localhost", "127.0.0.1")
        self.origin = entrance.split("/enter")[0]
        status, headers, _ = call("GET", entrance)
        assert status == 303, status
        self.cookie = headers["Set-Cookie"].split(";")[0]

    def get(self, path):
        status, _, text = call("GET", self.origin + path, headers={"Cookie": self.cookie})
        assert status == 200, (path, status, text)
        return text if path == "/" else json.loads(text)

    def post(self, path, **fields):
        status, _, text = call("POST", self.origin + path, form(**fields), {
            "Cookie": self.cookie, "Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded",
        })
        return status, json.loads(text)

    def close(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0


dashboard = Dashboard("seller")
assert call("GET", dashboard.origin + "/purchases.json")[0] == 403
assert "till · test mode · us-east-1" in dashboard.get("/")
stands = {purchase["status"] for purchase in dashboard.get("/purchases.json")["purchases"]}
assert stands == {"paid", "refunded"}, stands
(sold,) = (one["id"] for one in dashboard.get("/purchases.json")["purchases"] if one["status"] == "paid")
story = dashboard.get(f"/purchases/{sold}")
kinds = [moment["kind"] for moment in story["timeline"]]
assert kinds[:2] == ["request", "attempt"] and {"event", "mail", "publication"} <= set(kinds), kinds
session = story["purchase"]["sessions"][0]["id"]
for wanted in (session, sold[-8:], BUYER, story["events"][0]["id"]):
    assert sold in [hit["id"] for hit in dashboard.get(f"/search.json?{form(q=wanted).decode()}")["found"]], wanted
alarms = dashboard.get("/alarms.json")["alarms"]
assert len(alarms) > 10 and all(alarm["name"].startswith("till-") and alarm["state"] for alarm in alarms), alarms
assert {one["id"] for one in dashboard.get("/products.json")["products"]} == {"mug", "atlas"}
assert dashboard.get("/sales.json")["sales"]["together"][0]["net"]["text"] == "30.00 USD"
assert dashboard.get("/parked.json")["events"] == [] and dashboard.get("/mails.json")["mails"] == []
preview = dashboard.get(f"/payments/{sold}/refund?currency=usd&amount=5.00")
assert preview["leaves"]["text"] == "25.00 USD" and not preview["live"], preview
status, made = dashboard.post(f"/payments/{sold}/refund", currency="usd", amount="5.00", key=preview["key"])
assert status == 200 and made["amount"]["text"] == "5.00 USD", (status, made)
status, findings = dashboard.post("/reconcile")
assert status == 200, (status, findings)
status, found = dashboard.post("/doctor")
assert status == 200 and len(found["findings"]) > 10, (status, found)
dashboard.close()
status, purchase = api("GET", f"/purchases/{sold}", token)
assert purchase["status"] == "partially_refunded", purchase
shown("with the permissions that the docs name, the dashboard shows, searches and refunds")
if os.environ.get("AUTH") == "true":
    dashboard = Dashboard("visitor", "Act", "Key")
    assert dashboard.get("/purchases.json")["purchases"]
    status, said = dashboard.post("/mails/resend", id=f"{sold}#paid")
    assert status == 500 and "AccessDenied" in json.dumps(said), (status, said)
    status, said = dashboard.post(f"/payments/{sold}/refund", currency="usd", key=preview["key"])
    assert status == 500 and "AccessDenied" in json.dumps(said), (status, said)
    dashboard.close()
    shown("without the permission to act, the dashboard shows everything, and says that AWS refuses the rest")

if os.environ.get("AUTH") == "true":
    for name, may in (("Purchases", True), ("Catalog", False), ("Checkout", False)):
        read = as_function(name).client("s3").get_object
        assert refused(read, Bucket=outputs["FilesBucket"], Key="atlas/Grüße & Atlas.pdf") != may, name
    shown("purchases reads files, and no other function does")
    letter = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    mail = dict(Destination={"ToAddresses": [BUYER]}, Message=letter)
    ses = as_function("Mailer").client("ses")
    assert not refused(ses.send_email, Source="shop@example.com", **mail)
    assert refused(ses.send_email, Source="billing@example.com", **mail)
    shown("mailer sends as the shop, by a configuration set, and as nobody else")
    entry = {"Source": "till", "DetailType": "purchase.paid", "Detail": "{}"}
    for name in ("Mailer", "Webhook"):
        publish = as_function(name).client("events").put_events
        assert refused(publish, Entries=[{**entry, "EventBusName": "default"}]), name
        assert refused(publish, Entries=[{**entry, "EventBusName": outputs["EventBus"]}]) == (name == "Webhook"), name
    shown("mailer publishes on the stack's bus and on no other, and webhook on none")
    for name in ("Checkout", "Webhook", "Reconcile"):
        write = as_function(name).client("dynamodb").transact_write_items
        assert not refused(write, TransactItems=change_product("stock"))
        assert refused(write, TransactItems=change_product("price")), name
    shown("of a product, checkout, webhook and reconcile change the stock and nothing else")


# --- Rehearse ---

# Events reach the function URL only by ministack's own address.
key = {"Authorization": "Bearer sk_test_local", "Content-Type": "application/x-www-form-urlencoded"}
status, _, text = call("POST", f"{STRIPE}/v1/webhook_endpoints", form(**{"url": function_url(), "enabled_events[]": "*"}), key)
assert status == 200, (status, text)
endpoint = json.loads(text)
ssm.put_parameter(
    Name=outputs["StripeWebhookSecretsParameter"], Value=f"{endpoint['secret']},whsec_local", Type="SecureString",
    Overwrite=True,
)
sell("poster", "Poster", 2500)
sell("coffee", "Coffee", 1900, recurring={"M": {"interval": {"S": "month"}, "interval_count": {"N": "1"}}})


def secret_is_known():
    """The webhook reads its secrets again when none fits, at most once a minute."""
    return deliver({"id": "evt_ping", "type": "ping"}, endpoint["secret"])[0] == 200


until("webhook that knows the endpoint's secret", secret_is_known, seconds=90)
ran = subprocess.run(
    [TILL, "rehearse", "--stack", "till", "--yes", "--json"], capture_output=True, text=True,
    env=os.environ | {"STRIPE_API_BASE": STRIPE},
)
assert ran.returncode in (0, 3), ran.stderr
steps = json.loads(ran.stdout)["steps"]
for step in steps:
    print(f"        {step['verdict']:8}  {step['step']:13} {step['says']}")
assert ran.returncode == 0, "not everything held"
names = "sign-up catalog card decline 3ds delayed refund dispute subscription mail published events alarms cleanup".split()
assert [step["step"] for step in steps] == names, steps
accounts = [it["Username"] for it in cognito.list_users(UserPoolId=outputs["BuyerPool"])["Users"]]
assert len(accounts) == 1, accounts
shown("the deployed shop is rehearsed from end to end, and each step holds")
