"""Telling people: each way reaches its end, is tried again, and tells no secret."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drill.aws import Aws
from drill.gameday import folder, notify
from drill.gameday.form import Channel
from tests.drill.gameday.quick_day import Room
from tests.infra.lab.alarmlab import alarm_lab

APPROVAL = "gate: approval"
AWS = Aws("http://127.0.0.1:9", 1.0)


@contextmanager
def webhook(failures: int = 0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield a webhook's address and what it was told; it fails a few times first."""
    told: list[dict[str, Any]] = []
    left = [failures]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            left[0] -= 1
            if left[0] < 0:
                told.append(json.loads(body))
            self.send_response(200 if left[0] < 0 else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/hook-s3cret", told


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """Yield a mail server's address and the lines that it was sent."""
    lines: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            inside = False
            while line := self.rfile.readline().decode():
                lines.append(line.rstrip("\r\n"))
                if inside and line != ".\r\n":
                    continue
                inside = line.upper().startswith("DATA")
                if line.upper().startswith("QUIT"):
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"354 go on\r\n" if inside else b"250 ok\r\n")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"127.0.0.1:{port}", lines


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        address: Any = server.server_address
        yield int(address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_webhook_is_told_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two refusals do not keep the third try from arriving, once."""
    with webhook(failures=2) as (url, told):
        monkeypatch.setenv("HOOK", url)

        why = notify.tell(Channel(webhook_env="HOOK"), AWS, "game day: start", "2 drills")

    assert "" == why
    assert [{"text": "*game day: start*\n2 drills"}] == told


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/hook-s3cret",
        "http://127.0.0.1:9/hook s3cret",
        "http://127.0.0.1:s3cret/hook",
        "http://[s3cret/hook",
        f"http://s3cret.{'x' * 64}.test/hook",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_webhook_that_can_not_be_told_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], url: str
) -> None:
    """Nobody there, an address that is none, no address: said, and the address is neither told nor logged."""
    monkeypatch.setenv("HOOK", url)

    why = notify.tell(Channel(webhook_env="HOOK"), AWS, "a", "b", attempts=2)

    assert "HOOK" in why
    logged = "".join(capfd.readouterr())
    assert "nobody was told" in logged
    assert "s3cret" not in why + logged


def test_a_webhook_that_answers_garbage_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """What listens there speaks no HTTP: said by name, after each try."""
    with mail_server() as (where, lines):
        monkeypatch.setenv("HOOK", f"http://{where}/hook-s3cret")

        why = notify.tell(Channel(webhook_env="HOOK"), AWS, "a", "b", attempts=2)

    assert "the webhook in HOOK: the webhook did not take it: BadStatusLine" == why
    assert 2 == sum(line.startswith("POST") for line in lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sns": "my-topic"},
        {"sns": "arn:aws:sns:us-east-1:123456789012:orders.fifo"},
        {"email": ("ada@example.test",), "smtp": "mail.example"},
        {"email": ("ada@example.test",), "smtp": "mail.example:smtp"},
    ],
)
def test_an_address_of_no_form_is_no_channel(wrong: dict[str, Any]) -> None:
    """A topic is an ARN, a mail server has a port: what is not is refused, and no notification lost."""
    with pytest.raises(ValidationError, match="should match pattern"):
        Channel(**wrong)


def test_a_day_goes_on_when_a_channel_can_not_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook's address that is none, found at the start: the day is held to its report, which says so."""
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/a b-s3cret")
    room = Room(tmp_path, "")
    file = room.due()
    text = "".join(
        line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if APPROVAL not in line
    )
    file.write_text(text + "notify: [{webhook_env: HOOK, on: [start]}]\n", encoding="utf-8")

    ended = room.ended("tick", str(file))

    assert (0, "ended") == (ended.returncode, room.held.state), ended.stderr
    (start,) = [one for one in room.events("notified") if one["occasion"] == "start"]
    assert ["the webhook in HOOK: the webhook did not take it: InvalidURL"] == start["failed"]
    assert (room.days / room.held.id / folder.REPORT).exists()
    written = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    assert b"s3cret" not in written + (ended.stdout + ended.stderr).encode()


def test_a_mail_arrives() -> None:
    """Subject, receivers and text are what the mail server gets."""
    with mail_server() as (where, lines):
        why = notify.tell(Channel(email=("ada@example.test",), smtp=where), AWS, "game day: end", "all met")

    assert "" == why
    assert "Subject: game day: end" in lines
    assert "To: ada@example.test" in lines
    assert "all met" in lines


def test_a_topic_is_told(tmp_path: Path) -> None:
    """A message to an SNS topic reaches the queue behind it, its subject cut to AWS's limit."""
    with alarm_lab(tmp_path) as lab:
        topic, queue = lab.topic()

        why = notify.tell(Channel(sns=topic), Aws(lab.lab.plane.endpoint_url, 5.0), "s" * 200, "breached")

        (message,) = lab.messages(queue, 10)
    assert "" == why
    assert ("breached", 100) == (message["Message"], len(message["Subject"]))
