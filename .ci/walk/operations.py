"""Runs the shell blocks of docs/OPERATIONS.md in the order of the page, in one shell, as they stand there except
that example values are replaced by real ones, and checks what each has done. Run by `operations`."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import boto3

from deployed import (
    BUYER, api, cloudformation, cognito, deliver, dynamodb, finish, invoke, lambdas, mails, outputs, pay, resources,
    route_api, sign_in, ssm, until,
)

PAGE = "docs/OPERATIONS.md"
# The only one that the stand-in accepts.
STRIPE_KEY = "sk_test_local"
KEY, SECRETS = outputs["StripeSecretKeyParameter"], outputs["StripeWebhookSecretsParameter"]
WEBHOOK_KEY = "/till/till/stripe-webhook-key"
PURCHASES, OUTBOX = outputs["PurchasesTable"], outputs["OutboxTable"]
s3, ses, sesv2, iam = (boto3.client(name) for name in ("s3", "ses", "sesv2", "iam"))

# The page's example values, and what replaces each. More are added as they become known.
STANDS_FOR = {"sk_test_…": STRIPE_KEY, "ada@example.com": BUYER}
AN_ID, A_TIME = "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57", "2026-11-24T09:30:00Z"
# How many lines of a block's output are printed from its beginning and from its end, if it succeeds.
SHOWN = 12


class Shell:
    """One bash for all blocks: functions and variables stay."""

    def __init__(self, folder):
        self.folder, self.blocks = folder, 0
        environment = os.environ | {"CHECKOUT": os.getcwd()}
        script = os.path.abspath(".ci/walk/operations.sh")
        self.bash = subprocess.Popen(
            ["bash", script], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, block, typed=""):
        """What it says."""
        for words, meant in STANDS_FOR.items():
            block = block.replace(words, meant)
        self.blocks += 1
        path = self.folder / f"block-{self.blocks}"
        for suffix, text in [("", block), (".typed", typed), (".said", "")]:
            pathlib.Path(f"{path}{suffix}").write_text(text)
        print("".join(f"  $ {line}\n" for line in block.splitlines()), end="", flush=True)
        print(path, file=self.bash.stdin, flush=True)
        done = self.bash.stdout.readline()
        said = pathlib.Path(f"{path}.said").read_text()
        lines = said.splitlines()
        if done and len(lines) > 2 * SHOWN:
            lines[SHOWN:-SHOWN] = [f"… {len(lines) - 2 * SHOWN} lines"]
        print("".join(f"  | {line}\n" for line in lines), end="", flush=True)
        assert done, f"the block failed with {self.bash.wait()}"
        return said


class Block:
    """A block of the page, as its step runs it."""

    def __init__(self, shell, text):
        self.shell, self.text = shell, text

    def __call__(self, typed=""):
        return self.shell.run(self.text, typed)


STEPS = []


def step(begins):
    """Registers what is done with the block that begins like this."""

    def register(function):
        STEPS.append((begins, function))
        return function

    return register


def shown(what):
    print(f"ok      {what}\n", flush=True)


def parameter(name):
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def times_stored(name):
    return ssm.get_parameter(Name=name)["Parameter"]["Version"]


def environment(function):
    return lambdas.get_function_configuration(FunctionName=resources[function])["Environment"]["Variables"]


def items(table):
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return sorted((item for page in pages for item in page["Items"]), key=repr)


def story(table, purchase):
    return [item for item in items(table) if item["pk"] == {"S": purchase}]


def empty(table, *keys):
    for item in items(table):
        dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})


def to_mend():
    """Everything that doctor does not find in order, and how to fix it."""
    ran = subprocess.run(["till", "doctor", "--json", "--stack", "till"], capture_output=True, text=True)
    assert ran.returncode in (0, 3), ran.stderr
    return [it for it in json.loads(ran.stdout)["findings"] if it["verdict"] != "ok"]


def well():
    # Nothing answers at the address of ministack's CloudFront.
    found = {(it["check"], it["verdict"]) for it in to_mend()}
    assert found == {("site config", "not_checked")}, found


def buy():
    """The id of a purchase that is paid and recorded."""
    status, checkout = api("POST", "/checkout", shop["token"], {"items": [{"product_id": "mug", "quantity": 1}]})
    assert status == 201, (status, checkout)
    status, _, text = deliver(pay(checkout), parameter(SECRETS).split(",")[0])
    assert status == 200, (status, text)
    return checkout["purchase_id"]


@contextlib.contextmanager
def unverified():
    """While SES does not know the sender. ministack keeps what either of SES's two APIs was told."""
    ses.delete_identity(Identity="shop@example.com")
    sesv2.delete_email_identity(EmailIdentity="shop@example.com")
    yield
    ses.verify_email_identity(EmailAddress="shop@example.com")
    sesv2.create_email_identity(EmailIdentity="shop@example.com")


