"""Drives the Stripe stand-in with the Stripe CLI. Run by `stripe-cli`."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BASE, KEY = os.environ["STRIPE_URL"], os.environ["STRIPE_API_KEY"]
TRIGGERS = pathlib.Path(__file__).with_suffix(".txt")
FOLDER = pathlib.Path(tempfile.mkdtemp(dir=os.environ["XDG_CONFIG_HOME"]))


def api(method, path, parameters=()):
    """The stand-in's API, without the CLI."""
    encoded = urllib.parse.urlencode(parameters)
    if method == "GET" and encoded:
        path, encoded = f"{path}?{encoded}", ""
    request = urllib.request.Request(f"{BASE}{path}", encoded.encode() or None, method=method)
    request.add_header("Authorization", f"Bearer {KEY}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def until(what, ask, seconds=20, instead=None):
    """What `ask` answers, once it answers something. `instead` is what there may be of it by then."""
    end = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {seconds} seconds" + ("" if instead is None else f", only {instead}"))
        time.sleep(0.05)


def run(*arguments):
    command = ["stripe", *arguments, "--api-base", BASE]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=FOLDER)


def stripe(*arguments):
    """What the CLI prints. It has to succeed."""
    ran = run(*arguments)
    assert ran.returncode == 0, f"stripe {' '.join(arguments)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}"
    return ran.stdout


def answered(*arguments):
    """What the CLI prints of the API's answer. It is no error of the CLI's if the API refuses."""
    printed = stripe(*arguments)
    # Before it deletes, it says on whose account.
    answer = json.loads(printed[printed.index("{") :])
    assert "error" not in answer, f"stripe {' '.join(arguments)} was refused: {answer['error']['message']}"
    return answer


@contextlib.contextmanager
def running(*arguments):
    """Runs the CLI until the end of the block, once it says that it is ready. Yields its lines so far, as they come."""
    command = ["stripe", *arguments, "--api-base", BASE]
    # The shim hands no signals on: the CLI is ended with its group.
    cli = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=FOLDER,
        start_new_session=True)
    lines = []

    def read():
        for line in cli.stdout:
            lines.append(line)

    def ready():
        return any("Ready!" in line for line in lines)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        until(f"readiness of stripe {' '.join(arguments)}", lambda: ready() or cli.poll() is not None, instead=lines)
        assert cli.poll() is None, f"stripe {' '.join(arguments)} ended at once: {''.join(lines)}"
        yield lines
    finally:
        if cli.poll() is None:
            os.killpg(cli.pid, signal.SIGTERM)
        cli.wait(timeout=10)
        reader.join(timeout=10)


class Logs:
    """What `stripe logs tail` tells, from the first request on."""

    def __init__(self, lines):
        self.lines = lines

    def since(self, start):
        return [json.loads(line) for line in self.lines[start:] if line.startswith("{")]

    def refusal(self, start):
        """The last call that failed."""
        failed = [log for log in self.since(start) if log["status"] >= 400]
        return failed[-1] if failed else None


# Triggers


def newest(event_type):
    events = api("GET", "/v1/events", {"type": event_type, "limit": 1})["data"]
    return events[0]["id"] if events else None


def trigger(name, event_type, logs):
    """Runs a trigger. Returns what is wrong, if anything is."""
    before, start = newest(event_type), len(logs.lines)
    ran = run("trigger", name)

    def made(seconds):
        try:
            return until("event", lambda: newest(event_type) != before, seconds)
        except AssertionError:
            return False

    if ran.returncode == 0:
        if made(1):
            return None
        # Some things take minutes.
        api("POST", "/_stripe/clock", {"advance": 600})
        if made(2):
            return None
    try:
        refusal = until("log", lambda: logs.refusal(start), 1)
    except AssertionError:
        refusal = None
    if refusal:
        called = f"{refusal['method']} {refusal['url']} answered {refusal['status']}: {refusal['error']['message']}"
        return called if ran.returncode else f"no {event_type} was made; {called}"
    if ran.returncode:
        return (ran.stdout + ran.stderr).strip().splitlines()[-1]
    return f"every call succeeded, but no {event_type} was made"


def listed():
    """The triggers: name, event, whether it is for later."""
    for line in TRIGGERS.read_text().splitlines():
        words = line.split("#")[0].split()
        later = words[:1] == ["later"]
        words = words[later:]
        if words:
            yield words[0], words[-1], later


