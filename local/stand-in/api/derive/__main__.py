"""Derives the description of Stripe's API from the types of its official SDKs.

    python3 local/stand-in/api/derive [FOLDER]

downloads the packages named in RELEASES with pip and npm, into FOLDER if one is given (where they are
found the next time), and writes `local/stand-in/api/<release>.txt`. Both SDKs are read, because each
knows what the other does not: Python tells integers from decimal numbers, TypeScript tells a field that
may be absent from one that may be null. Where they disagree on which fields there are, this stops.
"""

import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import describe
import write

# The last releases of both SDKs that pin a version of each major release, the newest first.
RELEASES = [
    # PyPI, npm
    ("16.1.0", "23.1.0"),  # endive
    ("15.6.2", "22.6.0"),  # dahlia
    ("14.4.2", "20.4.0"),  # clover
    ("12.5.2", "18.5.0"),  # basil
    ("11.6.1", "17.7.0"),  # acacia
]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    descriptions = [
        describe.Description(from_pypi(folder, python), from_npm(folder, node))
        for python, node in RELEASES
    ]
    for file, text in write.texts(descriptions):
        (pathlib.Path(__file__).parent.parent / file).write_text(text)
        print(f"{file}: {len(text)} bytes")
    for one in descriptions:
        print(
            f"{one.version}: {len(one.operations)} operations, {len(one.objects)} objects,"
            f" {len(one.events)} events"
        )


def from_pypi(folder, version):
    target = folder / f"pypi-{version}"
    if not target.exists():
        options = ["--no-deps", "--only-binary", ":all:", "--dest", folder]
        run("pip", "download", "--quiet", *options, f"stripe=={version}")
        (archive,) = folder.glob(f"stripe-{version}-*.whl")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
    return target


def from_npm(folder, version):
    target = folder / f"npm-{version}"
    if not target.exists():
        run("npm", "pack", "--silent", "--pack-destination", folder, f"stripe@{version}")
        with tarfile.open(folder / f"stripe-{version}.tgz") as packed:
            packed.extractall(target, filter="data")
    return target / "package"


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
