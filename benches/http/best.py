"""What `GET /api/tasks/best` costs beside the same bytes from memory, and while a policy changes.

    best.py --binary FILE --same-bytes FILE [--rounds N] [--seconds N] [--connections N]

Starts a server of its own with one account of 200 tasks and one of 10,000, and for each a server that only knows the
answer's bytes; they are asked in turns. Then the policy is saved ten times a second meanwhile, and at last it is measured
how long a saved policy takes until it answers. Needs wrk.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from load import Call, Outcome, Server, load, prepare, request

BEST = Call("GET", "/api/tasks/best")
POLICIES = Path(__file__).parents[2] / "policies"
SAVES = 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--same-bytes", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=50)
    return parser.parse_args()


@contextmanager
def running(command, folder, **environment):
    """A program that says at the start where it listens."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        for _ in range(300):
            found = re.search(r"127\.0\.0\.1:[1-9]\d*", log.read_text())
            if found:
                break
            time.sleep(0.1)
        else:
            raise SystemExit(log.read_text())
        yield Server(log.stem, f"http://{found[0]}", process.pid)
    finally:
        process.terminate()
        process.wait(30)


class Policy:
    """The default policy in a folder of its own; each save gives the priority another weight."""

    def __init__(self, folder):
        self.file = folder / "default" / "policy.rhai"
        shutil.copytree(POLICIES / "default", folder / "default")
        # Examples of the weights that it has are no examples of others.
        shutil.rmtree(self.file.parent / "tests")
        self.text, self.saves = self.file.read_text(), 0

    def save(self):
        self.saves += 1
        aside = self.file.with_suffix(".new")
        aside.write_text(self.text.replace("priority: 10.0", f"priority: {10 + self.saves % 997 / 1000:.3f}"))
        aside.rename(self.file)

    @contextmanager
    def saved_often(self, seconds=0.1):
        done = threading.Event()

        def save():
            while not done.wait(seconds):
                self.save()

        thread = threading.Thread(target=save)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def best(at):
    asked = urllib.request.Request(at.url + BEST.path, headers={"Authorization": f"Bearer {at.token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.read()


def told(what, outcome):
    print(f"  {what:28} {outcome.per_second:8.0f} req/s  p50 {outcome.p50_ms:6.2f}  p99 {outcome.p99_ms:6.2f} ms  "
          f"errors {outcome.errors:.0f}", flush=True)


def median(outcomes):
    return Outcome(*map(statistics.median, zip(*outcomes)))


def beside_memory(ours, policy, folder, options):
    answer = folder / "answer"
    answer.write_bytes(best(ours))
    with running([str(options.same_bytes), str(answer)], folder) as memory:
        calm, fixed = [], []
        for _ in range(options.rounds):
            calm.append(load(ours, BEST, options))
            fixed.append(load(memory, BEST, options))
    with policy.saved_often():
        changing = [load(ours, BEST, options) for _ in range(options.rounds)]
    calm, fixed, changing = map(median, (calm, fixed, changing))
    told("the same bytes from memory", fixed)
    told("best", calm)
    told("best, a save every 100 ms", changing)
    print(f"  {calm.per_second / fixed.per_second:.2f} of what memory gives; p99 while policies change "
          f"x{changing.p99_ms / calm.p99_ms:.2f}")


def until_live(ours, policy):
    """Milliseconds from each save until an answer has another score."""
    took = []
    for _ in range(SAVES):
        before = best(ours)
        began = time.perf_counter()
        policy.save()
        while best(ours) == before:
            if time.perf_counter() - began > 10:
                raise SystemExit("a saved policy did not go live within 10 s")
        took.append((time.perf_counter() - began) * 1000)
    return took


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policy = Policy(folder / "policies")
        settings = {"HOST": "127.0.0.1", "PORT": "0", "RATE_LIMIT_PER_MINUTE": "0", "AUTH_RATE_LIMIT_PER_MINUTE": "0",
                    "LOG_LEVEL": "warn", "DATA_DIR": str(folder / "data"), "POLICIES_DIR": str(folder / "policies")}
        with running([str(options.binary), "serve"], folder, **settings) as ours:
            for count in (200, 10_000):
                prepare(ours, count)
                print(f"{count} tasks, {options.connections} connections", flush=True)
                beside_memory(ours, policy, folder, options)
            took = sorted(until_live(ours, policy))
        print(f"saved to live: median {took[len(took) // 2]:.0f} ms, longest {took[-1]:.0f} ms ({SAVES} saves)")


if __name__ == "__main__":
    main()