def triggers(only):
    """Runs the triggers and prints a table. Returns how many failed that should not have."""
    counts = dict.fromkeys(["works", "FAILS", "later", "WORKS"], 0)
    with running("logs", "tail", "--format", "JSON") as lines:
        logs = Logs(lines)
        for name, event_type, later in listed():
            if only and name not in only:
                continue
            wrong = trigger(name, event_type, logs)
            state = ("later" if wrong else "WORKS") if later else ("FAILS" if wrong else "works")
            counts[state] += 1
            print(f"{state:7} {name:45} {wrong or ''}".rstrip(), flush=True)
    print(f"\ntriggers: {counts['works']} work, {counts['FAILS']} fail, {counts['later']} are for later", end="")
    print(f"; {counts['WORKS']} marked `later` in {TRIGGERS.name} work: take the mark away" * (counts["WORKS"] > 0))
    return counts["FAILS"] + counts["WORKS"]


# Everything else


class Receiver:
    """A webhook that takes everything and checks its signature."""

    def __init__(self, secret, certificate=None):
        receiver = self
        self.secret = secret
        self.heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = dict(part.split("=", 1) for part in self.headers["Stripe-Signature"].split(","))
                mac = hmac.new(receiver.secret.encode(), f"{signed['t']}.".encode() + body, hashlib.sha256)
                authentic = hmac.compare_digest(mac.hexdigest(), signed["v1"])
                authentic &= abs(time.time() - int(signed["t"])) < 300
                receiver.heard.append((self.path, dict(self.headers), json.loads(body), authentic))
                self.send_response(200 if authentic else 400)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = self.url.replace("http", "https", 1)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hears(self, count):
        """The next so many events, and no more than that."""
        until(f"{count} events", lambda: len(self.heard) >= count, instead=self.heard)
        # Whatever is not to come would come at once.
        time.sleep(0.3)
        heard, self.heard = self.heard, []
        assert len(heard) == count, [event["type"] for _, _, event, _ in heard]
        assert all(authentic for *_, authentic in heard), "a signature does not verify"
        return heard


def create_coupon():
    """Makes one event of a type that can be listened for."""
    return api("POST", "/v1/coupons", {"percent_off": 10})["id"]


def the_secret():
    secret = stripe("listen", "--print-secret").strip()
    assert secret.startswith("whsec_"), secret
    assert stripe("listen", "--print-secret").strip() == secret, "it is another one each time"
    return secret


def forwards(secret):
    receiver = Receiver(secret)
    with running(
        "listen", "--skip-update", "--forward-to", f"{receiver.url}/hook", "--events", "coupon.created",
        "--headers", "X-Shop: till",
    ) as lines:
        assert any(secret in line for line in lines), lines
        coupon = create_coupon()
        api("POST", f"/v1/coupons/{coupon}", {"metadata[a]": "b"})
        [(path, headers, event, _)] = receiver.hears(1)
        assert (path, headers["X-Shop"], event["type"]) == ("/hook", "till", "coupon.created"), (path, headers, event)
        until("answer", lambda: any("[200] POST" in line for line in lines))
    delivered = until("delivery", lambda: [
        delivery for delivery in api("GET", "/_stripe/deliveries")["deliveries"]
        if delivery["event"] == event["id"] and delivery["endpoint"] == "stripe listen"])
    assert delivered[0]["state"] == "delivered", delivered
    create_coupon()
    time.sleep(0.3)
    assert not receiver.heard, "it was told although nobody listens any more"


def forwards_everything(secret):
    receiver = Receiver(secret)
    for version in ([], ["--latest"]):
        with running("listen", "-s", "--all-snapshot", "--forward-to", receiver.url, *version):
            coupon = create_coupon()
            [(_, _, event, _)] = receiver.hears(1)
            assert event["data"]["object"]["id"] == coupon, event


def forwards_as_configured(secret):
    receiver = Receiver(secret)
    endpoint = answered(
        "webhook_endpoints", "create", "--url", "https://shop.example/hooks/stripe", "-d", "enabled_events[]=coupon.created")
    try:
        with running(
            "listen", "-s", "--all-snapshot", "--load-from-webhooks-api", "--forward-to", f"{receiver.url}/here"
        ):
            create_coupon()
            [(path, *_)] = receiver.hears(1)
            assert path == "/here/hooks/stripe", path
    finally:
        api("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def forwards_to_https(secret):
    certificate = FOLDER / "receiver.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
         "-keyout", certificate, "-out", FOLDER / "certificate.pem"], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (FOLDER / "certificate.pem").read_text())
    receiver = Receiver(secret, certificate)
    listen = ["listen", "-s", "--events", "coupon.created", "--forward-to", receiver.url]
    with running(*listen) as lines:
        create_coupon()
        until("refusal", lambda: any("certificate" in line for line in lines))
    with running(*listen, "--skip-verify"):
        create_coupon()
        receiver.hears(1)


