"""Compiles all mutants of some files into one program, each behind a switch, and lets the tests look for them. Run by
`mutants`."""

import argparse
import bisect
import collections
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

ARGUMENTS = argparse.ArgumentParser(description="Breaks the code in one place after another")
ARGUMENTS.add_argument("--only", default="", metavar="REGEX", help="only mutants whose names match (file:line:column: what)")
ARGUMENTS.add_argument("--stages", default="unit,storm,outside", help="who looks, in turn (unit,storm,outside)")
ARGUMENTS.add_argument("--seeds", default="1..101", help="the storm's stories (1..101, whose end is not played)")
ARGUMENTS.add_argument("--tests", default="", metavar="WORDS", help="from outside, only tests whose names have one of these")
ARGUMENTS.add_argument("--work", required=True, type=Path, help="folder of the copy and of what was found")

PACKAGES = ["shared", "reconcile"]
# The switch is the process's environment, read once.
SWITCH = """
/// Which mutant is on.
#[allow(missing_docs)]
pub mod mutation {
    static ON: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    pub fn on(mutant: usize) -> bool {
        let read = || std::env::var("MUTANT").ok().and_then(|it| it.parse().ok()).unwrap_or(0);
        *ON.get_or_init(read) == mutant
    }
}
"""

Mutant = namedtuple("Mutant", "number name file function start end replacement")


class Text:
    """A file's text, and where its lines begin."""

    def __init__(self, text):
        self.text = text
        self.lines = [0]
        for line in text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def at(self, place):
        return self.lines[place["line"] - 1] + place["column"] - 1

    def line(self, position):
        return bisect.bisect_right(self.lines, position)


