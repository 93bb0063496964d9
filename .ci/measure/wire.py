"""What somebody waits for who uses a function, by how far it is from what it calls. Run by `wire`.

Each bootstrap runs behind a Runtime API, and DynamoDB, Parameter Store, SES and Stripe are at the end of a line with
an added round-trip time, behind TLS (`wire_line.py`, `wire_root.py`). What is measured of each:

  next       from starting the process to its first request for work
  first      from starting it to its first answer; an event is there as soon as it asks
  warm       from an event to its answer, one at a time, in a process that has answered others
  processor  time of all of the process's threads for a warm event, by the system's clock for it
  memory     the most that the process had, after all of its events
  opened     connections, by the first answer
  in a row   round trips one after the other: what of `first` and `warm` grows with the round-trip time

Beside checkout and webhook run the same jobs as one writes them in Python and for Node (`peers`), and what they do of
durable work is compared: each call to DynamoDB and each session opened at Stripe, by the members of what is sent.
"""

import argparse
import asyncio
import collections
import json
import math
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import wire_line
import wire_root
import wire_shop

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parent / "peers"
FUNCTIONS = ["catalog", "checkout", "mailer", "purchases", "reconcile", "webhook"]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "wire",
    "AWS_SECRET_ACCESS_KEY": "wire",
    "AWS_SESSION_TOKEN": "wire" * 200,  # Lambda's have about this length.
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "wire",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "wire",
    "AWS_LAMBDA_LOG_STREAM_NAME": "wire",
    "DEVELOPER_EMAIL": "developer@example.com",
    "EVENT_BUS": "shop-events",
    "FILES_BUCKET": "shop-files",
    "MAIL_FROM": "shop@example.com",
    "MAX_OPEN_PURCHASES": "10",
    "MAX_RESERVED_PIECES": "20",
    "OUTBOX_TABLE": "outbox",
    "PRODUCTS_TABLE": "products",
    "PURCHASES_TABLE": "purchases",
    # Lambda has no place for it, either.
    "PYTHONDONTWRITEBYTECODE": "1",
    "SELLER_EMAIL": "seller@example.com",
    "SHOP_NAME": "Till",
    "SITE_URL": "https://shop.example.com",
    "TILL_MODE": "test",
    "TILL_STACK": "till",
    "STRIPE_SECRET_KEY_PARAMETER": "/till/stripe-secret-key",
    "STRIPE_WEBHOOK_SECRETS_PARAMETER": "/till/stripe-webhook-secrets",
    "SECRETS_STORE": "ssm",
}
# Two of these, far enough from a processor's part, tell how many round trips are in a row.
NEAR, FAR = 20, 70


class Candidate:
    def __init__(self, label, job, command, size=None, peer_of=None):
        self.label, self.job, self.command, self.size, self.peer_of = label, job, command, size, peer_of
        self.of_round_trip, self.work = {}, None


class Process:
    """A function from its start to its end."""

    def __init__(self, bench, candidate):
        self.bench, self.candidate, self.runtime = bench, candidate, bench.runtime
        self.asked = asyncio.get_running_loop().create_future()
        self.runtime.asked, self.runtime.done = self.on_asked, self.on_done
        self.runtime.waiting = None
        self.done = None

    def on_asked(self, at):
        if not self.asked.done():
            self.asked.set_result(at)

    def on_done(self, at, body, failure):
        if self.done and not self.done.done():
            self.done.set_result((at, body, failure))

    async def start(self):
        self.began = time.perf_counter()
        log = self.bench.log
        # Without `close_fds`, Python starts it by vfork, in a tenth of the time.
        self.process = subprocess.Popen(
            self.candidate.command, env=self.bench.environment, close_fds=False, stdout=log, stderr=log
        )
        return await self.within(self.asked) - self.began

    async def within(self, future):
        try:
            return await asyncio.wait_for(future, 30)
        except TimeoutError:
            self.fail(f"did not answer; its exit status is {self.process.poll()}; {self.bench.wire.failed}")

    def fail(self, why):
        self.bench.log.flush()
        raise SystemExit(f"{self.candidate.label} {why}\n{self.bench.log_file.read_text()[-2000:]}")

    async def invoke(self, event):
        """Seconds until its answer, and the answer."""
        await self.within(self.asked)
        self.asked = asyncio.get_running_loop().create_future()
        self.done = asyncio.get_running_loop().create_future()
        sent = self.runtime.invoke(event)
        at, body, failure = await self.within(self.done)
        said = json.loads(body) if body else None
        if failure or (isinstance(said, dict) and said.get("statusCode", 200) >= 300):
            self.fail(f"failed: {failure or body}")
        self.answered = at
        return at - sent, said

    def processor(self):
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))

    async def end(self):
        # What it asks after its last answer must not be taken for what the next process asks.
        await self.within(self.asked)
        self.process.kill()
        self.process.wait()


