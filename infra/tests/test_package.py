"""The zip: the same bytes for the same input, small, whole, and quick to start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.functions import RIGHTS
from infra.package import build
from infra.package.build import ROOT, Package, build_package
from infra.package.contents import AWS_SERVICES, is_needed, needed_requirements
from infra.package.interpreter import Interpreter, NoInterpreter, find_interpreter
from infra.routes import handler_of, queue_readers, routes, schedules

MOST_BYTES = 10_000_000
ASKED_FOR = frozenset({"chalice", "pynamodb", "msal", "pyjwt", "jinja2", "aws-lambda-powertools", "boto3"})


@pytest.fixture(scope="session")
def package() -> Package:
    """Lambda's, with the newest Python of this machine."""
    return build_package()


@pytest.fixture(scope="session")
def runnable(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Interpreter]:
    """The zip for this machine's processor, unpacked, and the Python that it was built for."""
    built = build_package("x86_64")
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built.path) as content:
        content.extractall(folder)
    return folder, built.interpreter


def run(runnable: tuple[Path, Interpreter], code: str) -> str:
    """What the code prints, run in the unpacked zip with nothing else on the path."""
    folder, interpreter = runnable
    command = [str(interpreter.path), "-I", "-S", "-B", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"AWS_DEFAULT_REGION": "eu-central-1"})
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def test_the_same_input_gives_the_same_bytes(package: Package, tmp_path: Path) -> None:
    assert package.digest == build_package(output=tmp_path).digest


def test_an_unchanged_app_is_not_built_again(package: Package) -> None:
    before = package.path.stat().st_mtime_ns

    assert (package.path, before) == (build_package().path, build_package().path.stat().st_mtime_ns)


def test_it_is_small(package: Package) -> None:
    assert package.path.stat().st_size <= MOST_BYTES


def test_it_holds_the_app_and_no_command_line(package: Package) -> None:
    names = zipfile.ZipFile(package.path).namelist()
    tops = {name.split("/")[0] for name in names}

    assert {"app.py", "chalicelib", "chalice", "pynamodb", "botocore", "msal", "jinja2"} <= tops
    assert set() == tops & {"pip", "setuptools", "click", "inquirer", "boto3", "infra", "tests", "local", "sip_edge", "cli"}
    assert {"dynamodb", "secretsmanager", "sns", "sqs"} == {
        match.group(1) for name in names if (match := re.match(r"botocore/data/([a-z0-9-]+)/", name))
    }


def test_every_source_has_its_byte_code(package: Package) -> None:
    names = set(zipfile.ZipFile(package.path).namelist())
    tag = f"cpython-{package.interpreter.version.replace('.', '')}"
    sources = [name for name in names if name.endswith(".py")]
    missing = []
    for name in sources:
        folder, _, file = name.rpartition("/")
        compiled = f"{folder + '/' if folder else ''}__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
        missing += [] if compiled in names else [name]

    assert [] == missing


def test_byte_code_is_not_checked_against_its_source(package: Package) -> None:
    """PEP 552: flags 0b01 at byte 4 mean a hash that is not checked."""
    with zipfile.ZipFile(package.path) as content:
        compiled = [name for name in content.namelist() if name.endswith(".pyc")]
        flags = {content.read(name)[4] for name in compiled}

    assert {1} == flags


def test_its_native_code_is_lambdas(package: Package) -> None:
    """ELF's machine at byte 18: 183 is AArch64."""
    with zipfile.ZipFile(package.path) as content:
        machines = {content.read(name)[18] for name in content.namelist() if name.endswith(".so")}

    assert {183} == machines


def test_the_app_starts_from_it(runnable: tuple[Path, Interpreter]) -> None:
    handlers = [source.handler for source in schedules()] + [reader.handler for reader in queue_readers()]
    code = f"import app, pkgutil; print(len(app.app.routes), all(callable(pkgutil.resolve_name(n)) for n in {handlers}))"

    assert handlers
    assert f"{len({route.path for route in routes()})} True" == run(runnable, code)


def test_what_people_and_administrators_need_is_in_it(runnable: tuple[Path, Interpreter]) -> None:
    assert "ok" == run(runnable, "import msal, jwt, cryptography.x509, requests; print('ok')")


@pytest.mark.parametrize("group", sorted(RIGHTS))
def test_a_group_of_callers_has_an_entry_with_its_routes_alone(runnable: tuple[Path, Interpreter], group: str) -> None:
    secrets = runnable[0].with_name("secrets.json")
    secrets.write_text(json.dumps({"region_key": "k" * 64, "edge_credentials": ["e"]}))
    settings = {"SIPGW_SECRETS_SOURCE": f"file:{secrets}", "SIPGW_STORE": "dynamodb"}
    module, _, name = handler_of(group).rpartition(".")
    code = f"""import importlib, json, os; os.environ |= {settings}
app = getattr(importlib.import_module({module!r}), {name!r})
print(json.dumps([sorted(app.routes), sorted({{'msal', 'requests', 'jwt', 'boto3', 'sqlite3'}} & set(sys.modules))]))"""

    assert [sorted({route.path for route in routes() if route.group == group}), []] == json.loads(run(runnable, code))


