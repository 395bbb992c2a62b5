"""People who use the servers at the same time, and keep a ledger of what they were told."""

import http.client
import json
import math
import random
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

PASSWORD = "correct horse battery staple"
# How long a person insists on one request; longer than anything that is done to the servers.
INSISTS = 120
# Everything must be back this soon after what was away is there again.
BACK_WITHIN = 5


@dataclass
class Ledger:
    """What was answered; each person has one of their own."""

    answers: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    slowest_refusal: float = 0.0
    # When a request was first sent, and how long it took until it was answered for good.
    waits: list = field(default_factory=list)
    # Task id -> what it must look like.
    tasks: dict = field(default_factory=dict)
    # The same, as the last event of each task told.
    heard: dict = field(default_factory=dict)
    events: int = 0


class Person(threading.Thread):
    def __init__(self, name, port, stop):
        super().__init__(name=name, daemon=True)
        self.port, self.stop = port, stop
        self.chance = random.Random(name)
        self.ledger = Ledger()
        self.connection = None
        self.token = ""
        self.made = 0
        self.listener = threading.Thread(target=self.listen, name=f"{name} listens", daemon=True)
        self.ready, self.finished, self.last = threading.Event(), threading.Event(), None

    def once(self, method, path, body, headers):
        """One request on the kept connection; the status, headers and JSON body."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.getheader("Connection", "") == "close":
            self.connection.close()
            self.connection = None
        return answer.status, answer.headers, json.loads(text) if text[:1] in (b"{", b"[") else None

    def ask(self, method, path, body=None):
        """Asks until there is an answer for good, and answers its status (0 when it was refused) and body; writes carry a key, so that they happen once and the proxy may send them again."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method != "GET" and path.startswith("/api/tasks"):
            headers["Idempotency-Key"] = secrets.token_hex(16)
        ledger, first = self.ledger, time.monotonic()
        while True:
            began = time.monotonic()
            try:
                status, said, answer = self.once(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                ledger.answers["broken"] += 1
                ledger.faults.append(f"{method} {path}: {error!r}")
                status, said, answer = 0, {}, None
            took = time.monotonic() - began
            ledger.answers[status] += 1
            if 200 <= status < 300:
                ledger.waits.append((first, time.monotonic() - first))
                return status, answer
            if status == 503 and said.get("Retry-After"):
                ledger.slowest_refusal = max(ledger.slowest_refusal, took)
            elif status == 409 and said.get("Retry-After"):
                pass
            elif status:
                ledger.faults.append(f"{method} {path}: {status} after {took:.2f} s: {answer}")
                if status < 500:
                    return 0, None
            if time.monotonic() - first > INSISTS:
                ledger.faults.append(f"{method} {path}: no answer for good within {INSISTS} s")
                return 0, None
            time.sleep(0.1)

    def arrive(self):
        email = f"endurance-{secrets.token_hex(8)}@example.org"
        self.ask("POST", "/api/auth/register", {"email": email, "password": PASSWORD})
        _, session = self.ask("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
        self.token = session["access_token"]
        self.listener.start()
        self.ready.wait(BACK_WITHIN)

    def run(self):
        acts = [self.create] * 8 + [self.change] * 4 + [self.complete] * 2 + [self.look] * 3 + [self.best] * 3 + [self.list] * 2
        while not self.stop.is_set():
            self.chance.choice(acts)()
        self.finished.set()

    def create(self):
        self.made += 1
        task = {"title": f"{self.name} number {self.made}", "priority": self.chance.randint(1, 5)}
        status, made = self.ask("POST", "/api/tasks", task)
        if status:
            self.ledger.tasks[made["id"]] = task | {"status": "pending"}

    def some(self):
        return self.chance.choice(list(self.ledger.tasks)) if self.ledger.tasks else None

    def change(self):
        if task := self.some():
            priority = self.chance.randint(1, 5)
            if self.ask("PATCH", f"/api/tasks/{task}", {"priority": priority})[0]:
                self.ledger.tasks[task]["priority"] = priority

    def complete(self):
        if (task := self.some()) and self.ask("POST", f"/api/tasks/{task}/complete")[0]:
            self.ledger.tasks[task]["status"] = "completed"

    def look(self):
        """What was told must be there at once, whichever instance answers."""
        if task := self.some():
            _, found = self.ask("GET", f"/api/tasks/{task}")
            self.compare(task, found)

    def compare(self, task, found):
        expected = self.ledger.tasks[task]
        seen = found and {name: found.get(name) for name in expected}
        if seen != expected:
            self.ledger.faults.append(f"task {task} is {seen}, told was {expected}")

    def best(self):
        if any(task["status"] == "pending" for task in self.ledger.tasks.values()):
            self.ask("GET", "/api/tasks/best")

    def list(self):
        self.ask("GET", "/api/tasks?limit=50")

    def listen(self):
        """Follows the person's own events, from whichever instance, until they told everything that was done."""
        end = math.inf
        while time.monotonic() < end and not self.heard_all():
            try:
                self.follow()
            except (OSError, http.client.HTTPException):
                self.ledger.answers["stream broken"] += 1
            time.sleep(0.1)
            if self.finished.is_set():
                end = min(end, time.monotonic() + BACK_WITHIN)

    def heard_all(self):
        return self.finished.is_set() and self.ledger.heard == self.ledger.tasks

    def follow(self):
        """Listens on one connection until it ends."""
        stream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BACK_WITHIN)
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.last is not None:
            headers["Last-Event-ID"] = str(self.last)
        try:
            stream.request("GET", "/api/events", headers=headers)
            answer = stream.getresponse()
            if answer.status != 200:
                self.ledger.answers[f"stream {answer.status}"] += 1
                if answer.status < 502:
                    self.ledger.faults.append(f"GET /api/events: {answer.status}: {answer.read()}")
                return
            event = {}
            while not self.heard_all() and (line := answer.readline()):
                if line != b"\n":
                    word, _, rest = line.decode().rstrip("\n").partition(": ")
                    event[word] = rest
                    continue
                # Only an empty line makes it an event: what was cut off comes again.
                if "id" in event:
                    self.hear(event.get("event"), int(event["id"]), json.loads(event["data"]))
                event = {}
        finally:
            stream.close()

    def hear(self, what, number, told):
        if what == "ready":
            self.last = number if self.last is None else self.last
            self.ready.set()
            return
        self.ledger.events += 1
        # Each once and in order; a request that changed nothing has a number and no event.
        if number <= self.last or what == "reset":
            self.ledger.faults.append(f"after event {self.last} came {what} {number}")
        self.last = number
        if task := told.get("task"):
            self.ledger.heard[task["id"]] = {name: task[name] for name in ("title", "priority", "status")}

    def check(self):
        """Holds everything there is against the ledger."""
        self.listener.join()
        for task, told in self.ledger.tasks.items():
            if self.ledger.heard.get(task) != told:
                self.ledger.faults.append(f"task {task} was heard to be {self.ledger.heard.get(task)}, told was {told}")
        found, cursor = {}, ""
        while cursor is not None:
            _, page = self.ask("GET", f"/api/tasks?limit=1000{cursor and '&cursor=' + cursor}")
            found |= {task["id"]: task for task in page["items"]}
            cursor = page["next_cursor"]
        for task in self.ledger.tasks:
            self.compare(task, found.get(task))
        titles = Counter(task["title"] for task in found.values())
        self.ledger.faults += [f"made {count} times: {title}" for title, count in titles.items() if count > 1]
        unknown = found.keys() - self.ledger.tasks.keys()
        self.ledger.faults += [f"nobody was told of task {task}" for task in unknown]
        return len(found)
