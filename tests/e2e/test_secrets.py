"""No secret is ever written: not by a drill that passes, not where AWS quotes it in an error's text.

The drills here are signed with credentials of the environment and reach AWS's API at a URL with a
password in it; the proxy behind that URL learns what else is secret on the wire.
"""

import base64
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from markupsafe import Markup

from drill import runs, target
from drill.aws import Aws
from drill.exit_codes import INCONCLUSIVE, REFUSED
from tests.e2e.conftest import Lab, tried
from tests.faultmatrix import answers
from tests.faultmatrix.answers import Answer
from tests.faultmatrix.proxy import Proxy, Request

pytestmark = pytest.mark.slow

# Of the letters that real ones have: some are written differently in URLs.
KEY = "mArKeR/sEcReT+KeY/of+the/environment"
TOKEN = "mArKeR//ToKeN+of/the+environment=="
PASSWORD = "mArKeR-pAsSwOrD-of-the-URL"
NOTHING = re.compile(r"(?!)")
# As a drill ends that a busy machine kept from breaking or measuring anything.
NOTHING_DONE = {INCONCLUSIVE, REFUSED}
UNREDACTED = (
    "import sys; from drill import cli, redaction; redaction.redacted = lambda text: text; "
    "sys.exit(cli.outcome_of(sys.argv[1:]))"
)


class How(StrEnum):
    """How a call fails."""

    QUOTED = "quoted"
    GARBLED = "garbled"
    CLOSED = "closed"


class Quoting(Proxy):
    """A proxy whose errors quote the whole request, and which learns what is secret in each.

    Attributes:
        fails: The actions that fail.
        how: Answered in the form of the service, or in none, or not at all.
        failed: How many did.
        secrets: Session tokens and signatures that were sent.

    """

    def __init__(self, upstream: str) -> None:
        """Let all calls pass."""
        super().__init__(upstream)
        self.fails = NOTHING
        self.how = How.QUOTED
        self.failed = 0
        self.secrets: set[str] = set()

    def forward(self, request: Request) -> Answer:
        """Fail a call, or ask upstream."""
        authorization, token = request.header("authorization"), request.header("x-amz-security-token")
        self.secrets.update(re.findall(r"Signature=(\w+)", authorization), [token] if token else [])
        if not self.fails.fullmatch(request.action):
            return super().forward(request)
        self.failed += 1
        if self.how is How.CLOSED:
            raise ConnectionResetError
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
        quoted = f"in\n{headers}\n\n{request.body.decode()} signed with {KEY} & {quote(TOKEN, safe='')}"
        return answers.failed(
            request.scope[1],
            request.header("x-amz-target"),
            escape(quoted) if self.how is How.QUOTED else quoted,
        )


