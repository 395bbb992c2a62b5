"""Puts the same load on servers with MindFlow's API, in turns, and prints medians.

    load.py [--rounds N] [--seconds N] [--connections N] [--tasks N] [--only TEXT] NAME=URL:PID...

The last server is the one that ratios are taken for. Needs wrk.
"""

import argparse
import json
import random
import re
import secrets
import statistics
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

PASSWORD = "correct horse battery staple"


@dataclass
class Server:
    name: str
    url: str
    pid: int
    token: str = ""
    # For /mcp, where the token of a sign-in is worth nothing; servers without personal tokens have no /mcp either.
    personal_token: str = ""

    def answers(self, call):
        return call.path != MCP or self.personal_token

    def token_for(self, call):
        return self.personal_token if call.path == MCP else self.token


MCP = "/mcp"


class Call(NamedTuple):
    method: str
    path: str
    body: dict | None = None

    def __str__(self):
        return f"{self.method} {self.path}"


class Outcome(NamedTuple):
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: float


CALLS = [
    Call("GET", "/health"),
    Call("GET", "/api/auth/me"),
    Call("GET", "/api/tasks?limit=50"),
    Call("GET", "/api/tasks/best"),
    Call("GET", "/api/tasks/ranked?limit=50"),
    Call("POST", MCP, {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_best_task", "arguments": {}},
    }),
    Call("POST", "/api/tasks", {"title": "Made under load", "priority": 3}),
]


def server(text):
    name, _, place = text.partition("=")
    url, _, pid = place.rpartition(":")
    if not (name and url.startswith("http://127.0.0.1:") and pid.isdigit()):
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=http://127.0.0.1:PORT:PID")
    return Server(name, url, int(pid))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", type=server, metavar="NAME=URL:PID")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--only", default="", help="calls whose name contains this text")
    return parser.parse_args()


def request(at, method, path, body):
    headers = {"Content-Type": "application/json"}
    if at.token:
        headers["Authorization"] = f"Bearer {at.token}"
    asked = urllib.request.Request(at.url + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def tasks(count):
    """Believable tasks, the same for every server."""
    chance, now = random.Random(7), datetime.now(UTC)
    for number in range(count):
        due = chance.choice([None, (now + timedelta(days=chance.randint(-3, 20))).isoformat()])
        yield {
            "title": f"Task number {number}",
            "description": "x" * chance.randint(1, 200),
            "priority": chance.randint(1, 5),
            "due_date": due,
            "effort_estimate_minutes": chance.choice([None, 10, 30, 45, 90]),
            "preferred_time": chance.choice([None, "morning", "afternoon", "evening"]),
        }


def prepare(at, count):
    """Makes an account with tasks and signs in."""
    person = {"email": f"bench-{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    request(at, "POST", "/api/auth/register", person)
    at.token = request(at, "POST", "/api/auth/login", person)["access_token"]
    for task in tasks(count):
        request(at, "POST", "/api/tasks", task)
    try:
        wanted = {"name": "load", "scopes": ["read", "write"]}
        at.personal_token = request(at, "POST", "/api/auth/tokens", wanted)["token"]
    except urllib.error.HTTPError:
        print(f"{at.name} has no personal tokens, so /mcp is not measured there")


def memory(pid):
    """Resident and proportional size of a process and its children, in MiB."""
    rss = pss = 0.0
    waiting = [pid]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        try:
            text = (process / "smaps_rollup").read_text()
            for thread in (process / "task").iterdir():
                waiting += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
        rss += int(re.search(r"^Rss:\s+(\d+)", text, re.M)[1]) / 1024
        pss += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024
    return rss, pss


SCRIPT = """
wrk.method = {method}
wrk.headers["Authorization"] = "Bearer " .. {token}
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.body = {body}
done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("OUTCOME %.1f %.3f %.3f %.3f %d\\n", summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.read + errors.write + errors.connect + errors.timeout))
end
"""


def load(at, call, options):
    # A JSON text is a Lua text too, as long as it holds no escapes that Lua does not know: these do not.
    body = "nil" if call.body is None else f"[==[{json.dumps(call.body)}]==]"
    script = SCRIPT.format(method=json.dumps(call.method), token=json.dumps(at.token_for(call)), body=body)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        sizes = ["-t1", f"-c{options.connections}", f"-d{options.seconds}s"]
        command = ["wrk", *sizes, "--script", file.name, at.url + call.path]
        said = subprocess.run(command, capture_output=True, text=True, timeout=options.seconds + 60).stdout
    found = re.search(r"^OUTCOME (.*)$", said, re.M)
    if not found:
        raise SystemExit(f"wrk said: {said}")
    return Outcome(*map(float, found[1].split()))


def report(call, outcomes, options):
    print(call)
    medians = {name: Outcome(*map(statistics.median, zip(*rounds))) for name, rounds in outcomes.items()}
    ours = options.servers[-1]
    for at in (at for at in options.servers if at.name in medians):
        got = medians[at.name]
        rss, pss = memory(at.pid)
        ratio = "" if at is ours else f"  {ours.name} x{medians[ours.name].per_second / max(got.per_second, 0.1):.1f}"
        print(
            f"  {at.name:12} {got.per_second:9.0f} req/s  p50 {got.p50_ms:8.2f}  p95 {got.p95_ms:8.2f}"
            f"  p99 {got.p99_ms:8.2f} ms  errors {got.errors:.0f}  RSS {rss:6.1f}  PSS {pss:6.1f} MiB{ratio}"
        )


def main():
    options = arguments()
    for at in options.servers:
        prepare(at, options.tasks)
    for call in CALLS:
        if options.only not in str(call):
            continue
        servers = [at for at in options.servers if at.answers(call)]
        outcomes = {at.name: [] for at in servers}
        for _ in range(options.rounds):
            for at in servers:
                outcomes[at.name].append(load(at, call, options))
        report(call, outcomes, options)


if __name__ == "__main__":
    main()
