"""Keeps a local shop and the stand-in busy for long, and watches their memory, files and threads. Run by `soak`."""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import plot
from local_shop import FORM, STRIPE_KEY, Client, Unexpected, expected, free_ports, running_shop

MUG = "sample-mug"
# Tokens are valid for an hour.
SIGN_IN_EVERY = 30 * 60
# The first part of a run fills caches and logs; what counts is how things go on from there.
WARM = 0.4
# What may be added in the rest of a run where data is on disk: the allocator's and SQLite's coming and going.
MEMORY_LEEWAY, FILES_LEEWAY = 0.10, 8

ARGUMENTS = argparse.ArgumentParser(description="Keeps a local shop and the stand-in busy")
ARGUMENTS.add_argument("minutes", nargs="?", type=float, default=60, help="how long (60)")
ARGUMENTS.add_argument("--purchases", type=float, default=3, help="purchases a second in each shop (3)")
ARGUMENTS.add_argument("--payments", type=float, default=5, help="payments a second at each stand-in (5)")
ARGUMENTS.add_argument("--plot", metavar="FILE", help="draw memory over time into an SVG file")

Sample = namedtuple("Sample", "minutes memory files threads disk done")


class Watched:
    """A program under load, and what was seen of it."""

    def __init__(self, name, process, data, work):
        self.name, self.process, self.data, self.work = name, process, data, work
        self.done, self.samples = 0, []

    def look(self, minutes):
        process = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        files = len(os.listdir(process / "fd"))
        disk = sum(it.stat().st_size for it in self.data.rglob("*") if it.is_file()) if self.data else 0
        memory = int(status["VmRSS"].split()[0]) / 1024
        self.samples.append(Sample(minutes, memory, files, int(status["Threads"]), disk / 2**20, self.done))


def leaves(group):
    """The errors in a group, and in the groups in it."""
    for error in group.exceptions:
        yield from leaves(error) if isinstance(error, BaseExceptionGroup) else [error]


async def paced(watched, rate, until):
    """Starts the work so many times a second, and never more than 64 at once."""
    room = asyncio.Semaphore(64)

    async def one():
        try:
            await watched.work(watched.done)
            watched.done += 1
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        due = time.monotonic()
        while due < until:
            await asyncio.sleep(max(0, due - time.monotonic()))
            await room.acquire()
            group.create_task(one())
            due = max(due + 1 / rate, time.monotonic() - 1)


def buyer_of(shop):
    """A buyer's walk; every fifth purchase is refunded in part, and every tenth left to be cancelled."""
    tokens = {}

    async def token(number):
        email = f"{number % 200}@soak.example"
        known, since = tokens.get(email, (None, 0))
        if time.monotonic() > since + SIGN_IN_EVERY:
            known = await shop.sign_in(email)
            tokens[email] = known, time.monotonic()
        return known

    async def walk(number):
        shop.took.clear()
        signed = await token(number)
        await shop.look("/products")
        opened = await shop.checkout(signed, [(MUG, 1)])
        path = f"/purchases/{opened['purchase_id']}"
        if number % 10 == 9:
            answer = await shop.shop.ask("POST", f"{path}/cancel", authorization=signed)
            expected(answer, 200, "cancelling")
            return
        await shop.pay(opened["url"])
        for _ in range(3000):
            if (await shop.look(path, signed))["status"] == "paid":
                break
            await asyncio.sleep(0.02)
        else:
            raise Unexpected(f"{path} is not paid after a minute")
        await shop.look("/purchases", signed)
        if number % 5 == 0:
            session = opened["url"].rsplit("/", 1)[1]
            intent = (await shop.at_stripe("GET", f"/v1/checkout/sessions/{session}"))["payment_intent"]
            await shop.at_stripe("POST", "/v1/refunds", payment_intent=intent, amount=500)

    return walk


def payer_of(client):
    async def pay(_):
        body = b"amount=1500&currency=usd&payment_method=pm_card_visa&confirm=true"
        answer = await client.ask("POST", "/v1/payment_intents", body, FORM, authorization=STRIPE_KEY)
        paid = expected(answer, 200, "a payment")
        assert paid["status"] == "succeeded", paid
        expected(await client.ask("GET", f"/v1/charges?limit=10&payment_intent={paid['id']}", authorization=STRIPE_KEY),
                 200, "its charges")

    return pay


