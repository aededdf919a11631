"""Check the README's manifest for Kubernetes as far as that goes without a cluster.

    python tests/bench/kubernetes.py [--clips 300]

Needs dask-kubernetes and jsonschema. The manifest must be what the schemas that come with the operator ask for, without a key that they
do not know (a server would drop it). Then the operator's own functions make its pods, and what their containers would run is run as
processes of this machine, with the environment that the pods get; the tree must be that of a local build, byte for byte.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from socket import create_server
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))
from dask_cluster import ENV
from material import full_recipe, tree_of

from audiosynth import build, load_recipe

README = Path(__file__).parents[2] / "README.md"
CRDS = "operator/deployment/helm/dask-kubernetes-operator/crds"


def manifest() -> dict[str, Any]:
    """Return the README's manifest."""
    (block,) = re.findall(r"^```yml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    tree: dict[str, Any] = yaml.safe_load(block)
    return tree


def strict(schema: Any) -> Any:
    """Return a schema that refuses keys it does not name, and takes a number for a quantity as Kubernetes does."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    new = {key: strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        new = {"type": ["integer", "string"]}
    elif isinstance(schema.get("properties"), Mapping) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        new.setdefault("additionalProperties", False)
    return new


def problems(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the operator's schema has against a manifest."""
    from jsonschema import Draft202012Validator

    file = resources.files("dask_kubernetes") / CRDS / f"{tree['kind'].lower()}.yaml"
    crd = yaml.safe_load(file.read_text(encoding="utf-8"))
    versions = {version["name"]: version for version in crd["spec"]["versions"]}
    group, _, version = tree["apiVersion"].partition("/")
    if group != crd["spec"]["group"] or version not in versions or tree["kind"] != crd["spec"]["names"]["kind"]:
        yield f"{tree['apiVersion']} {tree['kind']} is not what {file} defines"
        return
    schema = strict(versions[version]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    schema["properties"].update({"apiVersion": {"type": "string"}, "kind": {"type": "string"}})
    for error in Draft202012Validator(schema).iter_errors(dict(tree)):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def pods(tree: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the pods that the operator makes of a job: of its scheduler, of a worker, of the job itself."""
    from dask_kubernetes.operator.controller import controller

    name, spec = tree["metadata"]["name"], tree["spec"]
    cluster, plain = spec["cluster"]["spec"], {"annotations": {}, "labels": {}}
    scheduler = controller.build_scheduler_deployment_spec(name, cluster["scheduler"]["spec"], **plain)
    worker = controller.build_worker_deployment_spec(
        f"{name}-default", "default", name, "a1", cluster["worker"]["spec"], **plain
    )
    job = controller.build_job_pod_spec(name, name, "default", spec["job"]["spec"], **plain)
    made = {"scheduler": scheduler, "worker": worker}
    return {"job": job["spec"], **{key: value["spec"]["template"]["spec"] for key, value in made.items()}}


def loose_ends(found: Mapping[str, Mapping[str, Any]], tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield mounts without a volume, ports of the service that no container has, a selector that finds no scheduler."""
    for who, pod in found.items():
        volumes = {volume["name"] for volume in pod.get("volumes", ())}
        for container in pod["containers"]:
            yield from (
                f"{who}: no volume {m['name']}" for m in container.get("volumeMounts", ()) if m["name"] not in volumes
            )
    service = tree["spec"]["cluster"]["spec"]["scheduler"]["service"]
    ports = {port["name"]: port["containerPort"] for port in found["scheduler"]["containers"][0]["ports"]}
    yield from (f"service: no port {p['targetPort']}" for p in service["ports"] if p["targetPort"] not in ports)
    if service["selector"]["dask.org/cluster-name"] != tree["metadata"]["name"]:
        yield "service: selects another cluster"


def run(pod: Mapping[str, Any], shared: Path, address: str, *more: str, log: Path) -> subprocess.Popen[bytes]:
    """Start what a pod's container runs, its folder, scheduler and port being those of this machine."""
    (container,) = pod["containers"]
    env = {item["name"]: item["value"] for item in container.get("env", ()) if "value" in item}
    if "DASK_SCHEDULER_ADDRESS" in env:
        env["DASK_SCHEDULER_ADDRESS"] = address
    words = [re.sub(r"\$\((\w+)\)", lambda found: env[found[1]], word) for word in container["args"]]
    words = [word.replace("/shared", str(shared)) for word in words]
    program = Path(sys.executable).with_name(words[0])
    return subprocess.Popen([program, *words[1:], *more], env={**ENV, **env}, stderr=log.open("wb"), cwd=log.parent)


def same_tree(found: Mapping[str, Mapping[str, Any]], clips: int) -> bool:
    """Run the containers of all pods; return whether the set is that of a local build."""
    with tempfile.TemporaryDirectory() as name, create_server(("127.0.0.1", 0)) as server:
        folder = Path(name)
        full_recipe(folder, clips=clips).rename(folder / "recipe.yaml")
        whole = tree_of(build(load_recipe(folder / "recipe.yaml"), folder / "whole").root)
        port = server.getsockname()[1]
        server.close()
        address, running = f"tcp://127.0.0.1:{port}", []
        try:
            more = ("--host", "127.0.0.1", "--port", str(port), "--dashboard-address", "127.0.0.1:0")
            running.append(run(found["scheduler"], folder, address, *more, log=folder / "scheduler.log"))
            running.append(run(found["worker"], folder, address, log=folder / "worker.log"))
            for _ in range(10):  # as `restartPolicy: OnFailure` does where the scheduler is late
                if run(found["job"], folder, address, log=folder / "job.log").wait() == 0:
                    break
            print(
                *(f"{log.stem}: {log.read_text().splitlines()[-1:]}" for log in sorted(folder.glob("*.log"))), sep="\n"
            )
        finally:
            for process in running:
                process.kill()
                process.wait()
        return tree_of(folder / "set") == whole


def main() -> int:
    """Check, run, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=300)
    options = parser.parse_args()
    tree = manifest()
    wrong = [*problems(tree)]
    found = pods(tree)
    wrong += loose_ends(found, tree)
    misspelt = {**tree, "spec": {**tree["spec"], "jobs": {}}}
    if not [*problems(misspelt)]:
        wrong.append("the schema takes keys that it does not know")
    print(f"{tree['kind']} {tree['metadata']['name']}:", *(wrong or ["as the operator's schema wants it"]), sep="\n  ")
    same = same_tree(found, options.clips)
    print(f"what its containers run: {'the same tree' if same else 'ANOTHER TREE'}")
    return 0 if same and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
