"""What the binaries are made of: an SBOM (CycloneDX 1.5) and the texts of the licenses.

src/deploy/dist/sbom.py FOLDER writes mjpegd.cdx.json and LICENSES there. Both come from
`cargo metadata` and Cargo.lock, for the packages that are linked; build tools are left out.
"""

import json
import os
import subprocess
import sys
import tomllib
from datetime import datetime, timezone
from pathlib import Path

TARGETS = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "arm-unknown-linux-musleabi",
]
CARGO = os.environ.get("CARGO", "cargo")


def metadata():
    command = [CARGO, "metadata", "--locked", "--format-version", "1"]
    command += [part for target in TARGETS for part in ("--filter-platform", target)]
    return json.loads(subprocess.check_output(command))


def linked(meta):
    """The ids of all packages that are linked, each with the ids that it needs."""
    # Only `cargo tree` knows the features of the build itself.
    command = [CARGO, "tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none"]
    command += ["--format", "{p}"] + [part for t in TARGETS for part in ("--target", t)]
    lines = subprocess.check_output(command, text=True).splitlines()
    names = {tuple(line.split()[:2]) for line in lines if line}
    ids = {p["id"] for p in meta["packages"] if (p["name"], f"v{p['version']}") in names}
    nodes = [node for node in meta["resolve"]["nodes"] if node["id"] in ids]
    return {node["id"]: sorted(ids.intersection(node["dependencies"])) for node in nodes}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums, kind="library"):
    entry = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package["license"]:
        # Before SPDX, cargo wrote a slash for "or".
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return entry


def standard_library():
    lines = subprocess.check_output(["rustc", "-vV"], text=True).splitlines()
    about = dict(line.split(": ", 1) for line in lines[1:])
    return {
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": about["release"],
        "description": f"the standard library of Rust, commit {about['commit-hash']}",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
    }


# What is linked beside crates. On ARMv6 and ARMv7 musl and the unwinder are those of the
# Debian that built them, elsewhere those of Rust.
C_LIBRARIES = [
    {"name": "musl", "licenses": [{"expression": "MIT"}]},
    {"name": "llvm-libunwind", "licenses": [{"expression": "Apache-2.0 WITH LLVM-exception"}]},
    {"name": "libgcc", "licenses": [{"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}]},
]


def bom(packages, graph, root):
    lock = tomllib.loads(Path("Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    std = standard_library()
    libraries = [component(packages[id], checksums) for id in graph if id != root]
    depends = [
        {"ref": purl(packages[id]), "dependsOn": [purl(packages[dep]) for dep in graph[id]]}
        for id in graph
    ]
    depends[0]["dependsOn"].append(std["bom-ref"])
    others = [std] + [{"type": "library", "bom-ref": c["name"]} | c for c in C_LIBRARIES]
    depends.append({"ref": std["bom-ref"], "dependsOn": [c["name"] for c in C_LIBRARIES]})
    when = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), timezone.utc)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(packages[root], checksums, "application"),
        },
        "components": libraries + others,
        "dependencies": depends,
    }


def licenses(packages, graph):
    """Each text once, under the names of the packages that have it."""
    texts, without = {}, []
    for id in graph:
        folder = Path(packages[id]["manifest_path"]).parent
        files = sorted(f for f in folder.iterdir() if f.is_file() and is_license(f.name))
        for file in files:
            text = file.read_text(errors="replace").strip()
            texts.setdefault(text, []).append(f"{packages[id]['name']} {packages[id]['version']}")
        if not files:
            without.append(f"{packages[id]['name']} {packages[id]['version']}: {packages[id]['license']}")
    others = [f"{c['name']}: {c['licenses'][0]['expression']}" for c in [standard_library()] + C_LIBRARIES]
    without += others
    parts = [f"{', '.join(names)}:\n\n{text}\n" for text, names in texts.items()]
    parts.append("Without a text of their own:\n\n" + "\n".join(without) + "\n")
    return ("\n" + "-" * 80 + "\n\n").join(parts)


def is_license(name):
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"))


def main():
    folder = Path(sys.argv[1])
    meta = metadata()
    packages = {package["id"]: package for package in meta["packages"]}
    root = meta["resolve"]["root"]
    graph = linked(meta)
    # In the order of their names, with the program first.
    order = sorted(graph, key=lambda id: (id != root, packages[id]["name"], packages[id]["version"]))
    graph = {id: graph[id] for id in order}
    text = json.dumps(bom(packages, graph, root), indent=1, sort_keys=False)
    (folder / "mjpegd.cdx.json").write_text(text + "\n")
    (folder / "LICENSES").write_text(licenses(packages, graph))


main()
