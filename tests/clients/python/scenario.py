"""What a person does in a first hour, by a client that openapi-python-client made from the document.

    python scenario.py http://127.0.0.1:8000
"""

import datetime
import sys
from typing import TypeVar

from mindflow_client import AuthenticatedClient, Client
from mindflow_client.api.accounts import get_me, login, register
from mindflow_client.api.ranking import get_best_task
from mindflow_client.api.tasks import complete_task, create_task, get_task, list_tasks, undo_change, update_task
from mindflow_client.models import (
    Login,
    Problem,
    RankedTask,
    Register,
    SessionTokens,
    Status,
    Task,
    TaskChange,
    TaskInput,
    TaskPage,
    TimeOfDay,
    UndoRequest,
    Undone,
    User,
)
from mindflow_client.types import UNSET, Response

EMAIL = "grace@example.org"
PASSWORD = "correct horse battery staple"

T = TypeVar("T")


def good(answer: object, kind: type[T]) -> T:
    """The value of an answer that has to be good."""
    assert isinstance(answer, kind), answer
    return answer


def sign_in(url: str) -> AuthenticatedClient:
    anonymous = Client(base_url=url, raise_on_unexpected_status=True)
    user = good(register.sync(client=anonymous, body=Register(email=EMAIL, password=PASSWORD)), User)
    tokens = good(login.sync(client=anonymous, body=Login(email=EMAIL, password=PASSWORD)), SessionTokens)
    client = AuthenticatedClient(base_url=url, token=tokens.access_token, raise_on_unexpected_status=True)
    assert good(get_me.sync(client=client), User) == user
    return client


def make_tasks(client: AuthenticatedClient) -> list[Task]:
    made = []
    for title, priority in [("Water the plants", 1), ("Write the report", 5), ("Call the bank", 3)]:
        body = TaskInput(
            title=title, priority=priority, labels=["home", "first hour"], preferred_time=TimeOfDay.EVENING
        )
        made.append(good(create_task.sync(client=client, body=body), Task))
    assert made[0].labels == ["first hour", "home"]
    assert made[0].preferred_time is TimeOfDay.EVENING
    assert made[0].due_date is None
    assert made[0].created_at.tzinfo == datetime.UTC
    return made


def read_pages(client: AuthenticatedClient, expected: list[Task]) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        answer = list_tasks.sync_detailed(client=client, limit=2, cursor=cursor or UNSET)
        page = good(answer.parsed, TaskPage)
        assert answer.headers["x-total-count"] == str(len(expected))
        seen += [str(task.id) for task in page.items]
        if not page.next_cursor:
            break
        cursor = page.next_cursor
    assert sorted(seen) == sorted(str(task.id) for task in expected)


def finish_the_best(client: AuthenticatedClient, expected: Task) -> None:
    best = good(get_best_task.sync(client=client), RankedTask)
    assert best.task.id == expected.id
    assert best.score == best.reasoning.total_score

    completed: Response[Task | Problem] = complete_task.sync_detailed(expected.id, client=client)
    assert good(completed.parsed, Task).status is Status.COMPLETED
    assert good(get_best_task.sync(client=client), RankedTask).task.id != expected.id

    undone = undo_change.sync(client=client, body=UndoRequest(token=completed.headers["undo-token"]))
    assert [task.id for task in good(undone, Undone).tasks] == [expected.id]
    assert good(get_task.sync(expected.id, client=client), Task).status is Status.PENDING


def lose_an_update(client: AuthenticatedClient, task: Task) -> None:
    etag = get_task.sync_detailed(task.id, client=client).headers["etag"]
    change = TaskChange(priority=2, preferred_time=None)
    kept = good(update_task.sync(task.id, client=client, body=change, if_match=etag), Task)
    assert (kept.priority, kept.preferred_time) == (2, None)
    lost = good(update_task.sync(task.id, client=client, body=TaskChange(priority=4), if_match=etag), Problem)
    assert lost.status == 412


def hear_all_faults(client: AuthenticatedClient) -> None:
    problem = good(create_task.sync(client=client, body=TaskInput(title="", priority=9)), Problem)
    assert problem.status == 422
    assert {fault.field for fault in problem.errors or []} == {"/title", "/priority"}


def main() -> None:
    client = sign_in(sys.argv[1])
    tasks = make_tasks(client)
    plants, report, _ = tasks
    read_pages(client, tasks)
    finish_the_best(client, report)
    lose_an_update(client, plants)
    hear_all_faults(client)
    print("ok")


main()
