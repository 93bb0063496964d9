"""Counts what each built function allocates and which calls it makes, per start and per warm invocation, and holds
both to .ci/allocations.json. Run by `allocations`.

    allocations.py [--rewrite]

With the flag, what is counted becomes what is expected."""

import json
import os
import statistics
import struct
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from built_functions import Function, World, buy, sample

EXPECTED = Path(".ci/allocations.json")
# Which piece of a connection's bytes arrives when moves the counts by less than this; so may another processor.
# Whatever moves them further should be meant.
LEEWAY = 0.02
# The first ones fill pools and caches.
WARMING, RUNS = 5, 15
STARTS = 5
WALK = ("catalog", "checkout", "webhook", "mailer", "purchases")


class Counted(Function):
    """A function whose allocations are counted, and which notes them for each call."""

    def __init__(self, name, world):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes(16))
        self.file.flush()
        self.noted = defaultdict(list)
        super().__init__(name, world, LD_PRELOAD=os.environ["COUNTER"], ALLOCATIONS=self.file.name)
        assert self.allocated()[0] > 100, f"{name}: nothing was counted; is it linked to glibc's allocator?"

    def allocated(self):
        """How often, and how many bytes."""
        return struct.unpack("=QQ", Path(self.file.name).read_bytes())

    def call(self, event, measured=True):
        before, calls = self.allocated(), self.world.counted.copy()
        answer = super().call(event, measured)
        if measured:
            since = self.world.counted - calls
            times, size = (after - earlier for after, earlier in zip(self.allocated(), before))
            self.note(times, size, sum(since[who] for who in ("dynamodb", "ses", "stripe")))
        return answer

    def note(self, times, size, calls):
        for what, number in (("allocations", times), ("KiB", size / 1024), ("calls", calls)):
            self.noted[what].append(number)


def middle(noted):
    return {what: round(statistics.median(numbers)) for what, numbers in noted.items()}


def starts(world):
    """What each function allocates until it waits for work."""
    found = {}
    for name in (*WALK, "reconcile"):
        noted = defaultdict(list)
        for _ in range(STARTS):
            function = Counted(name, world)
            times, size = function.allocated()
            noted["allocations"].append(times)
            noted["KiB"].append(size / 1024)
            function.end()
        found[f"{name}, start"] = middle(noted)
    return found


def invocations(world):
    functions = {name: Counted(name, world) for name in WALK}
    for number in range(WARMING + RUNS):
        buy(functions, measured=number >= WARMING)
    found = {name: middle(function.noted) for name, function in functions.items()}
    # A first page of as many purchases as were just made.
    history = functions["purchases"]
    history.noted.clear()
    for number in range(WARMING + RUNS):
        history.call(sample("purchases-list"), number >= WARMING)
    found["purchases, history"] = middle(history.noted)
    return found


def compare(found, expected):
    """What has moved, and by how much."""
    wrong = []
    for name in sorted(found.keys() | expected.keys()):
        is_now, was = found.get(name, {}), expected.get(name, {})
        for what in sorted(is_now.keys() | was.keys()):
            now, then = is_now.get(what), was.get(what)
            if now is None or then is None:
                wrong.append(f"{name}: {what} is {now}, and {EXPECTED} has {then}")
            elif abs(now - then) > (0 if what == "calls" else LEEWAY * then):
                change = f"{(now - then) / then:+.1%}" if then else "new"
                wrong.append(f"{name}: {now} {what}, and {EXPECTED} says {then} ({change})")
    return wrong


def main():
    world = World("Allocations")
    world.make_tables()
    found = starts(world) | invocations(world)
    print(f"{'':24}{'allocations':>12}{'KiB':>8}{'calls':>7}")
    for name, numbers in found.items():
        print(f"{name:24}{numbers['allocations']:>12}{numbers['KiB']:>8}{numbers.get('calls', ''):>7}")
    if "--rewrite" in sys.argv:
        EXPECTED.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
        return
    if wrong := compare(found, json.loads(EXPECTED.read_text())):
        sys.exit("\n".join([*wrong, "If that is meant: .ci/with-shop .ci/check/allocations --rewrite"]))


main()
