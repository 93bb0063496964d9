"""Puts a local shop under load, and looks for what got lost or doubled. Run by `load`."""

import argparse
import asyncio
import json
import platform
import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import plot
from local_shop import Unexpected, all_at_once, expected, percentile, running_shop

LEVELS = [1, 2, 4, 8, 16, 32, 64]
# So many of each buyer's purchases are open while the shop hears nothing from Stripe: less than a buyer may have.
EACH = 8
MUG, LAMP, LAMPS = "sample-mug", "lamp", 1_000_000
PRICE, REFUND = 1500, 500

ARGUMENTS = argparse.ArgumentParser(description="Puts a local shop under load")
ARGUMENTS.add_argument("--walks", type=int, default=300, help="purchases at each number of buyers (300)")
ARGUMENTS.add_argument("--events", type=int, default=10_000, help="events in the burst (10000)")
ARGUMENTS.add_argument("--slice", type=int, default=400, help="events for each lower concurrency (400)")
ARGUMENTS.add_argument("--seed", type=int, default=1, help="in which order events arrive (1)")
ARGUMENTS.add_argument("--plot", metavar="FILE", help="draw throughput and latency into an SVG file")


async def walk(shop, token):
    """One buyer: from the products to a purchase that is paid."""
    await shop.look("/products")
    opened = await shop.checkout(token, [(MUG, 1), (LAMP, 1)])
    await shop.pay(opened["url"])
    path = f"/purchases/{opened['purchase_id']}"
    for _ in range(2000):
        if (await shop.look(path, token, "GET /purchases/{id}"))["status"] == "paid":
            await shop.look("/purchases", token)
            return opened["purchase_id"]
        await asyncio.sleep(0.01)
    raise Unexpected(f"{opened['purchase_id']} was paid, and the shop has not heard of it for twenty seconds")


async def buyers_at_once(shop, options):
    """Rows of the table, and the points of the plot."""
    tokens = [await shop.sign_in(f"{number}@buyers.example") for number in range(max(LEVELS))]
    rows, sold = [], 0
    for level in LEVELS:
        # Each buyer has one purchase at a time, as people do.
        free = list(tokens)

        async def job():
            token = free.pop()
            bought = await walk(shop, token)
            free.append(token)
            return bought

        shop.took = {}
        bought, seconds = await all_at_once(level, [job] * options.walks)
        if len(set(bought)) != options.walks:
            raise Unexpected(f"{options.walks} walks ended in {len(set(bought))} purchases")
        sold += options.walks
        rows.append((level, options.walks / seconds, dict(shop.took)))
    return rows, sold


