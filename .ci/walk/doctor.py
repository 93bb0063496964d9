"""Breaks a deployed shop in every way that `till doctor` should notice, and repairs it again. Run by `doctor`."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import boto3

from deployed import finish

TILL = sys.argv[1]
STACK = "till"
STRIPE = os.environ["STRIPE_API_BASE"]
KEY, SECRETS = f"/till/{STACK}/stripe-secret-key", f"/till/{STACK}/stripe-webhook-secrets"

lambdas, ssm, dynamodb, logs = (boto3.client(name) for name in ("lambda", "ssm", "dynamodb", "logs"))
ses, cloudformation = boto3.client("sesv2"), boto3.client("cloudformation")
outputs = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
TAG = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "StackTag")


def till(*arguments, typed="", status=0):
    ran = subprocess.run([TILL, *arguments, "--stack", STACK], input=typed, capture_output=True, text=True)
    assert ran.returncode == status, (arguments, ran.returncode, ran.stdout, ran.stderr)
    return ran.stdout + ran.stderr


def findings():
    """What doctor says, by check and verdict."""
    ran = subprocess.run([TILL, "doctor", "--json", "--stack", STACK], capture_output=True, text=True)
    assert ran.returncode in (0, 3), ran.stderr
    return json.loads(ran.stdout)["findings"]


def trouble(found):
    return {(it["check"], it["says"]) for it in found if it["verdict"] in ("warn", "fail")}


def stripe(path, form=None, method=None):
    request = urllib.request.Request(STRIPE + path, method=method, headers={"Authorization": "Bearer sk_test_local"})
    request.data = urllib.parse.urlencode(form).encode() if form else None
    return json.load(urllib.request.urlopen(request))


def endpoint():
    """The newest endpoint that was made for the stack."""
    ours = [it for it in stripe("/v1/webhook_endpoints")["data"] if it["metadata"].get("till_stack") == TAG]
    return max(ours, key=lambda it: it["created"])


def resource(logical):
    named = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical)
    return named["StackResourceDetail"]["PhysicalResourceId"]


def parameter(name):
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def set_parameter(name, value, kind="SecureString"):
    # A parameter keeps the type that it was created with.
    ssm.delete_parameter(Name=name)
    ssm.put_parameter(Name=name, Value=value, Type=kind, Tags=[{"Key": "till_stack", "Value": TAG}])


@contextlib.contextmanager
def changed(name, value, kind="SecureString"):
    before = parameter(name)
    set_parameter(name, value, kind)
    yield
    set_parameter(name, before)


@contextlib.contextmanager
def tagged(name, tag):
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=["till_stack"])
    if tag:
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=[{"Key": "till_stack", "Value": tag}])
        assert f"belongs to another stack, {tag}" in till("setup", "--yes", status=1)
    yield
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=[{"Key": "till_stack", "Value": TAG}])


@contextlib.contextmanager
def endpoint_with(**form):
    before = endpoint()
    stripe(f"/v1/webhook_endpoints/{before['id']}", form)
    yield
    restored = {f"enabled_events[{i}]": event for i, event in enumerate(before["enabled_events"])}
    restored |= {"url": before["url"], "disabled": "false"}
    restored |= {f"metadata[{key}]": value for key, value in before["metadata"].items()}
    stripe(f"/v1/webhook_endpoints/{before['id']}", restored)


@contextlib.contextmanager
def without_permission(action):
    name = {"FunctionName": resource("WebhookFunction"), "Qualifier": "live"}
    policy = json.loads(lambdas.get_policy(**name)["Policy"])
    taken = [it for it in policy["Statement"] if it["Action"] == action and it["Principal"] == "*"]
    assert taken, policy
    for statement in taken:
        lambdas.remove_permission(**name, StatementId=statement["Sid"])
    yield
    for statement in taken:
        options = {"FunctionUrlAuthType": "NONE"} if action.endswith("Url") else {"InvokedViaFunctionUrl": True}
        lambdas.add_permission(**name, StatementId=statement["Sid"], Action=action, Principal="*", **options)


@contextlib.contextmanager
def unverified():
    ses.delete_email_identity(EmailIdentity="shop@example.com")
    yield
    ses.create_email_identity(EmailIdentity="shop@example.com")


@contextlib.contextmanager
def in_sandbox():
    details = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://shop.example.com"}
    ses.put_account_details(**details, ProductionAccessEnabled=False)
    yield
    ses.put_account_details(**details, ProductionAccessEnabled=True)


@contextlib.contextmanager
def not_allowed(who, code, **taken):
    """What the mailer logs when it is refused, and then when it no longer is."""
    group, stream = f"/till/{STACK}/mailer", next(iter(taken))
    logs.create_log_stream(logGroupName=group, logStreamName=stream)

    def log(**line):
        now = int(time.time() * 1000)
        logs.put_log_events(
            logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": now, "message": json.dumps(line)}]
        )

    log(level="ERROR", error=f"{who} until this is fixed: {code}", message="it keeps being postponed")
    yield
    log(level="INFO", **taken, message="it was taken")


@contextlib.contextmanager
def mapping_disabled():
    mappings = lambdas.list_event_source_mappings(FunctionName=resource("MailerFunction"))["EventSourceMappings"]
    uuid = mappings[0]["UUID"]
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=False)
    yield
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextlib.contextmanager
def stream_off():
    table = resource("OutboxTable")
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    yield
    dynamodb.update_table(
        TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )


@contextlib.contextmanager
def unprotected():
    table = resource("PurchasesTable")
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    yield
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)


@contextlib.contextmanager
def unpinned():
    """An endpoint as somebody would make it by hand, in place of ours."""
    before = endpoint()
    stripe(f"/v1/webhook_endpoints/{before['id']}", {"disabled": "true"})
    form = {f"enabled_events[{i}]": event for i, event in enumerate(before["enabled_events"])}
    made = stripe("/v1/webhook_endpoints", form | {"url": before["url"]})
    yield
    stripe(f"/v1/webhook_endpoints/{made['id']}", method="DELETE")
    stripe(f"/v1/webhook_endpoints/{before['id']}", {"disabled": "false"})


@contextlib.contextmanager
def parcel(**told):
    """A product with these members."""
    table, key = resource("ProductsTable"), {"id": {"S": "parcel"}}
    price = {"M": {"amount": {"N": "900"}, "currency": {"S": "usd"}}}
    item = {"name": {"S": "Parcel"}, "price": price, "active": {"BOOL": True}} | told
    dynamodb.put_item(TableName=table, Item=key | item | {"catalog": {"S": "catalog"}})
    yield
    dynamodb.delete_item(TableName=table, Key=key)


@contextlib.contextmanager
def no_way_to_cancel():
    """A product that recurs, and a billing portal where nobody can cancel it."""
    settings = stripe("/v1/billing_portal/configurations?is_default=true")["data"][0]
    cancel = "features[subscription_cancel][enabled]"
    stripe(f"/v1/billing_portal/configurations/{settings['id']}", {cancel: "false"})
    table, key = resource("ProductsTable"), {"id": {"S": "monthly"}}
    price = {"M": {"amount": {"N": "900"}, "currency": {"S": "usd"}}}
    recurring = {"M": {"interval": {"S": "month"}, "interval_count": {"N": "1"}}}
    item = {"name": {"S": "Monthly"}, "price": price, "recurring": recurring, "active": {"BOOL": True}}
    dynamodb.put_item(TableName=table, Item=key | item | {"catalog": {"S": "catalog"}})
    yield
    dynamodb.delete_item(TableName=table, Key=key)
    stripe(f"/v1/billing_portal/configurations/{settings['id']}", {cancel: "true"})


# --- set up ---

said = till("setup", "--yes", typed="pk_test_1\n", status=1)
assert "publishable key" in said and "pk_test_1" not in said, said
said = till("setup", "--dry-run", typed="sk_test_local\n")
assert "create a webhook endpoint" in said, said
assert "protect the table" in said, said
assert any(it["check"] == "stripe key" and it["verdict"] == "fail" for it in findings()), "a dry run stored the key"
till("setup", "--yes", typed="sk_test_local\n")
assert "nothing to do" in till("setup"), "a second setup finds something to do"

with contextlib.suppress(ses.exceptions.AlreadyExistsException):
    ses.create_email_identity(EmailIdentity="shop@example.com")
finish()

well = findings()
# What only AWS, or a site that exists, can show.
cannot_be_here = {"HTTP API", "CORS", "site config", "sign-in"}
ill = {it for it in trouble(well) if it[0] not in cannot_be_here}
assert not ill, ill
checked = {it["check"] for it in well if it["verdict"] == "ok"}
print(f"a healthy shop: {', '.join(sorted(checked))}")

# --- break ---

BREAKS = [
    ("a publishable key", changed(KEY, "pk_test_1"), "stripe key", "publishable key"),
    ("a live key on a test stack", changed(KEY, "sk_live_1"), "stripe key", "test mode"),
    ("a key that Stripe does not know", changed(KEY, "sk_test_other"), "stripe account", "does not know"),
    ("a key in the clear", changed(KEY, "sk_test_local", "String"), "stripe key", "not a SecureString"),
    ("a key of another stack", tagged(KEY, "till-2"), "secrets", "another stack, till-2"),
    ("a secret that is nobody's", tagged(SECRETS, None), "secrets", "no stack's tag"),
    ("a secret that is not stored", endpoint_with(**{"metadata[till_secret]": "0"}), "webhook secret", "not among"),
    ("a disabled endpoint", endpoint_with(disabled="true"), "webhook endpoint", "disabled"),
    ("too few events", endpoint_with(**{"enabled_events[0]": "charge.refunded"}), "webhook events", "does not send"),
    ("all events", endpoint_with(**{"enabled_events[0]": "*"}), "webhook events", "every type"),
    ("another address", endpoint_with(url="https://old.example.com/"), "webhook endpoint", "old.example.com"),
    ("no way to cancel", no_way_to_cancel(), "billing portal", "cannot cancel"),
    ("nowhere to ship to", parcel(shipped={"BOOL": True}), "shipping", "parcel cannot be bought: the shop delivers nowhere"),
    ("a tax that nobody charges", parcel(tax_behavior={"S": "exclusive"}), "tax", "such as parcel, but none is charged"),
    ("no pinned version", unpinned(), "API version", "not pinned"),
    ("one permission", without_permission("lambda:InvokeFunction"), "function URL", "lambda:InvokeFunction"),
    ("the other permission", without_permission("lambda:InvokeFunctionUrl"), "function URL", "lambda:InvokeFunctionUrl"),
    ("an unverified sender", unverified(), "mail sender", "verified"),
    ("a mailer that may not publish",
     not_allowed("the event bus will not take any of our events", "400 AccessDeniedException", event_id="1"),
     "event permission", "hand over any event"),
    ("a mailer that may not send", not_allowed("SES will not send any of our mail", "AccessDenied", message_id="1"),
     "mail permission", "hand over any mail"),
    ("SES's sandbox", in_sandbox(), "mail in test mode", "dev@example.com"),
    ("a mapping switched off", mapping_disabled(), "mail stream", "disabled"),
    ("a stream switched off", stream_off(), "outbox table", "stream"),
    ("a table that can be deleted", unprotected(), "purchases table", "deletion protection"),
]
for what, broken, check, words in BREAKS:
    with broken:
        new = trouble(findings()) - trouble(well)
    named = [says for name, says in new if name == check and words in says]
    assert named, (what, check, words, new)
    print(f"{what}: {check}: {named[0]}")

# --- rotate ---

first = endpoint()["id"]
till("setup", "--rotate", "--yes")
second = endpoint()
assert second["id"] != first and len(parameter(SECRETS).split(",")) == 2, second
assert any("each deliver every event" in says for _, says in trouble(findings()))
till("setup", "--retire", "--yes")
ids = [it["id"] for it in stripe("/v1/webhook_endpoints")["data"]]
assert first not in ids and second["id"] in ids, ids
assert len(parameter(SECRETS).split(",")) == 1
assert not trouble(findings()) - trouble(well), trouble(findings())
print("a rotated secret: two endpoints, then one, and every delivery accepted")
