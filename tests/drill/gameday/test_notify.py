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

from drill.aws import Aws
from drill.gameday import notify
from drill.gameday.form import Channel
from tests.infra.lab.alarmlab import alarm_lab

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


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hook-s3cret", "file:///etc/passwd", ""])
def test_a_webhook_that_can_not_be_told_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Nobody there, an address that is none, no address: said, and the address is not in it."""
    monkeypatch.setenv("HOOK", url)

    why = notify.tell(Channel(webhook_env="HOOK"), AWS, "a", "b", attempts=2)

    assert "HOOK" in why
    assert "s3cret" not in why


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
