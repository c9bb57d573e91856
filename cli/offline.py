"""`sipgw render` and `sipgw identify`: what a device would get and how it is recognised, without any gateway.

The one place in the command line that reads the vendors' data; it is loaded only when one of these commands runs.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Protocol

import typer

from cli.devices import Language
from cli.failures import BadInput, Failure
from cli.options import JsonOption
from cli.screen import print_fields, print_json, print_text


class RenderState(StrEnum):
    """The states of a device that have files of their own."""

    bootstrap = "bootstrap"
    onboarding = "onboarding"
    enrolled = "enrolled"
    signed_in = "signed_in"


class PreviewedFile(Protocol):
    """A file as the vendors' catalogue previews it."""

    @property
    def name(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def body(self) -> str: ...


def render_device_files(  # noqa: PLR0913 - the contract's options
    *,
    vendor: Annotated[str, typer.Option(help="yealink, poly, cisco or audiocodes.")],
    model: Annotated[str, typer.Option(help="As `sipgw compatible` spells it, for example T46U.")],
    state: Annotated[RenderState, typer.Option(help="The device's state.")],
    lang: Annotated[Language, typer.Option(help="Of its screens.")] = Language.en,
    ports: Annotated[int, typer.Option(min=1, help="How many ports of a base or an adapter are in use.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the files below this folder.", file_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Prints or writes every file that such a device gets."""
    from chalicelib.domain import identifiers  # noqa: PLC0415 - heavy, and needed by the offline commands alone
    from chalicelib.domain.installation import PhoneState  # noqa: PLC0415 - as above
    from chalicelib.vendors.preview import preview  # noqa: PLC0415 - as above

    try:
        files = preview(vendor.lower(), model, PhoneState(state.value), identifiers.Language(lang.value), ports)
    except (LookupError, ValueError) as error:
        said = error.args[0] if error.args else type(error).__name__
        advice = "Check vendor and model: `./sipgw compatible`."
        raise BadInput(
            f"There are no files for {vendor} {model}, {state.value}, {lang.value}", detail=str(said), advice=advice
        ) from error
    if out is not None:
        paths = save_files(files, out)
        print_json([str(path) for path in paths]) if as_json else print_text("\n".join(f"Wrote {path}" for path in paths))
    elif as_json:
        print_json([{"name": file.name, "content_type": file.content_type, "body": file.body} for file in files])
    else:
        print_text("\n".join(f"==> {file.name} ({file.content_type}) <==\n{file.body}" for file in files))


def save_files(files: Sequence[PreviewedFile], out: Path) -> list[Path]:
    """Writes each file below the folder, never outside it."""
    paths = []
    for file in files:
        name = PurePosixPath(file.name.lstrip("/"))
        if ".." in name.parts or not name.parts:
            raise Failure(f"A file of the name {file.name!r} cannot be written")
        path = out.joinpath(*name.parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.body.encode())  # line ends as the device gets them
        except OSError as error:
            raise Failure(f"{path} cannot be written", detail=str(error)) from error
        paths.append(path)
    return paths


def identify_device(
    user_agent: Annotated[str, typer.Argument(metavar="USER-AGENT", help="The User-Agent header, in quotes.")],
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="The path that was asked for.")] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Tells vendor, model, firmware and MAC from a request; what cannot be told is null."""
    from chalicelib.vendors import catalogue  # noqa: PLC0415 - as above

    identity = catalogue.identify(user_agent, path)
    values = {name: getattr(identity, name, None) for name in ("vendor", "model", "firmware", "mac")}
    print_json(values) if as_json else print_fields(values)
