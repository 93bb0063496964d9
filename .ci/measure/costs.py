"""Measures what a purchase makes each function do, and multiplies that by AWS's prices. Run by `costs`.

The functions in `.aws-sam/build` run against the tables and the Stripe of a local shop. The processor
time they take, their calls, and the capacity that DynamoDB says it used are counted. What cannot be
measured here, how long AWS and Stripe take to answer, is assumed below and can be changed.

    costs.py [--without-holds]

With the flag, what a buyer holds is left out of the transactions, which shows what counting it costs."""

import json
import sys
from collections import Counter

from built_functions import MEMORY_MB, Function, World, buy, sample
from samtranslator.yaml_helper import yaml_parse

WITHOUT_HOLDS = "--without-holds" in sys.argv
PURCHASES = 10_000
RUNS = 200

# What a buyer does, from the first page to the receipt: calls to each function.
WALK = {"catalog": 4, "checkout": 1, "webhook": 1, "mailer": 1, "purchases": 4}

# Assumed: milliseconds until an answer, from a function in the same region.
WAIT = {"dynamodb": 8, "stripe": 500, "ses": 80}
# 1769 MB of memory come with one processor, less with a proportional share of it.
SHARE = MEMORY_MB / 1769
# Assumed: one call in this many meets a new instance, which takes this long to start.
COLD_ONE_IN, COLD_MS = 10, 150

# US East (N. Virginia), USD, without free tiers.
PRICE = {
    "Lambda, arm64: GB-second": 0.0000133334,
    "Lambda: request": 0.20e-6,
    "DynamoDB: write unit": 0.625e-6,
    "DynamoDB: read unit": 0.125e-6,
    "HTTP API: request": 1.00e-6,
    "SES: mail": 0.10e-3,
    "CloudWatch Logs: GB taken in": 0.50,
}
ALARM_METRIC = 0.10  # a month
MONTH_MINUTES = 30 * 24 * 60


def changed(request):
    if WITHOUT_HOLDS and "TransactItems" in request:
        request["TransactItems"] = [it for it in request["TransactItems"] if "buyer#" not in json.dumps(it)]
    return request


def alarm_metrics():
    """An alarm is billed by the metrics it looks at."""
    resources = yaml_parse(open("template.yaml").read())["Resources"].values()
    alarms = [it["Properties"] for it in resources if it["Type"] == "AWS::CloudWatch::Alarm"]
    return sum(sum("MetricStat" in str(it) for it in alarm.get("Metrics", [])) or 1 for alarm in alarms)


def main():
    world = World("Costs", changed)
    world.make_tables()
    functions = {name: Function(name, world) for name in WALK}
    for number in range(RUNS + 20):
        buy(functions, measured=number >= 20)

    print(f"Per call, measured over {RUNS} purchases; waiting as assumed: {WAIT}\n")
    print("| function | calls | processor ms | DynamoDB calls | read units | write units | billed ms | log bytes |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    spent = Counter()
    for name, calls in WALK.items():
        of = functions[name].per_call
        waiting = sum(of(who) * wait for who, wait in WAIT.items())
        billed = of("processor") / SHARE + waiting + COLD_MS / COLD_ONE_IN
        print(
            f"| {name} | {calls} | {of('processor'):.1f} | {of('dynamodb'):.1f} | {of('read'):.1f} "
            f"| {of('write'):.1f} | {billed:.0f} | {of('logged'):.0f} |"
        )
        calls *= PURCHASES
        spent["Lambda, arm64: GB-second"] += calls * billed / 1000 * MEMORY_MB / 1024
        spent["Lambda: request"] += calls
        spent["DynamoDB: read unit"] += calls * of("read")
        spent["DynamoDB: write unit"] += calls * of("write")
        # With what Lambda itself writes about each call.
        spent["CloudWatch Logs: GB taken in"] += calls * (of("logged") + 900) / 1e9
        if name in ("catalog", "checkout", "purchases"):
            spent["HTTP API: request"] += calls
            # One line of the access log.
            spent["CloudWatch Logs: GB taken in"] += calls * 250 / 1e9
    spent["SES: mail"] = PURCHASES
    print(f"\n| for {PURCHASES:,} purchases | quantity | price, USD | USD |\n| --- | --: | --: | --: |")
    total = 0
    for what, price in PRICE.items():
        total += spent[what] * price
        print(f"| {what} | {spent[what]:,.2f} | {price:.10g} | {spent[what] * price:.2f} |")
    print(f"| **together** | | | **{total:.2f}** |")

    # What there is to pay when nobody buys: the mailer checks every minute whether mail is due.
    minutely = Function("mailer", world)
    for number in range(RUNS + 20):
        minutely.call(sample("mailer-schedule"), measured=number >= 20)
    billed = minutely.per_call("processor") / SHARE + minutely.per_call("dynamodb") * WAIT["dynamodb"]
    looking = MONTH_MINUTES * (
        billed / 1000 * MEMORY_MB / 1024 * PRICE["Lambda, arm64: GB-second"]
        + PRICE["Lambda: request"]
        + minutely.per_call("read") * PRICE["DynamoDB: read unit"]
        + (minutely.per_call("logged") + 900) / 1e9 * PRICE["CloudWatch Logs: GB taken in"]
    )
    alarms = alarm_metrics()
    print("\n| a month, however much is sold | quantity | USD |\n| --- | --: | --: |")
    print(f"| the mailer's check, once a minute, {billed:.0f} ms | {MONTH_MINUTES:,} | {looking:.2f} |")
    print(f"| metrics that alarms watch | {alarms} | {alarms * ALARM_METRIC:.2f} |")


main()
