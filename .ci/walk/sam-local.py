"""Runs the functions in SAM's containers, the local shop behind them: every sample event by `sam local
invoke`, then a purchase through `sam local start-api`. Run by `sam-local`, beside a shop."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import requests

import invoke

TILL = pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "debug/till"
SHOP = os.environ["SHOP_URL"]
API = "http://127.0.0.1:3003"
ARCHITECTURE = os.environ["ARCHITECTURE"]
# For a Docker that cannot reach a registry; developers need not set this.
IMAGE = os.environ.get("TILL_CI_INVOKE_IMAGE")
OPTIONS = ["--skip-pull-image", "--invoke-image", IMAGE] if IMAGE else []


def event(name):
    """The value of `--event`, and what is piped in: Stripe's deliveries get a fresh signature."""
    file = invoke.EVENTS / f"{name}.json"
    if name.startswith("webhook-") and name != "webhook-bad-signature":
        return "-", subprocess.run([TILL, "sign", file], stdout=subprocess.PIPE, check=True).stdout
    return file, b""


def invoke_each():
    """How many events were answered as expected, and how many were not."""
    passed = failed = 0
    for logical_id, names in invoke.cases():
        for name in names:
            began = time.monotonic()
            source, piped = event(name)
            command = ["sam", "local", "invoke", logical_id, "--event", source]
            command += ["--parameter-overrides", f"Architecture={ARCHITECTURE}", *OPTIONS]
            run = subprocess.run(command, input=piped, capture_output=True)
            problem = f"sam ended with {run.returncode}"
            if run.returncode == 0:
                problem = invoke.misfit(run.stdout.decode(), invoke.EXPECTED[name][True])
            seconds = time.monotonic() - began
            print(f"FAILED  {name}: {problem}" if problem else f"ok      {name}  {seconds:.1f} s", flush=True)
            if problem:
                print(f"--- what sam said:\n{run.stderr.decode()[-4000:]}")
            passed, failed = passed + (not problem), failed + bool(problem)
    if passed + failed != len(invoke.EXPECTED):
        sys.exit("some events belong to no function of template.yaml")
    return passed, failed


def buy():
    """A purchase, and those who are kept from making or seeing it."""
    request = {"items": [{"product_id": "sample-mug", "quantity": 1}]}
    product = answer(200, "GET", "/products/sample-mug")
    for stranger in ({}, bearer(forged(token("ada@example.com")))):
        refusal = answer(401, "POST", "/checkout", json=request, headers=stranger)
        assert refusal["type"] == "urn:till:problem:signed-out", refusal

    ada = bearer(token("ada@example.com"))
    checkout = answer(201, "POST", "/checkout", json=request, headers=ada)
    purchase = f"/purchases/{checkout['purchase_id']}"
    assert answer(200, "GET", purchase, headers=ada)["status"] == "open"
    card = {"email": "ada@example.com", "card_number": "4242 4242 4242 4242", "exp": "12 / 34", "cvc": "123"}
    requests.post(checkout["url"], data=card, timeout=30).raise_for_status()
    for _ in range(20):
        bought = answer(200, "GET", purchase, headers=ada)
        if bought["status"] == "paid":
            break
        time.sleep(0.5)
    assert bought["status"] == "paid" and bought["total"] == product["price"], bought
    assert bought["id"] in [each["id"] for each in answer(200, "GET", "/purchases", headers=ada)["purchases"]]
    answer(404, "GET", purchase, headers=bearer(token("eve@example.com")))


def token(email):
    signed_in = requests.post(f"{SHOP}/_local/token", data={"email": email}, timeout=30)
    return signed_in.json()["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def forged(token):
    """The same header and signature over somebody else's claims."""
    header, payload, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    said["email"] = "eve@example.com"
    payload = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def answer(status, method, path, **request):
    answered = requests.request(method, API + path, timeout=60, **request)
    assert answered.status_code == status, f"{method} {path}: {answered.status_code} {answered.text}"
    print(f"ok      {method} {path}  {status}", flush=True)
    return answered.json()


def serve_purchase():
    """Whether `sam local start-api` sold something."""
    with tempfile.TemporaryFile() as log:
        api = subprocess.Popen(
            [".ci/walk/start-api", *OPTIONS], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(api)
            buy()
            return True
        except (AssertionError, requests.RequestException) as problem:
            log.seek(0)
            print(f"FAILED  {problem}\n--- what sam said:\n{log.read().decode()[-8000:]}")
            return False
        finally:
            # SAM then removes its containers.
            api.terminate()
            api.wait()


def wait_for(api):
    for _ in range(300):
        try:
            return requests.get(f"{API}/no-such-route", timeout=10)
        except requests.ConnectionError:
            assert api.poll() is None, "start-api ended before it answered"
            time.sleep(0.2)
    raise AssertionError("start-api did not answer within a minute")


passed, failed = invoke_each()
print(f"\n{passed} passed, {failed} failed in {ARCHITECTURE} containers of sam local invoke\n")
sold = serve_purchase()
print(f"\nsam local start-api {'served a purchase' if sold else 'did not serve a purchase'}")
sys.exit(failed > 0 or not sold)
