"""A day with a list of tasks, as an assistant works through it; the same as day.mjs."""

from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema
import requests
from mcp_types import CallToolResult, Tool
from world import PASSWORD, Person, new_person

# What a host is offered, and nothing else.
TOOLS = [
    "complete_task",
    "create_task",
    "delete_task",
    "explain_task",
    "fetch",
    "get_best_task",
    "get_ranked_tasks",
    "get_tasks",
    "plan_day",
    "reschedule_task",
    "search",
    "snooze_task",
    "undo",
    "update_task",
]

Call = Callable[[str, dict[str, Any]], Awaitable[CallToolResult]]


def new_viennese(server: str, email: str) -> Person:
    """Makes a person who lives in Vienna."""
    person = new_person(server, email)
    session = requests.post(f"{server}/api/auth/login", json={"email": email, "password": PASSWORD})
    assert session.status_code == 200, session.text
    headers = {"Authorization": f"Bearer {session.json()['access_token']}"}
    moved = requests.patch(f"{server}/api/auth/me", json={"time_zone": "Europe/Vienna"}, headers=headers)
    assert moved.status_code == 200, moved.text
    return person


class Desk:
    """Calls tools by name, and holds every result against the schema of its tool."""

    def __init__(self, tools: list[Tool], call: Call) -> None:
        self.call = call
        self.rules = {tool.name: jsonschema.Draft202012Validator(tool.output_schema) for tool in tools}

    async def attempt(self, name: str, **args: Any) -> tuple[bool, dict[str, Any]]:
        """A call whatever comes of it: whether it was refused, and what it gives to programs."""
        result = await self.call(name, args)
        data = result.structured_content
        assert data is not None, result
        self.rules[name].validate(data)
        assert [block.type for block in result.content] == ["text"], result
        assert bool(result.is_error) == ("error" in data), result
        return bool(result.is_error), data

    async def do(self, name: str, **args: Any) -> dict[str, Any]:
        """A call that must not be refused."""
        refused, data = await self.attempt(name, **args)
        assert not refused, data
        return data


async def live_a_day(tools: list[Tool], call: Call) -> None:
    """Lists, makes, asks, puts off by words, completes and takes back."""
    assert sorted(tool.name for tool in tools) == TOOLS
    desk = Desk(tools, call)

    report = {"title": "Write the quarterly report", "priority": "high", "due_date": "tomorrow 5pm"}
    made = (await desk.do("create_task", tasks=[report, {"title": "Call the dentist"}]))["tasks"]
    assert [task["title"] for task in made] == ["Write the quarterly report", "Call the dentist"]
    report_id, dentist_id = (task["id"] for task in made)

    best = await desk.do("get_best_task")
    assert best["task"]["id"] == report_id
    assert best["time_zone"] == "Europe/Vienna"
    assert [task["id"] for task in best["runners_up"]] == [dentist_id]

    snoozed = (await desk.do("snooze_task", query="the report", phrase="monday morning"))["task"]
    assert (snoozed["id"], snoozed["status"]) == (report_id, "snoozed")
    assert (await desk.do("get_best_task"))["task"]["id"] == dentist_id

    done = (await desk.do("complete_task", query="dentist"))["task"]
    assert (done["id"], done["status"]) == (dentist_id, "completed")
    assert (await desk.do("get_best_task"))["task"] is None

    undone = (await desk.do("undo"))["tasks"]
    assert [(task["id"], task["status"]) for task in undone] == [(dentist_id, "pending")]
    listed = await desk.do("get_tasks")
    assert {task["id"] for task in listed["tasks"]} == {report_id, dentist_id}

    # A model must not take a refusal for a success, nor a client for a broken result.
    refused, data = await desk.attempt("complete_task", query="the tax return")
    assert refused and data["error"]["kind"] == "not_found", data
