"""Derives the description of Stripe's API from the types of its official SDKs.

    python3 local/stand-in/api/derive [FOLDER]

downloads the packages named in RELEASES with pip and npm and writes `local/stand-in/api/<name>.txt` for
the name of each version, as in `2026-10-28.endive`. With a FOLDER, packages are kept and found there.

Both SDKs are read, because each knows what the other does not: Python tells integers from decimal
numbers, TypeScript tells a field that may be absent from one that may be null. A field of an object that
TypeScript does not have stops the script.

For a new version of the API, add the SDKs' releases in front; `TEXTS` in `src/description.rs` lists the
files.
"""

import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.dont_write_bytecode = True

import describe
import write

# PyPI, npm: of each name that versions have, the last releases that pin one, the newest first.
RELEASES = [
    ("16.1.0", "23.1.0"),  # endive
    ("15.6.2", "22.6.0"),  # dahlia
    ("14.4.2", "20.4.0"),  # clover
    ("12.5.2", "18.5.0"),  # basil
    ("11.6.1", "17.7.0"),  # acacia
]


def main(folder):
    descriptions = [
        describe.Description(from_pypi(folder, python), from_npm(folder, node))
        for python, node in RELEASES
    ]
    for name, text in write.texts(descriptions).items():
        (pathlib.Path(__file__).parent.parent / f"{name}.txt").write_text(text)
    for one in descriptions:
        print(
            f"{one.version}: {len(one.operations)} operations, {len(one.objects)} objects,"
            f" {len(one.events)} events"
        )


def from_pypi(folder, version):
    target = folder / f"pypi-{version}"
    if not target.exists():
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
        subprocess.run(["pip", "download", *options, f"stripe=={version}"], check=True)
        (archive,) = folder.glob(f"stripe-{version}-*.whl")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
    return target


def from_npm(folder, version):
    target = folder / f"npm-{version}"
    if not target.exists():
        options = ["--silent", "--pack-destination", folder]
        subprocess.run(["npm", "pack", *options, f"stripe@{version}"], check=True)
        with tarfile.open(folder / f"stripe-{version}.tgz") as packed:
            packed.extractall(target, filter="data")
    return target / "package"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(pathlib.Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(pathlib.Path(temporary))
