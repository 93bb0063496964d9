"""Buys from a Django shop that knows nothing of the stand-in but its address. Run by `stripe-sdks`.

The shop is in the folder given, where it makes its database. It is run by Django's development server.
"""

import contextlib
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import django
import stripe

BASE = os.environ["STAND_IN"]
FOLDER = pathlib.Path(sys.argv[1])
CARD = {"email": "buyer@mail.example", "method": "card", "card_number": "4242424242424242", "exp": "12 / 40", "cvc": "123"}


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(url, form=None):
    """Status, where it leads and what it shows."""
    body = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.build_opener(Stay).open(urllib.request.Request(url, body), timeout=30) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers["Location"], answer.read().decode()


def until(what, ask, seconds=20):
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"no {what} within {seconds} seconds"
        time.sleep(0.05)
    return answer


def purchases():
    with contextlib.closing(sqlite3.connect(FOLDER / "db.sqlite3")) as database:
        return database.execute("SELECT status, email, stripe_payment_intent FROM store_purchase ORDER BY id").fetchall()


def answers(url):
    with contextlib.suppress(OSError):
        return browse(url)[0] == 200


def buy(url, submitted):
    """Presses the shop's button and submits the payment page's form. Returns what the form answers."""
    status, page, body = browse(f"{url}/buy/", {})
    assert status == 302, f"the shop answered {status}: {body[:2000]}"
    return browse(page, submitted)


def walk(url):
    status, thanks, body = buy(url, CARD)
    assert status == 303 and thanks.startswith(f"{url}/success/?session_id=cs_test_"), f"{status} {thanks} {body[:500]}"
    [(_, email, intent)] = until("paid purchase", lambda: [row for row in purchases() if row[0] == "paid"])
    assert email == "buyer@mail.example" and intent.startswith("pi_"), (email, intent)
    status, _, shown = browse(thanks)
    assert status == 200 and shown == "Thank you, buyer@mail.example. Purchase 1 is paid.", (status, shown)
    print("  works  a purchase is paid once the webhook has said so", flush=True)

    status, *_ = buy(url, {**CARD, "card_number": "4000000000000002"})
    assert status == 402, status
    assert [row[0] for row in purchases()] == ["paid", "open"], purchases()
    print("  works  a declined card leaves the purchase open", flush=True)

    assert browse(f"{url}/webhook/", {"type": "checkout.session.completed"})[0] == 400
    print("  works  the webhook refuses what is not signed", flush=True)


def main():
    print(f"a Django {django.get_version()} shop, stripe-python {stripe.VERSION}", flush=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    stripe.api_base, stripe.api_key = BASE, f"sk_test_{uuid.uuid4().hex}"
    endpoint = stripe.WebhookEndpoint.create(url=f"{url}/webhook/", enabled_events=["checkout.session.completed"])
    environment = {
        **os.environ, "STRIPE_API_BASE": BASE, "STRIPE_SECRET_KEY": stripe.api_key, "STRIPE_WEBHOOK_SECRET": endpoint.secret}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--run-syncdb", "--verbosity=0"], cwd=FOLDER, env=environment, check=True)
    with open(FOLDER / "log", "w+") as log:
        server = subprocess.Popen(
            [*manage, "runserver", "--noreload", url.removeprefix("http://")], cwd=FOLDER, env=environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            until("answer of the shop", lambda: answers(url) or server.poll() is not None)
            walk(url)
        except AssertionError as error:
            log.seek(0)
            sys.exit(f"  FAILS  {error}\n--- the shop's log:\n{log.read()[-4000:]}")
        finally:
            server.terminate()
            server.wait(timeout=10)


main()
