"""Gives every built function its sample events, through the Runtime Interface Emulator that SAM puts
into its containers; here it runs on the host, so that no container engine is needed. Run by `invoke`."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
import tempfile
import time

import samcli
from samtranslator.yaml_helper import yaml_parse

BUILT = pathlib.Path(".aws-sam/build")
EVENTS = pathlib.Path("events")
EMULATOR = pathlib.Path(samcli.__file__).parent / "local/rapid" / (
    "aws-lambda-rie-arm64" if platform.machine() in ("aarch64", "arm64") else "aws-lambda-rie-x86_64"
)
WEBHOOK_SECRET = "whsec_local"
FAILED_ON_OUR_SIDE = range(500, 600)
NOTHING_LISTENS = "http://127.0.0.1:9"

ANYTHING = object()
# The function fails, so that Lambda counts an error.
A_FAILURE = object()

# The answer to each event: with the tables out of reach, and with the shop behind the functions. It is one
# of several statuses, or a whole answer if the function is not started by an HTTP request. A function
# gets its events in the order of their names.
EXPECTED = {
    # What makes lambda_http panic: a query that was decoded, and other parts that do not make a URI.
    "catalog-decoded-query": (FAILED_ON_OUR_SIDE, [200]),
    "catalog-list": (FAILED_ON_OUR_SIDE, [200]),
    "catalog-missing": (FAILED_ON_OUR_SIDE, [404]),
    "catalog-one": (FAILED_ON_OUR_SIDE, [200]),
    "checkout-bad-body": ([400], [400]),
    "checkout-idempotent": (FAILED_ON_OUR_SIDE, [201]),
    # Paid for every month, and every three months.
    "checkout-mixed-terms": (FAILED_ON_OUR_SIDE, [422]),
    "checkout-no-token": ([401], [401]),
    "checkout-odd-host": ([400], [400]),
    "checkout-ok": (FAILED_ON_OUR_SIDE, [201]),
    "checkout-sold-out": (FAILED_ON_OUR_SIDE, [409]),
    # What recurs, and a mug beside it.
    "checkout-subscription": (FAILED_ON_OUR_SIDE, [201]),
    "checkout-unknown-product": (FAILED_ON_OUR_SIDE, [404]),
    "checkout-unverified-email": ([403], [403]),
    "mailer-schedule": (ANYTHING, ANYTHING),
    "mailer-stream": (
        {"batchItemFailures": [{"itemIdentifier": "4421584500000000017450439091"}]},
        # Its row is gone, which is no failure.
        {"batchItemFailures": []},
    ),
    "purchases-decoded-path": ([404], [404]),
    # Nobody has bought it yet: the webhook's events come later.
    "purchases-cancel": (FAILED_ON_OUR_SIDE, [404]),
    "purchases-list": (FAILED_ON_OUR_SIDE, [200]),
    "purchases-list-open": (FAILED_ON_OUR_SIDE, [200]),
    "purchases-one": (FAILED_ON_OUR_SIDE, [404]),
    # Whoever has opened a checkout for a subscription is a customer, with nothing to see yet.
    "purchases-portal": (FAILED_ON_OUR_SIDE, [201]),
    "purchases-entitlements": (FAILED_ON_OUR_SIDE, [200]),
    "purchases-subscription": (FAILED_ON_OUR_SIDE, [404]),
    "purchases-subscriptions": (FAILED_ON_OUR_SIDE, [200]),
    # There is no Stripe to ask what webhooks missed.
    "reconcile-schedule": (A_FAILURE, None),
    "webhook-async-failed": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-async-succeeded": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-bad-signature": ([400], [400]),
    "webhook-base64": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-charge-refunded": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-completed-free": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-completed-paid": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-completed-subscription": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-completed-unpaid": (FAILED_ON_OUR_SIDE, [200]),
    # Not about this shop, which shows without reading a table.
    "webhook-decoded-query": ([200], [200]),
    "webhook-dispute-closed": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-dispute-created": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-dispute-inquiry": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-expired": (FAILED_ON_OUR_SIDE, [200]),
    # Nor is this.
    "webhook-foreign": ([200], [200]),
    "webhook-invoice-action-required": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-invoice-paid": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-invoice-payment-failed": (FAILED_ON_OUR_SIDE, [200]),
    # Stripe does not know its subscription.
    "webhook-invoice-upcoming": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-ping": ([200], [200]),
    "webhook-refund-created": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-refund-failed": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-refund-succeeded": (FAILED_ON_OUR_SIDE, [200]),
    # Nor does it know these.
    "webhook-subscription-trial-will-end": (FAILED_ON_OUR_SIDE, [200]),
    "webhook-subscription-updated": (FAILED_ON_OUR_SIDE, [200]),
    # A type that is not handled.
    "webhook-unknown-type": ([200], [200]),
}


def environment(function, aws, stripe):
    """What the template declares for the function, with the values it has on this machine."""
    values = json.load(open("env.local.json"))["Parameters"]
    values |= {
        "AWS_ENDPOINT_URL_DYNAMODB": aws,
        "AWS_ENDPOINT_URL_SES": aws,
        "AWS_ENDPOINT_URL_EVENTBRIDGE": aws,
        "STRIPE_API_BASE": stripe,
    }
    declared = template["Globals"]["Function"]["Environment"]["Variables"] | function["Environment"]["Variables"]
    return {
        name: values[name] if name in values else resolved(value) for name, value in declared.items()
    }


def resolved(value):
    """As `sam local invoke` does it: parameters have their defaults, tables are called by their logical ids."""
    if not isinstance(value, dict):
        return value
    if "Ref" not in value:
        # Names of secrets in stores, which are not used here.
        return ""
    parameter = template["Parameters"].get(value["Ref"])
    return str(parameter["Default"]) if parameter else value["Ref"]


def signed_now(event):
    """The event with a signature as old as this second, in place of the file's."""
    body = event["body"].encode()
    if event["isBase64Encoded"]:
        body = base64.b64decode(body)
    now = int(time.time())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256)
    event["headers"]["stripe-signature"] = f"t={now},v1={signature.hexdigest()}"
    return event


