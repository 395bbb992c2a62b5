"""What the manifests promise beyond their schema: the image's user, the restricted profile, and files that belong together."""

import pathlib
import sys

import yaml

folder, policy = (pathlib.Path(argument) for argument in sys.argv[1:])
documents = [
    document
    for file in sorted(folder.glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
    if document
]
by_kind = {}
for document in documents:
    by_kind.setdefault(document["kind"], []).append(document)

kustomization = by_kind["Kustomization"][0]
missing = [name for name in kustomization["resources"] if not (folder / name).is_file()]
assert not missing, f"kustomization.yaml names {missing}"

deployment = by_kind["Deployment"][0]
labels = deployment["spec"]["template"]["metadata"]["labels"].items()
for document in by_kind["PodDisruptionBudget"] + by_kind["Deployment"]:
    wanted = document["spec"]["selector"]["matchLabels"].items()
    assert wanted <= labels, f"{document['kind']} selects {wanted}, the pods have {labels}"
for service in by_kind["Service"]:
    if service["metadata"]["name"] == "mindflow":
        assert service["spec"]["selector"].items() <= labels

for document in by_kind["Deployment"] + by_kind["Job"]:
    pod = document["spec"]["template"]["spec"]
    security = pod["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] == 10001, document["kind"]
    assert security["seccompProfile"]["type"] == "RuntimeDefault", document["kind"]
    assert pod["automountServiceAccountToken"] is False, document["kind"]
    for container in pod["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}, mounted

settings = {document["metadata"]["name"]: document["data"] for document in by_kind["ConfigMap"]}
assert settings["mindflow-settings"]["MINDFLOW__STORAGE__MIGRATE_ON_START"] == "false"
shown = settings["mindflow-policies"]["default.rhai"]
assert shown == policy.read_text(), "policies.yaml is not policies/default/policy.rhai: write it anew"
print(f"{len(documents)} documents in order")
