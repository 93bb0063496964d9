"""Measures the Stripe stand-in beside others. Run by `stripe-peers`."""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ARGUMENTS = argparse.ArgumentParser(description="Measures the Stripe stand-in beside others")
ARGUMENTS.add_argument("--seconds", type=int, default=3, help="how long each is under load (3)")
ARGUMENTS.add_argument("--connections", type=int, default=8, help="how many ask at the same time (8)")
ARGUMENTS.add_argument("--starts", type=int, default=5, help="how often each is started (5)")

# A user name of basic authentication: sk_test_12345.
AUTHORIZATION = "Basic c2tfdGVzdF8xMjM0NTo="
PAYMENT = "amount=1500&currency=usd&payment_method=pm_card_visa"

PEERS = {
    "stand-in": [os.environ["STAND_IN"], "--port"],
    "localstripe": ["localstripe", "--from-scratch", "--port"],
    "emulate": ["emulate", "start", "--service", "stripe", "--port"],
}
# One request over and over; or two in turn, the second about what the first has made. As emulate refuses a key after
# 5,000 requests, it is asked with many.
SCRIPT = """
local headers = {["Authorization"] = "%(authorization)s", ["Content-Type"] = "application/x-www-form-urlencoded"}
local made, asked = {}, 0
function request()
  asked = asked + 1
  if %(emulate)s then headers["Authorization"] = "Bearer sk_test_" .. math.floor(asked / 1000) end
  if #made > 0 then
    return wrk.format("POST", "/v1/payment_intents/" .. table.remove(made) .. "/confirm", headers, "payment_method=pm_card_visa")
  end
  return wrk.format("%(method)s", "%(path)s", headers, "%(body)s")
end
if %(emulate)s and "%(method)s" == "POST" then
  function response(status, _, body)
    local id = body:match('"id":%%s*"(pi_[^"]+)"')
    if body:match('"status":%%s*"requires_') and id then table.insert(made, id) end
  end
end
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(url, method, path, body=None):
    request = urllib.request.Request(url + path, body.encode() if body else None, method=method)
    request.add_header("Authorization", AUTHORIZATION)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@contextlib.contextmanager
def running(name):
    """Starts a peer. Yields its address and the seconds until it answered a first request."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    peer = subprocess.Popen(
        [*PEERS[name], str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd=tempfile.gettempdir())
    try:
        while True:
            try:
                ask(url, "GET", "/v1/customers")
                break
            except OSError:
                assert peer.poll() is None, f"{name} ended with {peer.returncode}"
                assert time.perf_counter() - began < 60, f"{name} does not answer at {url}"
                time.sleep(0.0005)
        yield url, time.perf_counter() - began
    finally:
        # What a program starts in its place ends with its group.
        os.killpg(peer.pid, signal.SIGKILL)
        peer.wait()


def load(options, url, method, path, body="", emulate=False):
    """Requests a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % {
            "authorization": AUTHORIZATION, "method": method, "path": path, "body": body, "emulate": str(emulate).lower()})
        script.flush()
        ran = subprocess.run(
            ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", script.name, url],
            capture_output=True, text=True, check=True)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", ran.stdout)
    assert not wrong, f"{method} {url}{path}: {wrong[0]}"
    return float(re.search(r"Requests/sec:\s*([\d.]+)", ran.stdout)[1])


def measure(options, name):
    starts = []
    for _ in range(options.starts):
        with running(name) as (_, seconds):
            starts.append(seconds)
    # There, a payment intent cannot be confirmed in the call that makes it.
    apart = name == "emulate"
    with running(name) as (url, _):
        payment = PAYMENT if apart else f"{PAYMENT}&confirm=true"
        intent = ask(url, "POST", "/v1/payment_intents", payment)
        if apart:
            intent = ask(url, "POST", f"/v1/payment_intents/{intent['id']}/confirm", "payment_method=pm_card_visa")
        assert intent["status"] == "succeeded", f"{name} does not take a payment: {intent}"
        paid = load(options, url, "POST", "/v1/payment_intents", payment, apart)
    # Others become slower with what they hold, so each load begins with an empty one.
    with running(name) as (url, _):
        customer = ask(url, "POST", "/v1/customers", "email=ada@mail.example")
        path = f"/v1/customers/{customer['id']}"
        retrieved = load(options, url, "GET", path, emulate=apart)
        created = load(options, url, "POST", "/v1/customers", "email=ada@mail.example&metadata[level]=gold", apart)
    return statistics.median(starts) * 1000, created, retrieved, paid / 2 if apart else paid


def reset():
    """Milliseconds until the stand-in has forgotten a test's worth: a hundred payments."""
    taken = []
    with running("stand-in") as (url, _):
        for _ in range(5):
            for _ in range(100):
                ask(url, "POST", "/v1/payment_intents", f"{PAYMENT}&confirm=true")
            began = time.perf_counter()
            ask(url, "POST", "/_stripe/reset")
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def main():
    options = ARGUMENTS.parse_args()
    measured = {name: measure(options, name) for name in PEERS}
    ours = measured["stand-in"]
    print("| | ready | customers created | retrieved | payments |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (ready, *rates) in measured.items():
        cells = [f"{ready:.0f} ms"] + [f"{rate:.0f}/s" for rate in rates]
        print(f"| {name} | {' | '.join(cells)} |")
    for name, (ready, *rates) in measured.items():
        if name != "stand-in":
            cells = [f"{ready / ours[0]:.1f}×"] + [f"{our / rate:.1f}×" for our, rate in zip(ours[1:], rates)]
            print(f"| the stand-in against {name} | {' | '.join(cells)} |")
    print(f"The stand-in is reset after a hundred payments in {reset():.1f} ms.")


main()
