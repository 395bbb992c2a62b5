"""Uses two servers for some minutes while everything around them breaks, and holds what is there against what was told.

    endurance.py --binary FILE [--minutes N] [--people N]

README.md beside this file says what happens, and what must not.
"""

import argparse
import itertools
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from people import BACK_WITHIN, Person
from world import HOST, Instance, Proxy, Service, free_port, wait_for

ROOT = Path(__file__).parents[2]


@dataclass
class Event:
    """Something was broken, and mended."""

    what: str
    broken: float
    mended: float


class Trouble:
    """Breaks things on schedule."""

    def __init__(self, instances, postgres, redis, policies, seconds):
        self.instances, self.postgres, self.redis, self.policies = instances, postgres, redis, policies
        self.events, self.swaps, self.seconds = [], 0, seconds
        self.turns = itertools.cycle(instances)

    def plan(self):
        """What happens when, in seconds from the start."""
        kills = [(at, self.kill) for at in range(30, self.seconds - 10, 60)] or [(self.seconds / 2, self.kill)]
        restarts = [(self.seconds * 0.3, self.crash_database), (self.seconds * 0.7, self.restart_database)]
        swaps = [(at, self.swap_policy) for at in range(10, self.seconds, 10)]
        quiet = min(60, self.seconds / 5)
        redis = [(self.seconds * 0.45, self.stop_redis), (self.seconds * 0.45 + quiet, self.start_redis)]
        return sorted(kills + restarts + swaps + (redis if self.redis else []), key=lambda event: event[0])

    def note(self, what, broken):
        self.events.append(Event(what, broken, time.monotonic()))
        print(f"  {what}: away for {time.monotonic() - broken:.2f} s", flush=True)

    def kill(self):
        instance, began = next(self.turns), time.monotonic()
        instance.kill()
        instance.start()
        wait_for(instance.name, instance.is_ready)
        self.note(f"kill -9 of {instance.name}", began)

    def database(self, how, what):
        began = time.monotonic()
        self.postgres.stop(how)
        self.postgres.start()
        self.note(what, began)

    def crash_database(self):
        self.database(signal.SIGQUIT, "PostgreSQL crashed and recovered")

    def restart_database(self):
        self.database(signal.SIGINT, "PostgreSQL restarted")

    def stop_redis(self):
        self.redis.stop(signal.SIGTERM)
        print("  Redis stopped", flush=True)

    def start_redis(self):
        self.redis.start()
        print("  Redis started", flush=True)

    def swap_policy(self):
        """The weight of deadlines goes up and down; the file is replaced as editors do."""
        self.swaps += 1
        file = self.policies / "default" / "policy.rhai"
        text = file.read_text()
        old, new = ("deadline: 40.0", "deadline: 41.0") if "deadline: 40.0" in text else ("deadline: 41.0", "deadline: 40.0")
        other = file.with_suffix(".new")
        other.write_text(text.replace(old, new))
        other.replace(file)

    def run(self):
        start = time.monotonic()
        for at, act in self.plan():
            time.sleep(max(0.0, start + at - time.monotonic()))
            act()
        time.sleep(max(0.0, start + self.seconds - time.monotonic()))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--people", type=int, default=12)
    return parser.parse_args()


def environment(folder, port):
    settings = {
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "DATABASE_URL": os.environ["MINDFLOW_TEST_POSTGRES_URL"],
        "SECRET_KEY": "endurance-" + "0123456789abcdef" * 4,
        "POLICIES_DIR": str(folder / "policies"),
        "RATE_LIMIT_PER_MINUTE": "1000000",
        "AUTH_RATE_LIMIT_PER_MINUTE": "1000000",
        "LOG_LEVEL": "warn",
    }
    if url := os.environ.get("MINDFLOW_TEST_REDIS_URL"):
        settings["REDIS_URL"] = url
    return settings


def lasting(postgres):
    """The tests' database does not wait for its disk; here it must not lose what it promised."""
    folder = Path(postgres.command[postgres.command.index("-D") + 1])
    with (folder / "postgresql.conf").open("a") as file:
        file.write("\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n")
    postgres.stop(signal.SIGINT)
    postgres.start()


def redis_service():
    if (url := os.environ.get("MINDFLOW_TEST_REDIS_URL")) is None:
        return None
    arguments = [os.environ["MINDFLOW_TEST_REDIS_SERVER"], "--port", str(urlsplit(url).port), "--bind", HOST, "--save", ""]
    return Service(url, arguments)


def report(people, trouble, memory):
    answers = sum((person.ledger.answers for person in people), Counter())
    waits = sorted(took for person in people for _, took in person.ledger.waits)
    print(f"answers: {dict(sorted(answers.items(), key=str))}")
    print(f"time to the answer for good: p50 {waits[len(waits) // 2] * 1000:.1f} ms, p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, longest {waits[-1]:.2f} s")
    print(f"slowest 503: {max(person.ledger.slowest_refusal for person in people):.2f} s; policies swapped {trouble.swaps} times")
    for name, (first, last) in memory.items():
        print(f"memory of {name}: {first:.1f} MiB at first, {last:.1f} MiB in the end")
    late = []
    for event in trouble.events:
        # Whoever asked while it was away and still waited long after it was back.
        held = [begun + took - event.mended for person in people for begun, took in person.ledger.waits
                if event.broken <= begun + took and begun <= event.mended]
        back = max(0.0, *held) if held else 0.0
        print(f"{event.what}: away {event.mended - event.broken:.2f} s, the last who had asked meanwhile was answered {back:.2f} s later")
        if back > BACK_WITHIN:
            late.append(f"{event.what}: {back:.2f} s until everything was back")
    return late


def run(options, folder):
    # Without its examples: they would rightly complain about each swap.
    shutil.copytree(ROOT / "policies", folder / "policies", ignore=shutil.ignore_patterns("tests"))
    postgres = Service(os.environ["MINDFLOW_TEST_POSTGRES_URL"])
    redis = redis_service()
    port = free_port()
    instances = [Instance(name, options.binary.resolve(), folder, environment(folder, port)) for name in ("one", "two")]
    proxy = None
    try:
        lasting(postgres)
        for instance in instances:
            instance.start()
        for instance in instances:
            wait_for(instance.name, instance.is_ready)
        proxy, stop = Proxy(folder, port, instances), threading.Event()
        people = [Person(f"person {number}", port, stop) for number in range(options.people)]
        for person in people:
            person.arrive()
        memory = {instance.name: [instance.memory()] for instance in instances}
        trouble = Trouble(instances, postgres, redis, folder / "policies", int(options.minutes * 60))
        for person in people:
            person.start()
        trouble.run()
        stop.set()
        for person in people:
            person.join()
        there = sum(person.check() for person in people)
        told = sum(len(person.ledger.tasks) for person in people)
        for instance in instances:
            memory[instance.name].append(instance.memory())
        faults = report(people, trouble, memory) + [fault for person in people for fault in person.ledger.faults]
        events = sum(person.ledger.events for person in people)
        print(f"tasks: {told} told of, {there} there; {events} events heard; {len(faults)} faults")
        for fault in faults[:50]:
            print(f"  {fault}")
        if faults:
            for instance in instances:
                print(f"the last that {instance.name} wrote:\n{instance.last_words()}")
        return 1 if faults else 0
    finally:
        if proxy:
            proxy.stop()
        for instance in instances:
            instance.stop()
        for service in filter(None, (postgres, redis)):
            service.end()


def main():
    with tempfile.TemporaryDirectory(prefix="mindflow-endurance-") as folder:
        # PostgreSQL's user must not need to read here, but nginx' workers do.
        return run(arguments(), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