class Bench:
    async def open(self, folder):
        self.folder = Path(folder)
        self.log_file = self.folder / "log"
        self.log = self.log_file.open("wb")
        self.authority = wire_root.Authority(folder)
        self.wire = wire_line.Wire(self.authority.server)
        self.tables, self.stripe, self.events = wire_shop.Tables(), wire_shop.Stripe(), wire_shop.Events()
        dynamodb = await self.wire.add("dynamodb", self.tables.answered)
        parameters = await self.wire.add("parameters", wire_shop.parameter_store)
        ses = await self.wire.add("ses", wire_shop.ses)
        stripe = await self.wire.add("stripe", self.stripe.answered)
        self.runtime = wire_line.RuntimeApi()
        port = await self.wire.listen(self.runtime)
        self.environment = ENVIRONMENT | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
            "AWS_ENDPOINT_URL_SSM": parameters.url,
            "AWS_ENDPOINT_URL_SES": ses.url,
            "STRIPE_API_BASE": stripe.url,
            # Till's functions heed neither; see `wire_root`.
            "AWS_CA_BUNDLE": str(self.authority.root),
            "NODE_EXTRA_CA_CERTS": str(self.authority.root),
        }

    async def prepare(self, checkout, webhook, count):
        """Lets the functions themselves make the purchases that there are: as they are before they are paid, and after."""
        at = await self.filled(checkout, count)
        self.events.purchases = [self.purchase(item) for item in at.values() if item.get("sk", {}).get("S") == "purchase"]
        self.tables_for = {"webhook": at}
        self.tables.items = dict(at)
        paid = await self.filled(webhook, count)
        self.tables_for |= dict.fromkeys(["purchases_", "mailer"], paid)
        rows = [item["id"]["S"] for place, item in paid.items() if place[0] == "outbox"]
        receipts = [row for row in rows if row.endswith("#paid") and not row.startswith("event#")]
        assert len(receipts) == count, "a webhook did not order its mail"

    async def filled(self, candidate, count):
        process = Process(self, candidate)
        await process.start()
        for _ in range(count):
            await process.invoke(self.events.of(candidate.job))
        await process.end()
        return dict(self.tables.items)

    @staticmethod
    def purchase(item):
        buyer, attempt = item["order"]["M"]["buyer"]["M"], item["attempt"]["M"]
        session = attempt["session"]["S"] if "session" in attempt else next(iter(item["facts"]["M"]["sessions"]["M"]))
        return {"id": item["pk"]["S"], "buyer": buyer["subject"]["S"], "session": session}

    async def once(self, candidate, round_trip, warm):
        """One process: its start, its first answer, and as many more as `warm` says after as many to get warm."""
        self.wire.round_trip = round_trip / 1000
        self.tables.items = dict(self.tables_for.get(candidate.job, {}))
        self.wire.forget()
        self.tables.refused = 0
        process = Process(self, candidate)
        into_next = await process.start()
        await process.invoke(self.events.of(candidate.job))
        first = process.answered - process.began
        opened = {name: service.connections for name, service in self.wire.services.items() if service.connections}
        taken, events = [], [self.events.of(candidate.job) for _ in range(2 * warm)]
        for event in events[:warm]:
            await process.invoke(event)
        before = process.processor()
        self.tables.asked, self.stripe.asked = [], []
        for event in events[warm:]:
            taken.append((await process.invoke(event))[0])
        used = (process.processor() - before) / warm if warm else math.nan
        if warm:
            candidate.work = self.work(warm)
        memory = process.memory()
        await process.end()
        if self.tables.refused:
            process.fail(f"had {self.tables.refused} of its transactions refused")
        return {"next": into_next, "first": first, "warm": taken, "processor": used, "memory": memory, "opened": opened}

    def work(self, warm):
        """What is asked of DynamoDB and Stripe for one event: the calls, and the members of what is sent."""
        asked = self.tables.asked + self.stripe.asked
        counted = collections.Counter(what for what, _ in asked) + wire_shop.members(asked)
        return {what: count / warm for what, count in counted.items()}


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, math.ceil(part * len(values)) - 1)]


def summary(runs):
    warm = [taken for run in runs for taken in run["warm"]]
    return {
        "next": statistics.median(run["next"] for run in runs) * 1000,
        "first": statistics.median(run["first"] for run in runs) * 1000,
        "p50": statistics.median(warm) * 1000,
        "p99": percentile(warm, 0.99) * 1000,
        "processor": statistics.median(run["processor"] for run in runs) * 1000,
        "memory": statistics.median(run["memory"] for run in runs) / 1024,
        "opened": runs[0]["opened"],
    }