async def make_events(shop, count):
    """Purchases whose events have all been held back: half of the events are about refunds."""
    await shop.at_stripe("POST", "/_stripe/deliveries/hold")
    known = (await shop.at_stripe("GET", "/_stripe/deliveries?limit=1"))["found"]
    purchases = count // 2
    tokens = [await shop.sign_in(f"{number}@crowd.example") for number in range(-(-purchases // EACH))]

    async def open_one(number):
        token = tokens[number // EACH]
        lamp = number % 2
        opened = await shop.checkout(token, [(MUG, 1), (LAMP, 1)][: 1 + lamp])
        session = opened["url"].rsplit("/", 1)[1]
        status, refunded = "expired", 0
        if number % 10:
            await shop.pay(opened["url"])
            status = "paid"
            # Nine of ten are paid, and five of these nine refunded in part.
            if number % 10 >= 5:
                intent = (await shop.at_stripe("GET", f"/v1/checkout/sessions/{session}"))["payment_intent"]
                await shop.at_stripe("POST", "/v1/refunds", payment_intent=intent, amount=REFUND)
                status, refunded = "partially_refunded", REFUND
        else:
            await shop.at_stripe("POST", f"/v1/checkout/sessions/{session}/expire")
        paid = 0 if status == "expired" else PRICE * (1 + lamp)
        return opened["purchase_id"], token, status, paid, refunded, lamp

    jobs = [lambda number=number: open_one(number) for number in range(purchases)]
    made, _ = await all_at_once(16, jobs)
    deliveries = (await shop.at_stripe("GET", "/_stripe/deliveries"))["deliveries"]
    # A refund is updated by itself after a while, so how many events of that there are is a matter of time.
    events = [it["body"].encode() for it in deliveries[: len(deliveries) - known] if it["type"] != "refund.updated"]
    if len(events) != count:
        raise Unexpected(f"{purchases} purchases made {len(events)} events instead of {count}")
    return made, events


async def burst(shop, options, events):
    """Delivers all events, a tenth of them twice, in any order."""
    chance = random.Random(options.seed)
    everything = events + chance.sample(events, len(events) // 10)
    chance.shuffle(everything)
    rows, results = [], Counter()
    for level in LEVELS:
        part = everything if level == LEVELS[-1] else everything[: options.slice]
        everything = everything[len(part) :]
        shop.took = {}
        told, seconds = await all_at_once(level, [lambda event=event: shop.deliver(event) for event in part])
        results += Counter(told)
        rows.append((level, len(part) / seconds, dict(shop.took)))
    doubled = len(events) // 10
    # What an event says may be known already from another: then it is recorded as nothing new.
    if (results["recorded"] + results["nothing new"], results["seen before"], results.total()) != (
        len(events), doubled, len(events) + doubled
    ):
        raise Unexpected(f"{len(events)} events, {doubled} of them twice, were {dict(results)}")
    return rows


async def check_purchases(shop, made):
    async def check(purchase, token, status, paid, refunded, _):
        found = await shop.look(f"/purchases/{purchase}", token)
        is_so = found["status"], found.get("paid", {}).get("amount", 0), found.get("refunded", {}).get("amount", 0)
        if is_so != (status, paid, refunded):
            raise Unexpected(f"{purchase} is {is_so}, not {(status, paid, refunded)}")

    await all_at_once(16, [lambda one=one: check(*one) for one in made])


async def check_tables(shop, made, events, walked):
    """Nothing lost and nothing doubled: claims, mails, stock, parked events."""
    items = await shop.items("PurchasesTable")
    claims = {item["sk"]["S"] for item in items if item["sk"]["S"].startswith("event#evt_") and "changed" in item}
    told = {f"event#{json.loads(event)['id']}" for event in events}
    if told - claims:
        raise Unexpected(f"{len(told - claims)} events were accepted and not recorded")
    parked = sum(item["pk"]["S"].startswith("parked#") for item in items)
    if parked:
        raise Unexpected(f"{parked} events are parked")
    states = await shop.until_mailed()
    mails = Counter(row["id"]["S"].split("#")[0] for rows in states.values() for row in rows)
    # Of what is sold, the buyer has a receipt, and the seller a mail.
    due = {one[0]: 2 * (one[2] != "expired") + bool(one[4]) for one in made}
    wrong = {one for one, count in due.items() if mails[one] != count}
    if wrong or set(states) - {"sent"} or sum(mails.values()) != sum(due.values()) + 2 * walked:
        raise Unexpected(f"mails: {len(wrong)} purchases have too few or too many; rows by state: "
                         f"{ {state: len(rows) for state, rows in states.items()} }")
    # Each was sent once, although SES would take it twice.
    arrived = len(expected(await shop.shop.ask("GET", "/_local/mailbox.json"), 200, "the mailbox"))
    if arrived != sum(mails.values()):
        raise Unexpected(f"{sum(mails.values())} mails were due, and {arrived} arrived")
    sold = walked + sum(one[5] for one in made if one[2] != "expired")
    if (left := await shop.stock(LAMP)) != LAMPS - sold:
        raise Unexpected(f"{sold} lamps were sold, and {LAMPS - left} are missing")
    return sum(mails.values())


async def deliver_again(shop):
    """Stripe's own deliveries of the same events, at last. Returns how many a second."""
    before = await shop.items("PurchasesTable")
    pending = (await shop.at_stripe("GET", "/_stripe/deliveries?limit=1"))["pending"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    await shop.at_stripe("POST", "/_stripe/deliveries/release")
    while (await shop.at_stripe("GET", "/_stripe/deliveries?limit=1"))["pending"]:
        if loop.time() > began + 600:
            raise Unexpected("the stand-in is still delivering after ten minutes")
        await asyncio.sleep(0.2)
    rate = pending / (loop.time() - began)
    told_since = lambda item: item.get("type") == {"S": "refund.updated"}
    as_text = lambda items: {json.dumps(item, sort_keys=True) for item in items if not told_since(item)}
    if changed := as_text(before) ^ as_text(await shop.items("PurchasesTable")):
        raise Unexpected(f"events that were delivered again have changed {len(changed)} items: {min(changed)}")
    return pending, rate


def table(rows, requests):
    heads = [cell for name in requests for cell in (f"{name}: p50", "p99")]
    print(f"| at once | a second | {' | '.join(heads)} |")
    print(f"| ---: | ---: |{' ---: |' * len(heads)}")
    for level, rate, took in rows:
        cells = [f"{percentile(took[name], part):.1f}" for name in requests for part in (0.5, 0.99)]
        print(f"| {level} | {rate:.0f} | {' | '.join(cells)} |")


def draw(path, walks, events):
    def latency(rows, name):
        return {
            label: [(level, percentile(took[name], part)) for level, _, took in rows]
            for label, part in (("p50", 0.5), ("p99", 0.99))
        }

    waited = {"checkout": "POST /checkout", "products": "GET /products"}
    waited = {f"{what}, {label}": line for what, name in waited.items() for label, line in latency(walks, name).items()}
    plot.panels(path, "Throughput and latency of a local shop against concurrency", [
        plot.Panel("Buyers at once", "buyers", "purchases a second", {"purchases": [row[:2] for row in walks]}),
        plot.Panel("What a buyer waits for", "buyers", "ms", waited, log_y=True),
        plot.Panel("Events at once", "connections", "events a second", {"events": [row[:2] for row in events]}),
        plot.Panel("What Stripe waits for", "connections", "ms", latency(events, "POST /webhook"), log_y=True),
    ])


async def main():
    options = ARGUMENTS.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}; milliseconds, the load on the same machine\n")
    async with running_shop() as shop:
        await shop.limit(LAMP, LAMPS)
        walks, walked = await buyers_at_once(shop, options)
        print(f"Purchases from the products to the paid purchase, {options.walks} at each level:\n")
        table(walks, ["GET /products", "POST /checkout", "GET /purchases/{id}"])
        made, events = await make_events(shop, options.events + options.slice * (len(LEVELS) - 1))
        arrived = await burst(shop, options, events)
        print(f"\n{len(events)} events, a tenth of them twice, in any order; the last level is the burst:\n")
        table(arrived, ["POST /webhook"])
        await check_purchases(shop, made)
        mails = await check_tables(shop, made, events, walked)
        again, rate = await deliver_again(shop)
        print(f"\n{walked + len(made)} purchases as Stripe has them, {len(events)} events recorded once, "
              f"{mails} mails sent, no lamp missing. {again} events that the stand-in then delivered itself, "
              f"{rate:.0f} a second, changed nothing.")
    if options.plot:
        draw(options.plot, walks, arrived)


try:
    asyncio.run(main())
except* Unexpected as group:
    sys.exit("\n".join(str(error) for error in group.exceptions))
