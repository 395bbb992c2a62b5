"""The machines: servers of MindFlow, what they stand on, and what stands before them. Each can be killed and started."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

HOST = "127.0.0.1"
PATIENCE = 30


def free_port():
    with socket.socket() as finder:
        finder.bind((HOST, 0))
        return finder.getsockname()[1]


def wait_for(what, is_there):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if is_there():
            return
        time.sleep(0.05)
    raise SystemExit(f"{what} did not come within {PATIENCE} s")


def listens(port):
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((HOST, port)) == 0


class Instance:
    """One server of MindFlow; all share a database, a secret and a folder of policies."""

    def __init__(self, name, binary, folder, environment):
        self.name, self.binary, self.folder, self.port = name, binary, folder, free_port()
        self.environment = os.environ | environment | {"HOST": HOST, "PORT": str(self.port), "DATA_DIR": str(folder / name)}
        self.process = None

    def start(self):
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/health/ready", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def last_words(self, lines=40):
        return "\n".join((self.folder / f"{self.name}.log").read_text().splitlines()[-lines:])

    def memory(self):
        """Proportional set size in MiB."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024


class Service:
    """A server that somebody else started: it is stopped, and started again with the very same command and user.

    A program that hides its command behind a title is started with `arguments`.
    """

    def __init__(self, url, arguments=None):
        self.port = urlsplit(url).port
        self.pid = self._find()
        process = Path(f"/proc/{self.pid}")
        self.command = process.joinpath("cmdline").read_bytes().decode().rstrip("\0").split("\0")
        self.folder = os.readlink(process / "cwd")
        self.user = int(re.search(r"^Uid:\s+(\d+)", process.joinpath("status").read_text(), re.M)[1])
        self.group = int(re.search(r"^Gid:\s+(\d+)", process.joinpath("status").read_text(), re.M)[1])
        self.program = os.readlink(process / "exe")
        if arguments:
            self.program, self.command = arguments[0], arguments
        self.process = None

    def _find(self):
        """The process that listens; of a server with children, the parent."""
        inodes = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and int(words[1].split(":")[1], 16) == self.port:
                inodes.add(f"socket:[{words[9]}]")
        holders = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if any(os.readlink(file) in inodes for file in (process / "fd").iterdir()):
                    holders.append(int(process.name))
            except OSError:
                continue
        if not holders:
            raise SystemExit(f"nobody listens on port {self.port}")
        return min(holders)

    def stop(self, how):
        os.kill(self.process.pid if self.process else self.pid, how)
        if self.process:
            self.process.wait(PATIENCE)
        wait_for(f"the end of {self.program}", lambda: not listens(self.port))

    def start(self):
        rights = {"user": self.user, "group": self.group, "extra_groups": []} if os.getuid() == 0 else {}
        self.process = subprocess.Popen(
            [self.program, *self.command[1:]], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **rights
        )
        wait_for(self.program, lambda: listens(self.port))

    def end(self):
        """Stops what this script itself started; who started the first one cannot know of it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if "postgres" in self.program else signal.SIGTERM)
            self.process.wait(PATIENCE)


class Proxy:
    """nginx before the instances. A request with an Idempotency-Key is tried at the next instance when one dies under it."""

    CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream mindflow {{ {servers} keepalive 32; }}
  map $http_idempotency_key $again {{ "" once; default again; }}
  server {{
    listen {host}:{port};
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_connect_timeout 1s; proxy_buffering on;
    location /api/events {{ proxy_pass http://mindflow; proxy_buffering off; proxy_read_timeout 1h; }}
    location / {{ error_page 418 = @again; if ($again = again) {{ return 418; }} proxy_pass http://mindflow; }}
    location @again {{ proxy_next_upstream error timeout non_idempotent; proxy_pass http://mindflow; }}
  }}
}}
"""

    def __init__(self, folder, port, instances):
        servers = " ".join(f"server {HOST}:{instance.port} max_fails=0;" for instance in instances)
        user = "user root;" if os.getuid() == 0 else ""
        file = folder / "nginx.conf"
        file.write_text(self.CONFIGURATION.format(folder=folder, servers=servers, host=HOST, port=port, user=user))
        self.process = subprocess.Popen(["nginx", "-c", str(file), "-p", str(folder)], stdin=subprocess.DEVNULL)
        wait_for("nginx", lambda: listens(port))

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