def turned_away(name):
    try:
        lambdas.invoke(FunctionName=resources[f"{name}Function"], Payload=b"{}")
    except lambdas.exceptions.TooManyRequestsException:
        return True
    return False


def held_up():
    """A purchase whose receipt could not go, nor the mail about its sale, for a reason that is gone now."""
    with unverified():
        purchase = buy()
        keys = [{"id": {"S": f"{purchase}#{mail}"}} for mail in ("paid", "sold")]
        for key in keys:
            until("reason", lambda key=key: "reason" in dynamodb.get_item(TableName=OUTBOX, Key=key).get("Item", {}))
    assert not mails(purchase)
    # As after many attempts: the first ones follow each other closely.
    later = {":later": {"N": str(int(time.time()) + 6 * 60 * 60)}}
    for key in keys:
        dynamodb.update_item(
            TableName=OUTBOX, Key=key, UpdateExpression="SET next_attempt = :later", ExpressionAttributeValues=later
        )
    return purchase


shop = {}

# --- Deploy ---


@step("out() { aws cloudformation describe-stacks")
def define(run):
    run()
    run.shell.run("aws sesv2 create-email-identity --email-identity shop@example.com")
    shown("the page's own function is there, and the sender is verified")


@step("sam build && sam deploy --guided")
def deploy(block):
    """It asks a person for what .ci/build and .ci/deploy have done."""
    print("".join(f"  $ {line}\n" for line in block.text.splitlines()), end="")
    shown(f"NOT RUN: {deploy.__doc__}")


@step("till setup --stack till")
def set_up(run):
    said = run(f"{STRIPE_KEY}\ny\n")
    assert "create a webhook endpoint" in said and "protect the table" in said, said
    assert parameter(KEY) == STRIPE_KEY and parameter(SECRETS).startswith("whsec_")
    finish()
    shown("setup stores the key, makes the endpoint and protects the tables")


@step("till setup --stack till --new-key")
def set_up_anew(run):
    run(f"{STRIPE_KEY}\ny\n")
    assert times_stored(KEY) == 2
    shown("a new key takes the first one's place")


@step("STRIPE_SECRET_KEY=sk_test_… till setup --stack till")
def set_up_with_another(run):
    run()
    assert times_stored(KEY) == 2
    shown("another key does the work and is not stored")


@step("aws ssm put-parameter --type SecureString")
def store_webhook_key(run):
    run(f"{STRIPE_KEY}\n")
    assert parameter(WEBHOOK_KEY).strip() == STRIPE_KEY
    shown("webhook's own key is stored")


@step("sam deploy --parameter-overrides StripeWebhookKeyParameter=")
def deploy_webhook_key(run):
    run()
    assert environment("WebhookFunction")["STRIPE_SECRET_KEY_PARAMETER"] == WEBHOOK_KEY
    assert environment("CheckoutFunction")["STRIPE_SECRET_KEY_PARAMETER"] == KEY
    role = json.dumps(iam.get_role_policy(RoleName=resources["WebhookRole"], PolicyName="webhook"))
    assert WEBHOOK_KEY in role and KEY not in role, role
    shown("webhook reads its own key, and may not read the others'")