def print_results(candidates, round_trips):
    for candidate in candidates:
        size = f", {candidate.size / 2**20:.2f} MiB" if candidate.size else ""
        print(f"\n{candidate.label}{size}")
        print(f"  {'round trip':>12}{'next':>10}{'first':>10}{'warm p50':>10}{'p99':>10}{'processor':>11}{'memory':>10}")
        for round_trip in round_trips:
            of = candidate.of_round_trip[round_trip]
            times = "".join(f"{of[name]:10.2f}" for name in ("next", "first", "p50", "p99"))
            print(f"  {round_trip:9} ms{times}{of['processor']:11.3f}{of['memory']:6.1f} MiB")
        of = candidate.of_round_trip
        if {NEAR, FAR} <= of.keys():
            in_a_row = {name: (of[FAR][name] - of[NEAR][name]) / (FAR - NEAR) for name in ("next", "first", "p50")}
            candidate.in_a_row = in_a_row
            opened = ", ".join(f"{count} {name}" for name, count in of[FAR]["opened"].items()) or "none"
            print("  in a row: " + ", ".join(f"{name} {count:.1f}" for name, count in in_a_row.items()) + f"; opened: {opened}")


def compare_work(candidates):
    """A peer that does less, or more, is not compared with."""
    for peer in candidates:
        own = next((one.work for one in candidates if one.label == peer.peer_of), None)
        if own is not None and peer.work != own:
            places = sorted(place for place in own.keys() | peer.work.keys() if own.get(place) != peer.work.get(place))
            differing = "\n".join(f"{place}: {peer.work.get(place, 0):g}, not {own.get(place, 0):g}" for place in places)
            raise SystemExit(f"{peer.label} does other work than {peer.peer_of}:\n{differing}")
        if own is not None:
            calls = [f"{count:g} {what}" for what, count in own.items() if "." not in what]
            alike = f"{len(own) - len(calls)} kinds of members sent"
            print(f"{peer.label} does the work of {peer.peer_of}: {', '.join(calls)}; {alike}")


def peers(options, bench):
    for name in ("checkout", "webhook"):
        yield Candidate(f"{name} in Python", name, [sys.executable, str(PEERS / f"{name}.py")], peer_of=name)
        if options.node_peers:
            bundle = Path(options.node_peers) / f"{name}.mjs"
            yield Candidate(f"{name} for Node", name, [shutil.which("node"), str(bundle)], bundle.stat().st_size, peer_of=name)


def candidates_of(options, bench):
    target = Path(options.target)
    hello = target / "examples/hello"
    found = [Candidate("a bare hello", "hello", [str(hello)], hello.stat().st_size)]
    for name in FUNCTIONS:
        path = target / name
        bootstrap = bench.authority.trusted_by(path)
        # `purchases` is also what the events know of what was bought.
        found.append(Candidate(name, {"purchases": "purchases_"}.get(name, name), [str(bootstrap)], path.stat().st_size))
    if options.peers:
        found += peers(options, bench)
    return found


async def measure(options, folder):
    bench = Bench()
    await bench.open(folder)
    candidates = candidates_of(options, bench)
    by_label = {candidate.label: candidate for candidate in candidates}
    await bench.prepare(by_label["checkout"], by_label["webhook"], 2 * options.warm + 8)
    jobs = [*options.jobs, "a bare hello"]
    wanted = [one for one in candidates if not options.jobs or {one.label, one.peer_of} & {*jobs}]
    runs = {(candidate, round_trip): [] for candidate in wanted for round_trip in options.round_trips}
    for turn in range(options.runs):
        # In another order each time: the scheduler makes whatever comes after a busy one wait.
        for candidate, round_trip in random.sample(list(runs), len(runs)):
            # At a distance, a warm answer is nearly all waiting, and few of them say what there is to say.
            warm = options.warm if round_trip < NEAR else max(3, options.warm // 20)
            runs[candidate, round_trip].append(await bench.once(candidate, round_trip, warm))
        print(f"turn {turn + 1} of {options.runs}", flush=True)
    for (candidate, round_trip), measured in runs.items():
        candidate.of_round_trip[round_trip] = summary(measured)
    compare_work(wanted)
    print_results(wanted, options.round_trips)
    if options.json:
        Path(options.json).write_text(json.dumps({one.label: one.of_round_trip for one in wanted}, indent=1))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("jobs", nargs="*", help="which to measure [default: all]")
    options.add_argument("--runs", type=int, default=7, help="how often each is started at each distance (7)")
    options.add_argument("--warm", type=int, default=100, help="warm events of each start (100)")
    options.add_argument("--round-trips", type=int, nargs="+", default=[0, 2, NEAR, FAR], help="in milliseconds")
    options.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="whether to compare")
    options.add_argument("--node-peers", help="the folder with the bundles for Node; without it, they are left out")
    options.add_argument("--json", help="a file to write the results to")
    options.add_argument("--target", required=True, help="the folder with the functions as released")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=wire_line.loop) as runner:
        runner.run(measure(options, folder))


if __name__ == "__main__":
    main()
