"""``hedui``: the commands, and how each of them ends.

Exit codes: 0 done · 1 done, with refusals that are listed · 2 wrong usage or configuration · 3 a stage failed.
Importing this module costs little: every command imports what it needs when it runs.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from pipelines.commands import auditing, objecting, policies, reading, running, setting_up, standing
from pipelines.errors import HeduiError, where

app = typer.Typer(
    name="hedui",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

report = typer.Typer(help="核对报告 · show a report, or check its signature offline.", no_args_is_help=True)
contracts = typer.Typer(help="数据合同 · what each dataset promises.", no_args_is_help=True)
policy = typer.Typer(help="政策参数 · dated and cited parameters.", no_args_is_help=True)
keys = typer.Typer(help="密钥 · the root key, the public key of reports, key rotation.", no_args_is_help=True)
retention = typer.Typer(help="保存期限 · end of retention, deletion after a withdrawal.", no_args_is_help=True)
objection = typer.Typer(help="异议 · objections, answers of departments, their terms.", no_args_is_help=True)
airflow = typer.Typer(help="本机 Airflow · a local Airflow over the made-up county.", no_args_is_help=True)
quality = typer.Typer(help="数据质量 · the auditors' pages: open them, build them anew.", no_args_is_help=True)
ledger = typer.Typer(help="审计台账 · the hash-chained ledger.", no_args_is_help=True)
for group, name in (
    (report, "report"),
    (contracts, "contracts"),
    (policy, "policy"),
    (keys, "keys"),
    (objection, "objection"),
    (retention, "retention"),
    (airflow, "airflow"),
    (quality, "quality"),
    (ledger, "ledger"),
):
    app.add_typer(group, name=name)

app.command()(setting_up.demo)
app.command()(setting_up.init)
app.command()(setting_up.synth)
keys.command("init")(setting_up.keys_init)
keys.command("public")(setting_up.keys_public)
keys.command("rotate")(setting_up.keys_rotate)
app.command()(running.intake)
app.command()(running.verify)
app.command()(running.reconcile)
app.command()(reading.sources)
report.command("show")(reading.report_show)
report.command("check")(reading.report_check)
report.command("recompute")(reading.report_recompute)
report.command("diff")(objecting.report_diff)
retention.command("run")(running.retention_run)
objection.command("open")(objecting.objection_open)
objection.command("answer")(objecting.objection_answer)
objection.command("close")(objecting.objection_close)
objection.command("list")(objecting.objection_list)
contracts.command("check")(policies.contracts_check)
policy.command("check")(policies.policy_check)
policy.command("explain")(policies.policy_explain)
policy.command("diff")(policies.policy_diff)
airflow.command("up")(standing.airflow_up)
quality.command("open")(auditing.quality_open)
quality.command("accept")(auditing.quality_accept)
quality.command("build")(auditing.quality_build)
airflow.command("departments")(standing.airflow_departments)
airflow.command("pools")(standing.airflow_pools)
ledger.command("verify")(reading.ledger_verify)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hedui {version('hedui')}")
        raise typer.Exit


@app.callback()
def quiet_logs(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """社会救助家庭经济状况核对 · verify the economic status of households for social assistance."""
    # Logs go to standard error, so that what a command prints stays clean; warnings and above unless asked.
    import structlog

    level = logging.getLevelNamesMapping().get(os.environ.get("HEDUI_LOG", "WARNING").upper(), logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # the stream of the moment
    )


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    as_json = "--json" in arguments
    try:
        result = app(arguments, standalone_mode=False)
    except HeduiError as error:
        _tell({"error": type(error).__name__, "message": str(error), **error.fields()}, str(error), as_json)
        return error.exit_code
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # usage errors print their usage line too
        return 2
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("stopped; run the same command again to go on\n")
        return 3
    except Exception as error:
        place = where(error)
        _tell({"error": "unexpected", "where": place}, f"未预期的错误 / unexpected error: {place}", as_json)
        return 3
    return result if isinstance(result, int) else 0


def _tell(document: dict[str, object], text: str, as_json: bool) -> None:
    sys.stderr.write((json.dumps(document, ensure_ascii=False, default=str) if as_json else text) + "\n")


def main() -> None:
    """Entry point of the ``hedui`` script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