@step("till products import products.csv --stack till")
def import_products(run):
    run("y\n")
    status, found = api("GET", "/products")
    assert status == 200 and sorted(product["id"] for product in found["products"]) == ["mug", "poster"], found
    shop["token"] = sign_in()
    shop["purchase"] = buy()
    STANDS_FOR[AN_ID] = shop["purchase"]
    until("receipt", lambda: mails(shop["purchase"]))
    shown("the products are for sale, and one is bought")


@step("till site build --stack till --out built")
def copy_site(run):
    bucket = outputs["SiteBucket"]
    s3.put_object(Bucket=bucket, Key="pictures/mug.jpg", Body=b"pushed before")
    run()
    s3.head_object(Bucket=bucket, Key="pictures/mug.jpg")
    s3.delete_object(Bucket=bucket, Key="pictures/mug.jpg")
    for file in ("index.html", "p/mug.html", "config.json", "js/api.js"):
        held = s3.head_object(Bucket=bucket, Key=file)
        assert held["CacheControl"] == "no-cache", (file, held)
    kinds = {pathlib.PurePath(it["Key"]).suffix for it in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert kinds == {".css", ".html", ".js", ".json", ".svg", ".txt", ".xml"}, f"the bucket should have only what browsers load: {kinds}"
    config = json.load(s3.get_object(Bucket=bucket, Key="config.json")["Body"])
    told = json.loads(outputs["SiteConfig"])
    assert config == config | told | {"product_pages": True}, config
    page = s3.get_object(Bucket=bucket, Key="p/mug.html")["Body"].read().decode()
    assert f'<link rel="canonical" href="{outputs["SiteAddress"]}/p/mug.html">' in page, page
    shown("the site is there with its config.json and a page per product, and browsers ask for newer files")


@step("till doctor --stack till")
def examine(run):
    said = run()
    assert "ok    test delivery" in said, said
    well()
    shown("the shop is well")


@step("sam deploy --parameter-overrides Deployment=AllAtOnce")
def deploy_at_once(run):
    run()
    assert environment("WebhookFunction")["STRIPE_SECRET_KEY_PARAMETER"] == WEBHOOK_KEY
    shown("a deployment keeps the parameters it is not told")


# --- Share a Stripe account ---


@step("sam build && sam deploy --parameter-overrides FormerStackTags=till")
def take_former_tag(run):
    run("y\n")
    assert environment("ReconcileFunction")["TILL_FORMER_STACKS"] == "till"
    shown("what had the stack's name as its tag is its own")


# --- Rotate secrets ---


@step("till setup --stack till --new-key")
def rotate_key(run):
    run(f"{STRIPE_KEY}\ny\n")
    assert times_stored(KEY) == 3
    shown("the key is another one")


# --- Replay and reconcile ---


@step("till events parked --stack till")
def list_parked(run):
    event = {"id": "evt_of_live_mode", "object": "event", "type": "checkout.session.completed", "livemode": True}
    event |= {"created": int(time.time()), "data": {"object": {"object": "checkout.session"}}}
    assert deliver(event, parameter(SECRETS).split(",")[0])[0] == 200
    assert "evt_of_live_mode" in run()
    shown("a parked event is named")


@step("till reconcile --dry-run --stack till")
def reconcile(run):
    before = items(PURCHASES)
    run()
    assert items(PURCHASES) == before
    shown("reconcile writes nothing when it is only to look")


# --- Restore a table ---


@step("table=$(out PurchasesTable)")
def restore(run):
    STANDS_FOR[A_TIME] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    run()
    assert items(f"{PURCHASES}-restored") == items(PURCHASES)
    shown("the table is there a second time")


@step("id=01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57")
def copy_back(run):
    before = story(PURCHASES, shop["purchase"])
    assert len(before) > 1, before
    for item in before:
        dynamodb.delete_item(TableName=PURCHASES, Key={key: item[key] for key in ("pk", "sk")})
    # Something that Stripe said later, which the restored purchase does not contain.
    dynamodb.put_item(TableName=PURCHASES, Item=before[0] | {"sk": {"S": "event#evt_later"}})
    run()
    assert story(PURCHASES, shop["purchase"]) == before
    assert api("GET", f"/purchases/{shop['purchase']}", shop["token"])[1]["status"] == "paid"
    shown("a purchase that was lost is back")


@step("for id in CheckoutFunction")
def close(run):
    run()
    for name in ("Checkout", "Purchases", "Webhook", "Mailer", "Reconcile"):
        kept = lambdas.get_function_concurrency(FunctionName=resources[f"{name}Function"])
        assert kept["ReservedConcurrentExecutions"] == 0, (name, kept)
        assert turned_away(name), name
    shop["closed by"] = run.text
    shown("the shop is closed")


@step("arn=$(aws dynamodb create-backup")
def restore_whole(run):
    for item in items(PURCHASES):
        dynamodb.put_item(TableName=PURCHASES, Item=item | {"spoilt": {"BOOL": True}})
    run()
    assert items(PURCHASES) == items(f"{PURCHASES}-restored")
    lacks = [it for it in to_mend() if it["check"] == "purchases table"]
    assert len(lacks) == 3, lacks
    for finding in lacks:
        # A command, or one in a sentence.
        command = re.match(r"`([^`]+)`|([^`]+)$", finding["remedy"])
        run.shell.run(command[1] or command[2], "y\n")
    well()
    closing, opening = "put-function-concurrency --reserved-concurrent-executions 0", "delete-function-concurrency"
    assert closing in shop["closed by"]
    run.shell.run(shop["closed by"].replace(closing, opening))
    run.shell.run("till reconcile --stack till")
    run.shell.run('aws dynamodb delete-table --table-name "$table-restored"')
    buy()
    shown("the whole table is as it was, has the settings that doctor named, and the shop is open")


@step("till reconcile --stack till --since 30d")
def rebuild(run):
    empty(PURCHASES, "pk", "sk")
    empty(OUTBOX, "id")
    sent = len(mails(shop["purchase"]))
    said = run("y\n")
    assert f"{shop['purchase']}: 2 mails released" in said, said
    invoke("MailerFunction", "mailer-schedule")
    until("mail that was held", lambda: len(mails(shop["purchase"])) > sent)
    shown("what Stripe remembers is rebuilt under its id, and mails when it is confirmed")


# --- Mail that is not sent ---


@step("till mails list --stack till")
def list_mails(run):
    shop["held up"] = held_up()
    said = run()
    assert f"{shop['held up']}#paid" in said and "not verified" in said, said
    shown("a mail that waits is named, with the reason")


@step("till mails resend --all-failed --all-waiting --stack till")
def resend_all(run):
    assert "goes out within a minute" in run()
    invoke("MailerFunction", "mailer-schedule")
    until("mail", lambda: mails(shop["held up"]))
    shown("all that waits goes")


@step("till mails resend 'PURCHASE#paid' --stack till")
def resend(run):
    purchase = held_up()
    STANDS_FOR["PURCHASE#paid"] = f"{purchase}#paid"
    assert "goes out within a minute" in run()
    invoke("MailerFunction", "mailer-schedule")
    until("mail", lambda: mails(purchase))
    shown("one that is named goes")


# --- Shipping ---


@step("sam deploy --parameter-overrides ShippingCountries=")
def ship(run):
    run("y\n")
    checkout = environment("CheckoutFunction")
    assert checkout["SHIPPING_COUNTRIES"] == "DE,AT,CH" and checkout["SHIPPING_RATES"].endswith("to CH"), checkout
    status, mug = api("GET", "/products/mug")
    assert status == 200 and mug["shipped"] is True, mug
    shown("the mug is shipped to three countries")


# --- Files to download ---


@step("till products file push Atlas.pdf")
def push_file(run):
    run("")
    held = s3.head_object(Bucket=outputs["FilesBucket"], Key="poster/Atlas.pdf")
    assert held["ContentType"] == "application/pdf", held
    told = {"type": "application/pdf", "size": held["ContentLength"]}
    assert api("GET", "/products/poster")[1]["download"] == told
    shown("the poster comes with a file, which is in the private bucket")


# --- Tax ---


@step("sam deploy --parameter-overrides AutomaticTax=true")
def tax(run):
    run("y\n")
    checkout = environment("CheckoutFunction")
    assert checkout["AUTOMATIC_TAX"] == "true" and checkout["INVOICE_CREATION"] == "false", checkout
    status, mug = api("GET", "/products/mug")
    assert status == 200 and mug["tax_behavior"] == "exclusive", mug
    assert mug["tax_code"] == "txcd_99999999", mug
    shown("the mug is taxed")


# --- Subscriptions ---


def terms():
    return api("GET", "/products/coffee")[1].get("recurring")


@step("cat > coffee.csv")
def sell_subscription(run):
    assert "1 added" in run()
    assert terms() == {"interval": "month", "interval_count": 1, "trial_days": 14}, terms()
    shown("a product that recurs is for sale")


@step("till products set coffee recurring=")
def change_subscription(run):
    run("y\n")
    assert terms() == {"interval": "month", "interval_count": 3, "trial_days": 30}, terms()
    shown("it recurs at another rhythm")


# --- Personal data ---


@step("sub=$(aws cognito-idp list-users")
def forget(run):
    known = [item for item in items(PURCHASES) if BUYER in repr(item)]
    assert known
    run()
    assert not [item for item in items(PURCHASES) if BUYER in repr(item)]
    assert not cognito.list_users(UserPoolId=outputs["BuyerPool"])["Users"]
    shown(f"nothing of {len(known)} purchases names the buyer, who has no account any more")


# --- Tear down ---


@step('tables=("$(out ProductsTable)"')
def tear_down(run):
    run("y\ny\n")
    stacks = [it["StackName"] for it in cloudformation.describe_stacks()["Stacks"]]
    assert "till" not in stacks, stacks
    tables = dynamodb.list_tables()["TableNames"]
    assert sorted(tables) == sorted(outputs[it] for it in ("ProductsTable", "PurchasesTable", "OutboxTable")), tables
    shown("the stack is gone, and the tables are there")


@step('if [ -n "$pool" ]')
def remove_accounts(run):
    run()
    assert not cognito.list_user_pools(MaxResults=60)["UserPools"]
    shown("the accounts are gone")


@step('for table in "${tables[@]}"')
def remove_books(run):
    run()
    assert not dynamodb.list_tables()["TableNames"]
    buckets = [it["Name"] for it in s3.list_buckets()["Buckets"]]
    assert all(name.startswith("aws-sam-cli-managed-default") for name in buckets), buckets
    assert not ssm.describe_parameters()["Parameters"]
    shown("nothing is left but the bucket of SAM's own")


def main():
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```$", open(PAGE).read())
    assert len(blocks) == len(STEPS), f"{PAGE} has {len(blocks)} blocks, but there are steps here for {len(STEPS)}"
    for block, (begins, _) in zip(blocks, STEPS):
        assert block.startswith(begins), f"{PAGE}: the next block should begin with {begins}, but is\n{block}"
    route_api()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "products.csv").write_text(PRODUCTS)
        (folder / "Atlas.pdf").write_text("the whole atlas")
        shell = Shell(folder)
        for block, (_, do) in zip(blocks, STEPS):
            do(Block(shell, block))
        unused = [words for words in STANDS_FOR if not any(words in block for block in blocks)]
        assert not unused, unused
        shell.bash.stdin.close()
        shell.bash.wait()
    print(f"{len(blocks)} blocks of {PAGE}, one of them not run: {deploy.__doc__}")


PRODUCTS = """\
id,name,description,images,amount,currency,active,stock
mug,Mug,Holds 350 ml.,,1500,usd,true,
poster,Poster,50 by 70 cm.,,2500,usd,true,3
"""

main()