@contextlib.asynccontextmanager
async def running_stand_in(data=None):
    port = free_ports()
    command = [os.environ["STAND_IN"], "--port", str(port), *(["--data", str(data)] if data else [])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Client(port)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                await client.ask("GET", "/v1/customers", authorization=STRIPE_KEY)
                break
            await asyncio.sleep(0.1)
        yield client, process
    finally:
        process.terminate()
        process.wait(timeout=30)


async def watch(programs, began, until):
    while time.monotonic() < until:
        for program in programs:
            if program.process.poll() is not None:
                raise Unexpected(f"{program.name} ended with {program.process.returncode}")
            program.look((time.monotonic() - began) / 60)
        await asyncio.sleep(min(15, max(1, (until - began) / 100)))


def verdict(program):
    """The row of the table, and what is wrong."""
    warm = [it for it in program.samples if it.minutes >= WARM * program.samples[-1].minutes]
    first, last = warm[0], warm[-1]
    third = max(1, len(warm) // 3)
    # Of the first third and the last, the highest: what comes and goes is in both.
    early, late = (max(it.memory for it in part) for part in (warm[:third], warm[-third:]))
    files = [max(it.files for it in part) for part in (warm[:third], warm[-third:])]
    threads = [max(it.threads for it in part) for part in (warm[:third], warm[-third:])]
    each = (last.memory - first.memory) * 1024 / max(1, last.done - first.done)
    kept = (last.disk - first.disk) * 1024 / max(1, last.done - first.done)
    wrong = []
    if files[1] > files[0] + FILES_LEEWAY:
        wrong.append(f"{program.name}: {files[0]} open files became {files[1]}")
    if threads[1] > threads[0] + FILES_LEEWAY:
        wrong.append(f"{program.name}: {threads[0]} threads became {threads[1]}")
    if program.data and late > early * (1 + MEMORY_LEEWAY):
        wrong.append(f"{program.name}: {early:.0f} MiB of memory became {late:.0f}, although its data is on disk")
    row = (f"| {program.name} | {last.done} | {early:.0f} → {late:.0f} MiB | {each:.1f} KiB | "
           f"{f'{kept:.1f} KiB' if program.data else '—'} | {files[0]} → {files[1]} | {threads[0]} → {threads[1]} |")
    return row, wrong


def draw(path, programs):
    thin = lambda samples: samples[:: max(1, len(samples) // 40)]
    lines = lambda chosen: {it.name: [(round(s.minutes, 2), s.memory) for s in thin(it.samples)] for it in chosen}
    panel = lambda title, chosen: plot.Panel(title, "minutes", "MiB of memory", lines(chosen), log_x=False)
    plot.panels(path, "Memory over time under steady load", [
        panel("The shop", [it for it in programs if "shop" in it.name]),
        panel("The stand-in alone", [it for it in programs if "shop" not in it.name]),
    ])


async def main():
    options = ARGUMENTS.parse_args()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = []
        for name, data in (("shop, in memory", None), ("shop, on disk", folder / "shop")):
            shop = await stack.enter_async_context(running_shop(data))
            programs.append(Watched(name, shop.process, data, buyer_of(shop)))
        for name, data in (("stand-in, in memory", None), ("stand-in, on disk", folder / "stand-in")):
            client, process = await stack.enter_async_context(running_stand_in(data))
            programs.append(Watched(name, process, data, payer_of(client)))
        began = time.monotonic()
        until = began + options.minutes * 60
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(programs, began, until))
            for program in programs:
                rate = options.purchases if "shop" in program.name else options.payments
                group.create_task(paced(program, rate, until))
    print(f"{options.minutes:g} minutes; what is compared begins after {WARM:.0%} of them\n")
    print("| | purchases or payments | memory | for each | on disk for each | open files | threads |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    wrong = []
    for program in programs:
        row, is_wrong = verdict(program)
        print(row)
        wrong += is_wrong
    if options.plot:
        draw(options.plot, programs)
    if wrong:
        sys.exit("\n".join(wrong))


try:
    asyncio.run(main())
except* Unexpected as group:
    sys.exit("\n".join(str(error) for error in leaves(group)))