def listed():
    """The mutants that cargo-mutants finds, numbered from 1; those outside of functions cannot be switched."""
    command = ["cargo-mutants", "mutants", "--list", "--json", "--config", ".ci/mutants.toml"]
    command += [word for package in PACKAGES for word in ("--package", package)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    mutants, apart = [], []
    for number, it in enumerate(found, 1):
        text = Text(Path(it["file"]).read_text())
        if it["function"] is None:
            apart.append(it["name"])
            continue
        function = tuple(text.at(it["function"]["span"][end]) for end in ("start", "end"))
        head = text.text[function[0]:text.text.index("{", function[0])]
        if "const fn" in head or "impl " in (it["function"]["return_type"] or ""):
            apart.append(it["name"])
            continue
        start, end = text.at(it["span"]["start"]), text.at(it["span"]["end"])
        mutants.append(Mutant(number, it["name"], it["file"], function, start, end, it["replacement"]))
    return mutants, apart


def outermost(mutants):
    """The mutants of a file by the outermost function that they are in."""
    spans = sorted({it.function for it in mutants}, key=lambda it: (it[0], -it[1]))
    outer = []
    for span in spans:
        if not outer or span[0] >= outer[-1][1]:
            outer.append(span)
    chosen = collections.defaultdict(list)
    for it in mutants:
        chosen[next(span for span in outer if span[0] <= it.start and it.end <= span[1])].append(it)
    return chosen


def switched(text, crate, mutants):
    """The text with every mutant's version of its function's body before the real one; and which lines are whose."""
    parts, owners, done, lines = [], [], 0, 1

    def add(part, numbers=()):
        nonlocal lines
        parts.append(part)
        first, lines = lines, lines + part.count("\n")
        if numbers:
            owners.append((first, lines, tuple(numbers)))

    for (start, end), those in sorted(outermost(mutants).items()):
        body = text.index("{", start)
        add(text[done:body] + "{\n")
        for it in those:
            version = text[body:it.start] + it.replacement + text[it.end:end]
            add(f"if {crate}::mutation::on({it.number}) {version}\nelse ", [it.number])
        add(text[body:end] + "\n", [it.number for it in those])
        add("}")
        done = end
    add(text[done:])
    return "".join(parts), owners


def put(path, content, mode):
    """Writes a file, unless that is what is there: what has not changed is not compiled again."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    path.chmod(mode)


def written(copy, files, mutants):
    """Writes the files with these mutants into the copy; returns which of their lines are whose."""
    owners = {}
    for file in files:
        crate = "crate" if file.startswith("shared/") else "shared"
        text, owners[file] = switched(Path(file).read_text(), crate, [it for it in mutants if it.file == file])
        put(copy / file, text.encode(), Path(file).stat().st_mode)
    return owners


def viable(copy, mutants, environment, known):
    """Writes those that compile, and returns them with the names of those that do not, which it keeps in `known`."""
    files, unviable = sorted({it.file for it in mutants}), []
    if known.exists():
        unviable = json.loads(known.read_text())
        mutants = [it for it in mutants if it.name not in unviable]
    while True:
        owners = written(copy, files, mutants)
        command = ["cargo", "check", "--locked", "--message-format", "json", "--tests"]
        command += [word for package in PACKAGES for word in ("--package", package)]
        checked = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        if checked.returncode == 0:
            known.write_text(json.dumps(unviable))
            return mutants, unviable
        wrong = set()
        for line in checked.stdout.splitlines():
            message = json.loads(line).get("message")
            if isinstance(message, dict) and message["level"] == "error":
                wrong |= blamed(message, owners)
        if not wrong:
            sys.exit(f"the sources with mutants do not compile:\n{checked.stderr[-4000:]}")
        unviable += [it.name for it in mutants if it.number in wrong]
        mutants = [it for it in mutants if it.number not in wrong]
        print(f"{len(wrong)} do not compile; {len(mutants)} are left", flush=True)


def blamed(message, owners):
    """The mutants in whose lines the compiler found something."""
    spans = [it for it in message["spans"] if it["is_primary"]] or message["spans"]
    for span in spans:
        for first, last, numbers in owners.get(span["file_name"], []):
            if first <= span["line_start"] <= last:
                return set(numbers)
    return set()


def programs(copy, environment, stages, seeds, words):
    """Builds what looks for mutants: for each stage, what it is asked, and commands that end with 0 if they notice
    nothing."""
    def tests(*arguments):
        command = ["cargo", "test", "--locked", "--no-run", "--message-format", "json", *arguments]
        built = subprocess.run(command, cwd=copy, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        messages = map(json.loads, built.stdout.splitlines())
        return [(it["executable"], Path(it["manifest_path"]).parent) for it in messages
                if it.get("executable") and it["profile"]["test"]]

    chosen = {}
    if "unit" in stages:
        chosen["unit"] = "", [([program], folder) for program, folder in
                          tests("--lib", *[word for package in PACKAGES for word in ("--package", package)])]
    if "storm" in stages:
        build = ["cargo", "build", "--locked", "--release", "--package", "storm"]
        subprocess.run(build, cwd=copy, env=environment, check=True)
        storm = Path(environment["CARGO_TARGET_DIR"]) / "release/storm"
        chosen["storm"] = seeds, [([str(storm), "--no-shrink", "--seeds", seeds], copy)]
    if "outside" in stages:
        built = tests("--test", "*", "--package", "reconcile", "--package", "laptop", "--package", "till")
        chosen["outside"] = words, [([program, *words.split()], folder) for program, folder in built]
    return chosen


def notices(commands, number, environment, patience):
    """Whether in one of the commands a test fails, or it ends badly, or takes much longer than it should."""
    for command, folder in commands:
        # In a session of its own, because what it has started has to end with it.
        program = subprocess.Popen(command, cwd=folder, env={**environment, "MUTANT": str(number)}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        late = threading.Timer(patience, end, [program])
        late.start()
        failed = any(line.endswith("... FAILED\n") for line in program.stdout)
        if failed:
            # The other tests need not be waited for.
            end(program)
        code = program.wait()
        late.cancel()
        if failed or code != 0:
            return True
    return False


def end(program):
    """Ends a program with all that it has started."""
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def hunted(mutants, stage, asked, commands, environment, found, record):
    """Lets a stage look for those that none before it noticed; returns those that are still unnoticed."""
    def open_ones():
        return [it for it in mutants if not any(found.get((stage, how, it.name)) for how in hows)]

    hows = {how for the_stage, how, _ in found if the_stage == stage} | {asked}
    unasked = [it for it in open_ones() if (stage, asked, it.name) not in found]
    if unasked:
        began = time.monotonic()
        if notices(commands, 0, environment, 3600):
            sys.exit(f"{stage} fails without any mutant")
        patience = 60 + 3 * (time.monotonic() - began)
    for it in unasked:
        noticed = notices(commands, it.number, environment, patience)
        found[stage, asked, it.name] = noticed
        record.write(json.dumps([[stage, asked, it.name], noticed]) + "\n")
        record.flush()
    left = open_ones()
    print(f"{stage} {asked}: {len(mutants) - len(left)} of {len(mutants)} noticed", flush=True)
    return left


def main():
    options = ARGUMENTS.parse_args()
    stages = options.stages.split(",")
    copy = options.work / "sources"
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    state = hashlib.sha256()
    for file in map(Path, filter(None, files.split("\0"))):
        content = file.read_bytes()
        state.update(content)
        switch = SWITCH.encode() if file == Path("shared/src/lib.rs") else b""
        put(copy / file, content + switch, file.stat().st_mode)
    # A function with all its mutants, not optimised, needs more of the stack than threads have.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(options.work / "target"), "RUST_MIN_STACK": str(1 << 28)}
    sources = state.hexdigest()[:12]
    mutants, apart = listed()
    print(f"{len(mutants)} mutants, and {len(apart)} that no switch can turn on", flush=True)
    mutants, unviable = viable(copy, mutants, environment, options.work / f"unviable-{sources}.json")
    mutants = [it for it in mutants if re.search(options.only, it.name)]

    log = options.work / f"found-{sources}.jsonl"
    found = {}
    if log.exists():
        for line in log.read_text().splitlines():
            key, noticed = json.loads(line)
            found[tuple(key)] = noticed
    left = mutants
    with log.open("a") as record:
        looking = programs(copy, environment, stages, options.seeds, options.tests)
        for stage, (asked, commands) in looking.items():
            left = hunted(left, stage, asked, commands, environment, found, record)
    print(f"\nOf {len(mutants)} unnoticed: {len(left)}; {len(unviable)} more places do not compile")
    print("\n".join(it.name for it in left))
    print("\nNo switch can turn on:")
    print("\n".join(apart))


main()
