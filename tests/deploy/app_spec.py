"""The App Platform's spec, held against the fields that its reference names: an unknown one is refused there too."""

import sys

import yaml

ENV = {"key": str, "value": str, "scope": str, "type": str}
SOURCE = {"github": dict, "dockerfile_path": str, "run_command": str, "instance_size_slug": str, "instance_count": int}
HEALTH = {
    "http_path": str,
    "initial_delay_seconds": int,
    "period_seconds": int,
    "timeout_seconds": int,
    "success_threshold": int,
    "failure_threshold": int,
}
SPEC = {
    "name": str,
    "region": str,
    "domains": [{"domain": str, "type": str}],
    "ingress": {"rules": [{"match": {"path": {"prefix": str}}, "component": {"name": str}}]},
    "databases": [
        {
            "name": str,
            "engine": str,
            "version": str,
            "production": bool,
            "cluster_name": str,
            "db_name": str,
            "db_user": str,
        }
    ],
    "alerts": [{"rule": str}],
    "envs": [ENV],
    "jobs": [{"name": str, "kind": str, "envs": [ENV], **SOURCE}],
    "services": [
        {
            "name": str,
            "http_port": int,
            "envs": [ENV],
            "health_check": HEALTH,
            "termination": {"drain_seconds": int, "grace_period_seconds": int},
            **SOURCE,
        }
    ],
}
CHOICES = {
    "kind": {"PRE_DEPLOY", "POST_DEPLOY", "FAILED_DEPLOY"},
    "engine": {"PG", "MYSQL", "REDIS", "MONGODB", "KAFKA", "OPENSEARCH"},
    "scope": {"RUN_TIME", "BUILD_TIME", "RUN_AND_BUILD_TIME"},
    "type": {"PRIMARY", "ALIAS", "GENERAL", "SECRET"},
    "region": {"ams", "blr", "fra", "lon", "nyc", "sfo", "sgp", "syd", "tor"},
    "rule": {"DEPLOYMENT_FAILED", "DEPLOYMENT_LIVE", "DOMAIN_FAILED", "DOMAIN_LIVE"},
}


def hold(value, schema, place):
    if isinstance(schema, dict):
        assert isinstance(value, dict), f"{place} is no mapping"
        for key, inner in value.items():
            assert key in schema, f"{place}: `{key}` is no field there"
            hold(inner, schema[key], f"{place}.{key}")
            assert key not in CHOICES or inner in CHOICES[key], f"{place}.{key}: {inner}"
    elif isinstance(schema, list):
        assert isinstance(value, list), f"{place} is no list"
        for number, inner in enumerate(value):
            hold(inner, schema[0], f"{place}[{number}]")
    else:
        assert type(value) is schema, f"{place} is no {schema.__name__}: {value!r}"


spec = yaml.safe_load(open(sys.argv[1]))
hold(spec, SPEC, "spec")
components = {component["name"] for kind in ("services", "jobs", "databases") for component in spec[kind]}
for rule in spec["ingress"]["rules"]:
    assert rule["component"]["name"] in components
assert [job["kind"] for job in spec["jobs"]] == ["PRE_DEPLOY"]
assert all(env.get("type") == "SECRET" for env in spec["envs"] if "SECRET" in env["key"])
print("the spec is in order")
