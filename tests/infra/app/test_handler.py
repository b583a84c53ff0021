import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from infra import app
from infra.lab import world
from tests.infra.app.shoplab import Backend, make_order
from tests.infra.lab.functionlab import make_function, running

APP = Path(app.__file__).parent


def package() -> bytes:
    """Return the zip archive of the application alone."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("infra/__init__.py", "")
        for source in sorted(APP.glob("*.py")):
            packed.write(source, f"infra/app/{source.name}")
    return file.getvalue()


def event(method: str, path: str, body: object = None) -> dict[str, Any]:
    """Return a load balancer's event."""
    text = "" if body is None else json.dumps(body)
    return {"httpMethod": method, "path": path, "queryStringParameters": {}, "body": text}


def answer_of(answer: Any) -> tuple[int, Any]:
    """Return status and body of what the handler returned."""
    return answer["statusCode"], json.loads(answer["body"])


def deployed(shop: Backend, **changed: Any) -> world.Function:
    """Return the application as a function in Lambda."""
    return make_function(
        handler="infra.app.handler.handle",
        code=package(),
        code_sha256="package",
        environment=shop.environment(),
        timeout_s=20.0,
        memory_mb=512,
        **changed,
    )


def test_the_handler_serves_in_a_lambda_process(shop: Backend, tmp_path: Path) -> None:
    """The untouched package takes an order in a real process, whose first answer is cold."""

    async def scenario() -> None:
        def endpoints(region: str, **_: bool) -> dict[str, str]:
            return {"AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}

        async with running(tmp_path, deployed(shop), endpoints_for=endpoints) as lab:
            answers = [await lab.invoke(**event("POST", "/orders", make_order(n))) for n in (1, 2)]
            assert [answer_of(answer)[0] for answer in answers] == [201, 201]
            assert [answer_of(answer)[1]["cold"] for answer in answers] == [True, False]

    shop.loop.run(scenario())
    assert [row[1] for row in shop.rows()] == [1, 2]


def test_a_missing_setting_is_an_init_error(shop: Backend, tmp_path: Path) -> None:
    """Without a variable that it needs the function says which one, and does not start."""

    async def scenario() -> None:
        settings = {name: value for name, value in shop.environment().items() if name != "TABLE_NAME"}
        broken = make_function(
            handler="infra.app.handler.handle", code=package(), code_sha256="package", environment=settings
        )
        async with running(tmp_path, broken) as lab:
            error, answer = await lab.invoke(**event("GET", "/health"))
            assert (error, answer["errorType"]) == ("Unhandled", "KeyError")
            assert "TABLE_NAME" in answer["errorMessage"]

    shop.loop.run(scenario())


def test_the_application_knows_nothing_of_the_drill() -> None:
    """Importing it loads nothing of ours but itself."""
    code = (
        "import sys, infra.app.application\n"
        "ours = ('drill', 'infra', 'reports', 'scenarios')\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ours))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    loaded = json.loads(done.stdout.replace("'", '"'))
    assert [name for name in loaded if name != "infra" and not name.startswith("infra.app")] == []