def resends(secret):
    listener = Receiver(secret)
    create_coupon()
    event = newest("coupon.created")
    with running("listen", "-s", "--events", "coupon.created", "--forward-to", listener.url):
        assert answered("events", "resend", event)["id"] == event
        [(_, _, heard, _)] = listener.hears(1)
        assert heard["id"] == event, heard
    endpoint = Receiver(None)
    made = api("POST", "/v1/webhook_endpoints", {"url": endpoint.url, "enabled_events[]": "coupon.updated"})
    endpoint.secret = made["secret"]
    try:
        assert answered("events", "resend", event, "--webhook-endpoint", made["id"])["id"] == event
        [(_, _, heard, _)] = endpoint.hears(1)
        assert heard["id"] == event, heard
    finally:
        api("DELETE", f"/v1/webhook_endpoints/{made['id']}")


def tails_logs():
    with running("logs", "tail") as lines, running(
        "logs", "tail", "--format", "JSON", "--filter-http-method", "POST", "--filter-status-code-type", "4XX"
    ) as refused:
        api("GET", "/v1/coupons")
        create_coupon()
        with contextlib.suppress(urllib.error.HTTPError):
            api("POST", "/v1/coupons", {"percent_off": 500})
        until("lines", lambda: any("[400] POST /v1/coupons" in line for line in lines))
        assert any("[200] GET /v1/coupons" in line for line in lines), lines
        logs = until("refusal", lambda: Logs(refused).since(0))
    assert [(log["method"], log["url"], log["status"]) for log in logs] == [("POST", "/v1/coupons", 400)], logs
    assert logs[0]["error"]["param"] == "percent_off", logs


def runs_fixtures():
    fixture = FOLDER / "fixture.json"
    fixture.write_text(json.dumps({
        "_meta": {"template_version": 0},
        "fixtures": [
            {"name": "rebate", "path": "/v1/coupons", "method": "post", "params": {"percent_off": 25}},
            {"name": "named", "path": "/v1/coupons/${rebate:id}", "method": "post",
             "params": {"metadata": {"of": "${rebate:percent_off}"}}},
        ],
    }))
    stripe("fixtures", str(fixture))
    newest = api("GET", "/v1/coupons", {"limit": 1})["data"][0]
    assert newest["percent_off"] == 25 and float(newest["metadata"]["of"]) == 25, newest


def knows_resources():
    coupon = answered("coupons", "create", "--percent-off", "15", "-d", "metadata[of]=the CLI")
    assert coupon["metadata"] == {"of": "the CLI"}, coupon
    assert answered("coupons", "retrieve", coupon["id"]) == coupon
    assert answered("get", f"/v1/coupons/{coupon['id']}") == coupon
    assert answered("get", "/v1/coupons", "-d", "limit=1")["data"] == [coupon]
    other = answered("post", "/v1/coupons", "-d", "percent_off=5")
    assert [it["id"] for it in answered("coupons", "list", "--limit", "2")["data"]] == [other["id"], coupon["id"]]
    event = answered("events", "list", "--limit", "1")["data"][0]
    assert answered("events", "retrieve", event["id"]) == event


def knows_customers():
    customer = answered("customers", "create", "--email", "buyer@mail.example", "-d", "metadata[of]=the CLI")
    assert (customer["email"], customer["metadata"]) == ("buyer@mail.example", {"of": "the CLI"}), customer
    customer = answered("customers", "update", customer["id"], "--name", "Buyer")
    assert customer["name"] == "Buyer", customer
    assert answered("customers", "delete", customer["id"], "-c")["deleted"] is True


def steps():
    """Every other command. Returns how many failed."""
    failed = 0
    secret = None

    def step(what, work, *arguments):
        nonlocal failed
        try:
            done = work(*arguments)
        except (AssertionError, urllib.error.HTTPError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAILS   {what}: {' '.join(str(error).split())}", flush=True)
        else:
            print(f"works   {what}", flush=True)
            return done

    secret = step("listen --print-secret prints the same secret every time", the_secret)
    if secret:
        step("listen --forward-to --events --headers forwards what was asked for, signed", forwards, secret)
        step("listen --all-snapshot [--latest] forwards each event once", forwards_everything, secret)
        step("listen --load-from-webhooks-api forwards what the endpoints want", forwards_as_configured, secret)
        step("listen --skip-verify forwards to a certificate of one's own", forwards_to_https, secret)
        step("events resend [--webhook-endpoint] sends an event again", resends, secret)
    step("logs tail [--filter-…] shows the requests that fit", tails_logs)
    step("fixtures runs a file", runs_fixtures)
    step("coupons, events, get and post create, show and list", knows_resources)
    step("customers creates, updates and deletes", knows_customers)
    return failed


only = sys.argv[1:]
wrong = 0 if only else steps()
print(flush=True)
wrong += triggers(only)
sys.exit(bool(wrong))