def sample(name):
    event = json.load(open(EVENTS / f"{name}.json"))
    signed = name.startswith("webhook-") and name != "webhook-bad-signature"
    return signed_now(event) if signed else event


class Lambda:
    """One function under the emulator."""

    def __init__(self, logical_id, values):
        function = template["Resources"][logical_id]["Properties"]
        invoke, runtime = free_port(), free_port()
        self.timeout = function["Timeout"]
        self.address = ("127.0.0.1", invoke)
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [
                EMULATOR,
                *("--log-level", "error"),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{invoke}"),
                *("--runtime-api-address", f"127.0.0.1:{runtime}"),
                (BUILT / logical_id / "bootstrap").resolve(),
            ],
            env={
                **values,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_LAMBDA_FUNCTION_NAME": logical_id,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.timeout),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(template["Globals"]["Function"]["MemorySize"]),
            },
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def invoke(self, event):
        """The answer's text. Errors of the function come as text, too."""
        connection = http.client.HTTPConnection(*self.address, timeout=self.timeout + 30)
        for _ in range(100):
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
        return connection.getresponse().read().decode()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def misfit(text, expected):
    """What is wrong with the answer, if anything."""
    try:
        answer = json.loads(text)
    except ValueError:
        # The emulator reports a time-out in plain text.
        return text.strip() or "no answer"
    failed = isinstance(answer, dict) and "errorType" in answer
    if expected is A_FAILURE:
        return None if failed else f"did not fail: {text.strip()}"
    if failed:
        return text.strip()
    if expected is ANYTHING or answer == expected:
        return None
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    if status is None or status not in expected:
        return f"answered {text.strip()}"
    if status >= 400:
        kind = {name.lower(): value for name, value in answer["headers"].items()}.get("content-type")
        if kind != "application/problem+json":
            return f"the error is {kind}, not application/problem+json: {text.strip()}"
    return None


def cases():
    """Every function with the names of its events, in the order in which both are to run."""
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    if set(names) != set(EXPECTED):
        sys.exit(f"events/ and EXPECTED have different names: {sorted(set(names) ^ set(EXPECTED))}")
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource["Metadata"]["BuildProperties"]["Binary"]
            own = [name for name in names if name.startswith(f"{binary}-")]
            if not own:
                sys.exit(f"{logical_id} has no sample event {EVENTS}/{binary}-….json")
            yield logical_id, own


def main():
    with_shop = sys.argv[1:] == ["--shop"]
    aws = os.environ["AWS_URL"] if with_shop else NOTHING_LISTENS
    stripe = os.environ["STRIPE_URL"] if with_shop else NOTHING_LISTENS

    passed = failed = 0
    for logical_id, names in cases():
        properties = template["Resources"][logical_id]["Properties"]
        function = Lambda(logical_id, environment(properties, aws, stripe))
        wrong = False
        try:
            for name in names:
                problem = misfit(function.invoke(sample(name)), EXPECTED[name][with_shop])
                print(f"FAILED  {name}: {problem}" if problem else f"ok      {name}", flush=True)
                passed, failed, wrong = passed + (not problem), failed + bool(problem), wrong or problem
        finally:
            log = function.stop()
        if wrong:
            print(f"--- what {logical_id} logged:\n{log[-4000:]}")
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(failed > 0)


template = yaml_parse(pathlib.Path("template.yaml").read_text())

if __name__ == "__main__":
    main()
