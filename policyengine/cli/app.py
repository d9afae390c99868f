"""The full command line, for everything but the quick way into ``gate``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from policyengine import __version__
from policyengine.cli.options import GATE, Option

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True, add_completion=False,
                  help="Decides whether software may enter a medicine factory, and proves why.")  # fmt: skip
evidence = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look at evidence files.")
keys = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Key pairs for signing.")
framework = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Control catalogues.")
capa = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Quality drafts.")
app.add_typer(evidence, name="evidence")
app.add_typer(keys, name="keys")
app.add_typer(framework, name="framework")
app.add_typer(capa, name="capa")

Paths = Annotated[list[Path], typer.Argument(help="files or folders")]
Format = Annotated[str, typer.Option("--format", help="text or json")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an internal error")]


def run(arguments: Sequence[str]) -> int:
    """Run a command line; gives its exit code."""
    try:
        code = app(list(arguments), standalone_mode=False, prog_name="policyengine")
    except typer.Exit as leave:
        return int(leave.exit_code)
    except typer.Abort:
        return 2
    except Exception as problem:
        if hasattr(problem, "format_message") and hasattr(problem, "exit_code"):
            sys.stderr.write(
                f"error[PE851]: {_lower(problem.format_message())}\n  = see `policyengine {' '.join(_command(arguments))}--help`\n"
            )
            return 2
        raise
    return int(code or 0)


def _lower(words: str) -> str:
    return (words[:1].lower() + words[1:]).rstrip(".")


def _command(arguments: Sequence[str]) -> list[str]:
    first = next((a for a in arguments if not a.startswith("-")), "")
    return (
        [f"{first} "]
        if first in {c.name or (c.callback.__name__ if c.callback else "") for c in app.registered_commands}
        else []
    )


@app.callback(invoke_without_command=True)
def version(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        sys.stdout.write(f"policyengine {__version__}\n")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="where its files go")] = Path("policyengine-demo"), debug: Debug = False
) -> int:
    """Gate a bundled, synthetic release of a manufacturing system end to end."""
    from policyengine.cli.demo_command import demo as run_demo

    return run_demo(out)


@app.command()
def check(paths: Paths, strict: Annotated[bool, typer.Option(help="warnings are problems too")] = False, format: Format = "text",
          debug: Debug = False) -> int:  # fmt: skip
    """Check policies: syntax, names, types, lints."""
    from policyengine.cli.policy_commands import check as run_check

    return run_check(paths, strict, format)


@app.command()
def test(paths: Paths, format: Format = "text", debug: Debug = False) -> int:
    """Run the tests inside policies."""
    from policyengine.cli.policy_commands import test as run_test

    return run_test(paths, format)


@app.command()
def schema(name: Annotated[Optional[str], typer.Argument(help="a type or root")] = None, debug: Debug = False) -> int:
    """Print the evidence that rules can name."""
    from policyengine.cli.policy_commands import schema as run_schema

    return run_schema(name)


@app.command()
def verify(
    decision: Annotated[Path, typer.Argument(help="decision.intoto.json")],
    key: Annotated[Optional[Path], typer.Option(help="public key of the signer")] = None,
    trust: Annotated[Optional[Path], typer.Option(help="who may sign what")] = None,
    evidence: Annotated[Optional[list[Path]], typer.Option("--evidence", "-e", help="evidence files to compare")] = None,
    policy: Annotated[Optional[list[Path]], typer.Option("--policy", "-p", help="policies to compare")] = None,
    subject: Annotated[
        Optional[list[str]], typer.Option("--subject", "-s", help="release artifact: file, sha256:HEX or NAME@sha256:HEX")
    ] = None,
    format: Format = "text",
    debug: Debug = False,
) -> int:
    """Verify a signed decision step by step, offline."""
    from policyengine.cli.verify_command import verify as run_verify

    return run_verify(decision, key, trust, evidence or [], policy or [], subject or [], format)


@evidence.command("inspect")
def evidence_inspect(
    paths: Paths,
    trust: Annotated[Optional[Path], typer.Option(help="who may sign what")] = None,
    at: Annotated[Optional[str], typer.Option(help="time of the inspection, RFC 3339 with offset")] = None,
    format: Format = "text",
    debug: Debug = False,
) -> int:
    """Say what each file is: kind, format, digest, counts, signer, and whether it verified."""
    from policyengine.cli.evidence_command import inspect as run_inspect

    return run_inspect(paths, trust, at, format)


@keys.command("new")
def keys_new(
    out: Annotated[Path, typer.Option(help="private key file; the public key gets .pub.pem")] = Path("policyengine-key.pem"),
    algorithm: Annotated[str, typer.Option(help="ecdsa-p256 or ed25519")] = "ecdsa-p256",
    debug: Debug = False,
) -> int:
    """Make a key pair; the private key is encrypted with POLICYENGINE_KEY_PASSWORD where that is set."""
    from policyengine.cli.keys_command import new

    return new(out, algorithm)


@keys.command("show")
def keys_show(file: Annotated[Path, typer.Argument(help="public or private key")], debug: Debug = False) -> int:
    """Print the id and kind of a key."""
    from policyengine.cli.keys_command import show

    return show(file)


@framework.command("list")
def framework_list(format: Format = "text", debug: Debug = False) -> int:
    """List the frameworks with their clauses counted by automation class."""
    from policyengine.cli.framework_command import listed

    return listed(format)


@framework.command("show")
def framework_show(
    name: Annotated[str, typer.Argument(help="framework id")], format: Format = "text", debug: Debug = False
) -> int:
    """Print every clause of a framework: id, title, automation class, requirement in own words."""
    from policyengine.cli.framework_command import show

    return show(name, format)


@capa.command("list")
def capa_list(
    folder: Annotated[Path, typer.Argument(help="the capa folder of a run")] = Path("policyengine-out/capa"),
    debug: Debug = False,
) -> int:
    """List the quality drafts of a run."""
    from policyengine.cli.capa_command import listed

    return listed(folder)


@capa.command("show")
def capa_show(file: Annotated[Path, typer.Argument(help="a draft, .json")], debug: Debug = False) -> int:
    """Print one quality draft as text."""
    from policyengine.cli.capa_command import show

    return show(file)


def _gate(config: Path | None = None, **given: Any) -> int:
    """Load, verify, evaluate, decide, sign, draft: the main job."""
    from policyengine.cli.gate_command import gate

    arguments = [str(config)] if config is not None else []
    for option in GATE:
        value = given[option.name.replace("-", "_")]
        values = value if isinstance(value, list) else [] if value in (None, False) else [value]
        for each in values:
            arguments += [f"--{option.name}"] if not option.metavar else [f"--{option.name}", str(each)]
    return gate(arguments)


def _parameter(option: Option) -> inspect.Parameter:
    kind: Any = bool if not option.metavar else Optional[list[str]] if option.many else Optional[str]
    flags = [f"--{option.name}", *([option.short] if option.short else [])]
    said = typer.Option(*flags, metavar=option.metavar or None, help=option.help)
    default = False if not option.metavar else None
    return inspect.Parameter(
        option.name.replace("-", "_"), inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, said]
    )


def _declare_gate() -> None:
    """The options of ``gate`` come from their one table."""
    config = inspect.Parameter("config", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None,
                               annotation=Annotated[Optional[Path], typer.Argument(help="policyengine.yaml")])  # fmt: skip
    parameters = [config, *(_parameter(option) for option in GATE)]
    _gate.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    _gate.__annotations__ = {each.name: each.annotation for each in parameters}
    app.command("gate")(_gate)


_declare_gate()
