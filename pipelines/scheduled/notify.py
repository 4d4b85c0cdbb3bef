"""Telling people of a failure: what happened, in which run, and what to do; by webhook, by mail, or both.

Errors of Hedui hold no values by their making, so their text may go; of any other error only its class and place.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage

import structlog

from pipelines.errors import HeduiError, where
from pipelines.settings import Notify, Workspace

log = structlog.get_logger()
SECONDS = 20


def message(dag: str, run: str, task: str, url: str, error: BaseException | None, page: str) -> dict[str, str]:
    """What is told, for people and for machines; texts in Chinese with English beside them.

    Args:
        dag: whose run.
        run: its id.
        task: which failed, with the dataset of a mapped one.
        url: of its log.
        error: what was raised; None if nobody knows, as of a process that was killed.
        page: of the data quality of the batch, empty where there is no batch yet.
    """
    if error is not None and isinstance(error.__cause__, HeduiError):
        error = error.__cause__  # one of ours that Airflow was told not to try again
    if isinstance(error, HeduiError):
        values = error.fields()
        zh, en, todo = (text.format(**values) for text in (error.zh, error.en, error.todo))
    else:
        zh = en = where(error) if error is not None else "进程中断 the process was stopped"
        todo = "打开任务日志；任务可以直接重跑 / open the task's log; the task can be run again as it is"
    return {
        "title": f"核对任务失败 Hedui: {dag} · {task}",
        "dag": dag, "run": run, "task": task, "error": type(error).__name__ if error is not None else "",
        "zh": zh, "en": en, "todo": todo, "log": url, "quality": page,
    }  # fmt: skip


def send(ws: Workspace, told: Mapping[str, str]) -> int:
    """Send it to whoever hedui.yaml names; one that cannot be reached keeps nobody else from being told.

    Returns:
        How many receivers took it.
    """
    notify, taken = ws.settings.notify, 0
    for way, named in ((_post, notify.webhook), (_mail, notify.mail_host and notify.mail_to)):
        if not named:
            continue
        try:
            way(ws, notify, told)
            taken += 1
        except Exception as error:  # a failed notice must not hide the failure that it is about
            log.warning("notify_failed", way=way.__name__.strip("_"), error=type(error).__name__)
    return taken


def _post(ws: Workspace, notify: Notify, told: Mapping[str, str]) -> None:
    import httpx

    headers = {}
    if notify.token_file is not None:
        headers["Authorization"] = f"Bearer {ws.path(notify.token_file).read_text('utf-8').strip()}"
    answer = httpx.post(str(notify.webhook), json=dict(told), headers=headers, timeout=SECONDS)
    answer.raise_for_status()


def _mail(_: Workspace, notify: Notify, told: Mapping[str, str]) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = told["title"], notify.mail_from, ", ".join(notify.mail_to)
    lines = (
        told["zh"],
        told["en"],
        f"→ {told['todo']}",
        "",
        told["log"],
        told["quality"],
        f"{told['dag']} {told['run']}",
    )
    mail.set_content("\n".join(lines))
    mail.add_attachment(
        json.dumps(dict(told), ensure_ascii=False).encode(), "application", "json", filename="failure.json"
    )
    with smtplib.SMTP(str(notify.mail_host), notify.mail_port, timeout=SECONDS) as server:
        server.send_message(mail)
