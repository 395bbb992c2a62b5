"""Whether the memory of a server stays flat: some people use one on SQLite for an hour.

    memory.py --binary FILE [--minutes N] [--people N]

Says how long the start took, how much memory the idle server has, and how much every few minutes of use: all of it (RSS),
and what is its own (without the pages of the program's file, which the system can give to others at any time).
"""

import argparse
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

from people import Person
from world import Instance, wait_for

LOOKS = 12


class CalmPerson(Person):
    """One who takes a breath after each request, and has no more than so many tasks: what is kept of more is not a leak."""

    MOST = 200

    def ask(self, method, path, body=None):
        self.stop.wait(0.05)
        return super().ask(method, path, body)

    def create(self):
        if len(self.ledger.tasks) < self.MOST:
            super().create()
        else:
            self.change()

    def complete(self):
        """Completes a task, and opens it again."""
        task = self.some()
        if task and self.ask("POST", f"/api/tasks/{task}/complete")[0] and self.ask("POST", f"/api/tasks/{task}/reopen")[0]:
            self.ledger.tasks[task]["status"] = "pending"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--people", type=int, default=4)
    return parser.parse_args()


def tell(when, instance, people):
    text = Path(f"/proc/{instance.process.pid}/smaps_rollup").read_text()
    whole, own = (int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024 for name in ("Rss", "Anonymous"))
    answers = sum(sum(person.ledger.answers.values()) for person in people)
    print(f"{when}: {whole:.1f} MiB, {own:.1f} MiB its own, after {answers} requests", flush=True)


def run(options, folder):
    settings = {"RATE_LIMIT_PER_MINUTE": "0", "AUTH_RATE_LIMIT_PER_MINUTE": "0", "LOG_LEVEL": "warn",
                "POLICIES_DIR": str(Path(__file__).parents[2] / "policies")}
    instance = Instance("one", options.binary.resolve(), folder, settings)
    for what in ("first start, which makes the database", "second start"):
        began = time.monotonic()
        instance.start()
        wait_for("the server", instance.is_ready)
        print(f"{what}: ready after {(time.monotonic() - began) * 1000:.0f} ms (looked for every 50 ms)", flush=True)
        time.sleep(5)
        tell("idle", instance, [])
        if what.startswith("first"):
            instance.stop()
    stop = threading.Event()
    people = [CalmPerson(f"person {number}", instance.port, stop) for number in range(options.people)]
    try:
        for person in people:
            person.arrive()
        for person in people:
            person.start()
        for look in range(1, LOOKS + 1):
            time.sleep(options.minutes * 60 / LOOKS)
            tell(f"after {options.minutes * look / LOOKS:.0f} minutes", instance, people)
        stop.set()
        for person in people:
            person.join()
            person.check()
        faults = [fault for person in people for fault in person.ledger.faults]
        print(f"{len(faults)} faults {faults[:10]}")
        return 1 if faults else 0
    finally:
        instance.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="mindflow-memory-") as folder:
        return run(arguments(), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
