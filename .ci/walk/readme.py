"""Takes the commands out of README.md and two of the documents, and checks or runs them. Run by `readme`."""

import os
import re
import shlex
import subprocess
import sys

DOCUMENTS = ["README.md", "docs/OPERATIONS.md", "docs/EVENTS.md"]
# Other names for till.
ALIASES = ["cargo run -q --", "cargo run --", "cargo run"]
# What stands for the id of a purchase.
PURCHASE, AN_ID = r"\$\w+|\bID\b", "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57"


def blocks(document, heading=None):
    """The shell blocks of a document, or of one of its sections."""
    text = open(document).read()
    if heading:
        text = re.split(r"(?m)^## ", text.split(f"## {heading}\n", 1)[1])[0]
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", text)


def complain(complaints):
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))


def read(till):
    """Everything that may be wrong with a command that is not run here."""
    complaints = []
    for document in DOCUMENTS:
        for block in blocks(document):
            # zsh takes comments for arguments, unless they are in a file.
            comments = re.findall(r"(?m)(?:^|\s)# .*$", block)
            complaints += [f"{document}: zsh does not know comments at its prompt: {it.strip()}" for it in comments]
            for shell in ("bash", "zsh"):
                checked = subprocess.run([shell, "-n"], input=block, capture_output=True, text=True)
                if checked.returncode:
                    complaints.append(f"{document}: {shell} cannot read it: {checked.stderr}{block}")
        commands = list(of_till(document))
        assert commands, document
        for command in commands:
            asked = subprocess.run([till, *command, "--help"], capture_output=True, text=True)
            if asked.returncode:
                complaints.append(f"{document}: till {shlex.join(command)}\n{asked.stderr}")
        print(f"{document}: {len(blocks(document))} blocks, {len(commands)} commands of till", flush=True)
    complain(complaints + list(dead_links()))


def dead_links():
    """Links and pictures in our documents that lead nowhere. Those to other sites are not followed."""
    documents = subprocess.run(["git", "ls-files", "*.md"], capture_output=True, text=True, check=True).stdout.split()
    links = 0
    for document in documents:
        text = re.sub(r"(?ms)^```.*?^```$|`[^`\n]*`", "", open(document).read())
        targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?m)^\[[^\]]+\]: (\S+)$", text)
        targets += re.findall(r'(?:src|srcset)="([^"]+)"', text)
        for target in targets:
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            path, _, heading = target.partition("#")
            leads_to = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
            if not os.path.exists(leads_to):
                yield f"{document}: there is no {leads_to}, to which it links"
            elif heading and heading not in headings(leads_to):
                yield f"{document}: {leads_to} has no heading #{heading}, to which it links"
        yield from (f"{document}: [{name}] is not said to lead anywhere" for name in re.findall(r"\]\[([^\]]+)\]", text)
                    if f"\n[{name}]: " not in text)
    print(f"{len(documents)} documents: {links} links within the repository", flush=True)


def headings(document):
    """As GitHub names them in addresses."""
    text = re.sub(r"(?ms)^```.*?^```$", "", open(document).read())
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.+?)\s*$", text)]


def of_till(document):
    """The arguments of every `till …`, in blocks and in running text."""
    text = open(document).read()
    code = "\n".join(blocks(document)).replace("\\\n", " ").splitlines()
    code += re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
    for line in code:
        for alias in ALIASES:
            line = line.replace(alias, "till")
        for command in re.findall(r"(?:^|&& |\$\()till\b([^|)]*)", line.strip()):
            if command.strip() != "…":
                # Running text leaves out what follows an id's prefix.
                command = re.sub(r"\b([a-z]+_)…", r"\g<1>1", command)
                yield shlex.split(re.sub(PURCHASE, AN_ID, command))


def paste(shell):
    """Runs "Try it" as if pasted at a prompt, which exposes a command that reads what follows it."""
    pasted = blocks("README.md", "Try it")
    assert len(pasted) > 2, "the README's section has lost its commands"
    at_prompt = [*shlex.split(shell), "-i", "-s"]
    script = "set -euo pipefail\n" + "\n".join(pasted) + "\necho 'All of it was done.'\n"
    ran = subprocess.run(at_prompt, input=script, stdout=subprocess.PIPE, text=True, timeout=300)
    print(ran.stdout, end="")
    assert ran.returncode == 0 and ran.stdout.endswith("All of it was done.\n"), f"{shell} ended with {ran.returncode}"


{"read": read, "paste": paste}[sys.argv[1]](sys.argv[2])
