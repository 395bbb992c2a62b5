"""How a server of its own answers while slow clients hold connections to it.

    overload.py --binary FILE [--slow N] [--seconds N]

First without them; then half of N connections send the head of a request a byte a second, and the other half ask for an
answer of a megabyte and take a kilobyte of it a second. Says what eight others see who ask properly, and the memory.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HOST = "127.0.0.1"
PASSWORD = "correct horse battery staple"
ASKING = 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    return parser.parse_args()


def free_port():
    with socket.socket() as finder:
        finder.bind((HOST, 0))
        return finder.getsockname()[1]


class Client:
    """One kept connection that speaks just enough HTTP."""

    def __init__(self, port, token=""):
        self.port, self.token, self.streams = port, token, None

    async def ask(self, method, path, body=None):
        if self.streams is None:
            self.streams = await asyncio.open_connection(HOST, self.port)
        reader, writer = self.streams
        text = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(text)}", "Content-Type: application/json"]
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        writer.write("\r\n".join([*head, "", ""]).encode() + text)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in answer.lower().split("\r\n") if line.startswith("content-length:"))
        return int(answer.split(" ", 2)[1]), await reader.readexactly(length)

    async def told(self, method, path, body):
        status, text = await self.ask(method, path, body)
        if status not in (200, 201):
            raise SystemExit(f"{method} {path}: {status} {text.decode()}")
        return json.loads(text)


async def arrive(port):
    """An account with so many tasks that a list of them is about a megabyte."""
    client = Client(port)
    person = {"email": "ada@example.org", "password": PASSWORD}
    await client.told("POST", "/api/auth/register", person)
    client.token = (await client.told("POST", "/api/auth/login", person))["access_token"]
    task = {"op": "create", "task": {"title": "Something to do", "description": "d" * 500}}
    for _ in range(10):
        await client.told("POST", "/api/tasks/batch", {"operations": [task] * 100})
    return client.token


async def write_slowly(port, counts):
    try:
        _, writer = await asyncio.open_connection(HOST, port)
        for byte in f"GET /api/tasks/best HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: {'y' * 10_000}":
            writer.write(byte.encode())
            await writer.drain()
            await asyncio.sleep(1)
    except OSError:
        counts["slow writers that were sent away"] += 1


async def read_slowly(port, token, counts):
    try:
        reader, writer = await asyncio.open_connection(HOST, port, limit=1024)
        writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.write(f"GET /api/tasks?limit=1000 HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        while await reader.read(1024):
            await asyncio.sleep(1)
        counts["slow readers that were sent away"] += 1
    except OSError:
        counts["slow readers that were sent away"] += 1


async def ask_properly(port, token, until, seen):
    client = Client(port, token)
    while (began := time.monotonic()) < until:
        try:
            status, _ = await client.ask("GET", "/api/tasks/best")
        except (OSError, asyncio.IncompleteReadError):
            status, client.streams = 0, None
        seen.append((status, time.monotonic() - began))


async def measure(what, port, token, seconds):
    seen, until = [], time.monotonic() + seconds
    await asyncio.gather(*(ask_properly(port, token, until, seen) for _ in range(ASKING)))
    waits = sorted(took for _, took in seen)
    answers = dict(Counter(status for status, _ in seen))
    print(f"{what}: {len(seen) / seconds:.0f} requests/s, p50 {waits[len(waits) // 2] * 1000:.1f} ms, "
          f"p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, longest {waits[-1] * 1000:.0f} ms, answers {answers}")
    return set(answers) == {200}


def memory(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def run(options, port, process):
    while True:
        try:
            await Client(port).ask("GET", "/health/ready")
            break
        except OSError:
            await asyncio.sleep(0.05)
    token, counts = await arrive(port), Counter()
    is_well = await measure("alone", port, token, options.seconds)
    print(f"memory: {memory(process):.1f} MiB")
    half = options.slow // 2
    slow = [asyncio.create_task(write_slowly(port, counts)) for _ in range(half)]
    slow += [asyncio.create_task(read_slowly(port, token, counts)) for _ in range(options.slow - half)]
    is_well &= await measure(f"with {options.slow} slow connections", port, token, options.seconds)
    print(f"memory: {memory(process):.1f} MiB; {dict(counts)}")
    for task in slow:
        task.cancel()
    return 0 if is_well else 1


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="mindflow-overload-") as folder:
        port = free_port()
        settings = {"HOST": HOST, "PORT": str(port), "DATA_DIR": folder, "RATE_LIMIT_PER_MINUTE": "0",
                    "AUTH_RATE_LIMIT_PER_MINUTE": "0", "LOG_LEVEL": "warn"}
        process = subprocess.Popen([options.binary.resolve(), "serve"], env=os.environ | settings, stdin=subprocess.DEVNULL)
        try:
            return asyncio.run(run(options, port, process))
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
