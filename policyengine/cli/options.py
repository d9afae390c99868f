"""The options of ``gate``, declared once: the quick reader for CI and the full command line are both made from this table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyengine.core.diagnostic import Diagnostic, Refusal, nearest


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``metavar`` is "" for a switch; ``many`` may be given several times."""

    name: str
    short: str
    metavar: str
    many: bool
    help: str


GATE: tuple[Option, ...] = (
    Option("policy", "-p", "PATH", True, "policy file or folder (default: the shipped library)"),
    Option("evidence", "-e", "PATH", True, "evidence file or folder"),
    Option("subject", "-s", "SUBJECT", True, "release artifact: a file, sha256:HEX, or NAME@sha256:HEX"),
    Option("at", "", "TIME", False, "evaluation time, RFC 3339 with offset (default: now)"),
    Option("profile", "", "FILE", False, "site profile"),
    Option("param", "", "NAME=VALUE", True, "parameter value, over the profile's"),
    Option("waivers", "", "PATH", True, "signed waivers: file or folder"),
    Option("trust", "", "FILE", False, "who may sign what"),
    Option("framework", "", "ID", True, "only rules that refer to this framework"),
    Option("rule", "", "ID", True, "only this rule"),
    Option("key", "", "FILE", False, "private key that signs the decision"),
    Option("sigstore", "", "", False, "sign keyless"),
    Option("no-sign", "", "", False, "write the decision unsigned"),
    Option("out", "", "DIR", False, "where decision, drafts and reports go (default: policyengine-out/)"),
    Option("ledger", "", "URL", False, "append-only record of decisions"),
    Option("engine", "", "NAME", False, "auto, python, duckdb or spark (default: auto)"),
    Option("report", "", "NAME=FILE", True, "json, md or html report to write"),
    Option("format", "", "text|json", False, "what to print (default: text)"),
    Option("lenient", "", "", False, "exit 0 also when blocked; for trying out"),
    Option("no-color", "", "", False, "no colour"),
    Option("debug", "", "", False, "show the traceback of an internal error"),
)


def read_options(arguments: Sequence[str], table: Sequence[Option] = GATE) -> tuple[list[str], dict[str, list[str]]]:
    """Positional arguments, and the values given to each option (a switch gets ``""``). Wrong usage is refused (PE851)."""
    by_flag = {f"--{o.name}": o for o in table} | {o.short: o for o in table if o.short}
    positional: list[str] = []
    given: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return positional + rest, given
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        flag, equals, value = word.partition("=")
        option = by_flag.get(flag)
        if option is None and not word.startswith("--") and word[:2] in by_flag:
            flag, option, equals, value = word[:2], by_flag[word[:2]], "=", word[2:]
        if option is None:
            close = nearest(flag, by_flag)
            raise usage(
                f"there is no option `{flag}`", f"did you mean `{close}`?" if close else "see `policyengine gate --help`"
            )
        if not option.metavar:
            if equals:
                raise usage(f"`{flag}` takes no value", f"write `{flag}`")
            value = ""
        elif not equals:
            if not rest:
                raise usage(f"`{flag}` needs a value", f"write `{flag} {option.metavar}`")
            value = rest.pop(0)
        if option.name in given and not option.many and option.metavar:
            raise usage(f"`{flag}` is given twice", "keep one")
        given.setdefault(option.name, []).append(value)
    return positional, given


def usage(message: str, hint: str) -> Refusal:
    """A refusal for wrong usage of the command line; exit 2."""
    return Refusal(Diagnostic("PE851", message, hint=hint))