# Every file of every model in every state, each page, and the tables behind them: as they are made where this runs.
_RENDER = """
import hashlib, itertools
from types import SimpleNamespace
from chalicelib.domain.identifiers import Language
from chalicelib.domain.installation import PhoneState
from chalicelib.handlers.page import FOLDER, _environment, page_language, render_page
from chalicelib.vendors.catalogue import vendors
from chalicelib.vendors.preview import preview, preview_upgrade
from chalicelib.vendors.screens import Screen, SoftKey, render_screen
made = []
for vendor in vendors().values():
    made.append(repr({**vars(vendor), "folder": None, "ouis": sorted(vendor.ouis)}))
    made.append(repr(render_screen(vendor.name, Screen("<T>", ("a & b",), (SoftKey("Back", "https://x/?a=1&b=2"),)))))
    for model, state in itertools.product(vendor.models, PhoneState):
        made.extend(file.body for file in preview(vendor.name, model, state, Language.DE, vendor.models[model].ports))
        made.append(repr(preview_upgrade(vendor.name, model)))
error = SimpleNamespace(title="<T>", detail="a & b")
made.append(render_page(page_language("fr", ""), "error.html.j2", error=error, again=True, form_token="t", request_id="r"))
made.extend(_environment().get_template(path.name).name for path in sorted(FOLDER.glob("*.j2")))
print(len(made), hashlib.sha256("".join(made).encode()).hexdigest())
"""
_NO_PARSING = """
import jinja2, sys
def refuse(*_, **__): raise AssertionError("a template is parsed")
jinja2.Environment.parse = jinja2.Environment.compile = refuse
sys.modules["tomllib"] = None
"""


def test_the_zip_makes_every_file_as_the_sources_do_and_parses_none(runnable: tuple[Path, Interpreter]) -> None:
    from_zip = run(runnable, _NO_PARSING + _RENDER)
    from_sources = subprocess.run(
        [
            str(runnable[1].path),
            "-S",
            "-B",
            "-c",
            f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(runnable[0])!r}]\n{_RENDER}",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ""},
    ).stdout.strip()

    assert from_sources == from_zip


def test_what_only_chalices_command_line_asks_for_is_left_out() -> None:
    kept = needed_requirements((ROOT / "requirements.txt").read_text(), ASKED_FOR)
    names = set(re.findall(r"^([a-z0-9.-]+)==", kept, re.MULTILINE))

    assert {"chalice", "botocore", "cryptography", "urllib3", "requests"} <= names
    assert set() == names & {"click", "pip", "setuptools", "wheel", "inquirer", "pyyaml", "boto3", "pycparser"}
    assert kept.count("--hash=") > len(names)


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("botocore/data/dynamodb/2012-08-10/service-2.json.gz", True),
        ("botocore/data/dynamodb/2012-08-10/examples-1.json", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("chalice/app.py", True),
        ("botocore/cacert.pem", False),
        ("certifi/cacert.pem", True),
        ("chalice/cli/__init__.py", False),
        ("pynamodb-6.1.0.dist-info/METADATA", False),
        ("jwt/py.typed", False),
        ("urllib3/contrib/emscripten/fetch.py", False),
        ("urllib3/contrib/socks.py", True),
        ("charset_normalizer/md.cpython-313-aarch64-linux-gnu.so", False),
        ("charset_normalizer/md.py", True),
        ("aws_lambda_powertools/event_handler/api_gateway.py", False),
        ("aws_lambda_powertools/logging/logger.py", True),
    ],
)
def test_a_file_is_judged_by_its_place(path: str, needed: bool) -> None:
    assert needed == is_needed(path)


def test_of_botocores_endpoints_those_of_our_services_are_kept(package: Package) -> None:
    with zipfile.ZipFile(package.path) as content:
        partitions = json.loads(content.read("botocore/data/endpoints.json"))["partitions"]

    assert {"aws", "aws-cn", "aws-us-gov"} <= {item["partition"] for item in partitions}
    assert set(AWS_SERVICES) == set(partitions[0]["services"])
    assert "eu-central-1" in partitions[0]["services"]["sqs"]["endpoints"]


@pytest.mark.parametrize("service", sorted(AWS_SERVICES))
def test_a_client_of_each_service_finds_its_host(runnable: tuple[Path, Interpreter], service: str) -> None:
    code = f"""import botocore.session
print(botocore.session.get_session().create_client({service!r}, region_name='eu-central-1').meta.endpoint_url)"""

    assert f"https://{service}.eu-central-1.amazonaws.com" == run(runnable, code)


def test_a_missing_python_is_named() -> None:
    with pytest.raises(NoInterpreter, match=r"none of Lambda's Pythons \(3.99\)"):
        find_interpreter(("3.99",))


def test_an_older_python_says_which_newer_is_missing() -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = find_interpreter(("3.99", own))

    assert (f"python{own}", True) == (found.runtime, "python3.99 is not on this machine" in found.note)


def test_a_failed_step_is_told_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(build.BuildFailed, match=r"no version"):
        build._run(
            [sys.executable, "-m", "uv", "pip", "install", "--python-version", "no version", "--target", str(tmp_path), "x"]
        )