def forms(secret: str) -> set[bytes]:
    """Return what a secret may look like in a file: plain, escaped, or in the midst of base64."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], escape(secret)}
    texts |= {str(Markup.escape(secret)), repr(secret)[1:-1]}
    raw, encoded = secret.encode(), set()
    for before in range(3):
        # Without the first and the last letters: they depend on what stands beside it.
        whole = raw[(3 - before) % 3 :]
        whole = whole[: len(whole) // 3 * 3]
        encoded |= {base64.b64encode(whole), base64.urlsafe_b64encode(whole)}
    return {text.encode() for text in texts} | encoded


def spilled(folder: Path, printed: str, secrets: set[str]) -> list[tuple[str, str]]:
    """Return where which secret was written: a file of a folder, or what was printed."""
    written = {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    written["printed"] = printed.encode()
    sought = {secret: forms(secret) for secret in secrets}
    return [
        (name, secret)
        for name, raw in sorted(written.items())
        for secret, every in sorted(sought.items())
        if any(form in raw for form in every)
    ]


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    printed: str


@dataclass(frozen=True)
class Signed:
    """Commands that are signed with the secrets of this file."""

    lab: Lab
    proxy: Quoting
    folder: Path
    stored: frozenset[str]

    @property
    def root(self) -> Path:
        """Return the folder of all runs."""
        return self.folder / "runs"

    def type(self, *arguments: str, by: tuple[str, ...] = ("-m", "drill")) -> Said:
        """Type a command in the folder, which is all that it writes into."""
        address = self.proxy.url.removeprefix("http://")
        environment = {
            **os.environ,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_ENDPOINT_URL": f"http://somebody:{PASSWORD}@{address}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        ended = subprocess.run(
            [sys.executable, *by, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        return Said(ended.returncode, ended.stdout + ended.stderr)

    @property
    def secrets(self) -> set[str]:
        """Return all that must not be written."""
        return {KEY, TOKEN, PASSWORD, *self.proxy.secrets, *self.stored}


@pytest.fixture
def signed(lab: Lab, tmp_path: Path) -> Iterator[Signed]:
    """Give commands whose target file says nothing of where the API is: their environment does."""
    timing = lab.target.timing.model_copy(update={"warm_up_s": 0.3, "settle_s": 0.3, "poll_s": 0.1})
    failing = timing.model_copy(update={"effect_s": 4.0, "failback_s": 0.3})
    for name, waits in (("target.yaml", timing), ("failing.yaml", failing)):
        target.dump(lab.target.model_copy(update={"timing": waits, "endpoint_url": None}), tmp_path / name)
    store = Aws.of(lab.target, as_operator=True).client("secretsmanager", lab.target.primary.name)
    stored = [
        json.loads(store.get_secret_value(SecretId=one["ARN"])["SecretString"])["password"]
        for one in store.list_secrets()["SecretList"]
    ]
    assert lab.target.endpoint_url is not None
    with Quoting(lab.target.endpoint_url) as proxy:
        made = Signed(lab, proxy, tmp_path, frozenset(stored))
        yield made
        proxy.fails = NOTHING
        for folder in runs.unfinished(made.root):
            made.type("recover", folder.name)


def test_a_drill_that_passes_writes_no_secret(signed: Signed) -> None:
    """Neither it, with all logs, nor any command about it writes or prints one."""
    before = signed.lab.fingerprint()

    ran = signed.type("--verbose", "run", "region-outage", "--target", "target.yaml")
    others = [
        signed.type("--verbose", *arguments)
        for arguments in (
            ("iam-policy", "region-outage", "--blackout", "--target", "target.yaml"),
            ("plan", "region-outage", "--blackout", "--check", "--target", "target.yaml"),
            ("report",),
            ("runs", "--json"),
            ("recover",),
        )
    ]

    assert ran.code in {0, 2}, ran  # a busy machine proves nothing, and tells no secret either
    assert [0] * len(others) == [one.code for one in others], others
    # All of it was in use: the credentials of the environment, those of the role, both logins.
    assert {TOKEN} < {secret for secret in signed.proxy.secrets if len(secret) != 64}
    assert 2 == len(signed.stored)
    assert [] == spilled(signed.folder, "".join(one.printed for one in (ran, *others)), signed.secrets)
    assert before == signed.lab.fingerprint()


@pytest.mark.parametrize(
    ("action", "how", "flags", "code"),
    [
        ("AssumeRole", How.QUOTED, (), 64),
        ("Describe.*|GET .*", How.GARBLED, ("--blackout",), 4),
        ("PutItem", How.QUOTED, (), 64),
        ("POST /2013-04-01/healthcheck/.*", How.QUOTED, (), 3),
        ("POST /2013-04-01/healthcheck/.*", How.CLOSED, (), 3),
        ("ReplaceNetworkAclAssociation|DeleteNetworkAcl", How.GARBLED, ("--blackout",), 3),
    ],
    ids=["role", "guards", "lease", "check", "closed", "associations"],
)
def test_an_error_that_quotes_the_request_writes_no_secret(
    signed: Signed, action: str, how: How, flags: tuple[str, ...], code: int
) -> None:
    """Wherever a call fails with its own request in the text, what is told of it has no secret."""
    before = signed.lab.fingerprint()
    signed.proxy.fails, signed.proxy.how = re.compile(action), how

    command = ("--verbose", "run", "region-outage", *flags, "--target", "failing.yaml")
    ran = tried(lambda: signed.type(*command), lambda ran: ran.code in NOTHING_DONE - {code})
    signed.proxy.fails = NOTHING
    recovered = signed.type("--verbose", "recover")

    assert signed.proxy.failed > 0
    assert [] == spilled(signed.folder, ran.printed + recovered.printed, signed.secrets)
    assert (code, 0) == (ran.code, recovered.code), (ran, recovered)
    assert before == signed.lab.fingerprint()


def test_without_redaction_the_search_finds_them(signed: Signed) -> None:
    """The same drill with redaction switched off has secrets in its journal, its record and its words."""
    signed.proxy.fails = re.compile("POST /2013-04-01/healthcheck/.*")

    command = ("--verbose", "run", "region-outage", "--target", "failing.yaml")
    ran = tried(lambda: signed.type(*command, by=("-c", UNREDACTED)), lambda ran: ran.code in NOTHING_DONE)
    found = spilled(signed.folder, ran.printed, signed.secrets)

    assert 3 == ran.code, ran
    names = {Path(name).name for name, _ in found}
    assert {"journal.jsonl", "record.json", "report.html", "printed"} <= names
    assert {KEY, TOKEN} <= {secret for _, secret in found}


@pytest.mark.parametrize("way", range(7))
@pytest.mark.parametrize("secret", [KEY, TOKEN, "wild <&\"'>\\ \u00fc%/+="])
def test_the_search_finds_a_secret_in_every_form(tmp_path: Path, secret: str, way: int) -> None:
    """One that is written on purpose is found: plain, in a URL, in JSON, in HTML, within base64."""
    ways = (
        secret,
        quote(secret, safe=""),
        json.dumps({"a": secret}),
        html.escape(secret),
        base64.b64encode(f"AKID:{secret}".encode()).decode(),
        base64.b64encode(f"Basic user:{secret}!".encode()).decode(),
        base64.urlsafe_b64encode(f"{secret}\n".encode()).decode(),
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.log").write_text(f"beside {ways[way]} it", encoding="utf-8")

    assert [("run/a.log", secret)] == spilled(tmp_path, "", {secret, "another secret"})
