"""`python -m deploy.grafana.dashboard`: write deploy/grafana/dashboard.json, or check it.

python -m deploy.grafana.dashboard           # write it
python -m deploy.grafana.dashboard --check   # exit 1 where the file differs from this code

A test asks every expression of a real Prometheus that scrapes a real gateway and worker.
"""

import sys
from pathlib import Path
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import TimeZoneUtc
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE: Final = Path(__file__).with_name("dashboard.json")
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
HEIGHT: Final = 8
SPAN: Final = 8  # of 24 columns


class Chart(NamedTuple):
    """One panel: its lines are pairs of legend and PromQL."""

    title: str
    unit: str
    meaning: str
    lines: tuple[tuple[str, str], ...]


ROWS: Final[dict[str, tuple[Chart, ...]]] = {
    "Capacity": (
        Chart(
            "Callers and slots",
            "short",
            "Calls and waiting callers, against the slots of all workers.",
            (
                ("callers", "antiphon:fleet_callers:sum"),
                ("slots", "antiphon:fleet_slots:sum"),
                ("waiting", "max(antiphon_fleet_waiting_callers)"),
            ),
        ),
        Chart(
            "Load",
            "percentunit",
            "Callers by 70 % of the slots. Above 1 the autoscaler adds a worker.",
            (("load", "antiphon:fleet_load:ratio"),),
        ),
        Chart(
            "Workers",
            "short",
            "Workers whose beat moves.",
            (("{{engine}}", "max by (engine) (antiphon_fleet_workers)"),),
        ),
    ),
    "What callers notice": (
        Chart(
            "Time to the answer",
            "s",
            "From the audio that ended a turn to the first frame of its reply.",
            (
                ("p95", "antiphon:gateway_answer_seconds:p95_5m"),
                (
                    "p50",
                    "histogram_quantile(0.5, sum by (le) "
                    "(rate(antiphon_gateway_answer_seconds_bucket[5m])))",
                ),
            ),
        ),
        Chart(
            "Lateness of frames",
            "s",
            "The 99th percentile. Players hold 0.2 s.",
            (("{{instance}}", "antiphon:gateway_lateness_seconds:p99_5m"),),
        ),
        Chart(
            "Refusals",
            "reqps",
            "Sockets that ended with an error, by its code.",
            (("{{code}}", "antiphon:gateway_refusals:rate5m"),),
        ),
        Chart(
            "Underruns, missing and doubled frames",
            "short",
            "In five minutes. Missing and doubled must be 0.",
            (
                ("underruns", "sum(increase(antiphon_gateway_underruns_total[5m]))"),
                ("missing", "sum(increase(antiphon_gateway_missing_frames_total[5m]))"),
                ("doubled", "sum(increase(antiphon_gateway_doubled_frames_total[5m]))"),
            ),
        ),
    ),
    "Workers": (
        Chart(
            "Step time, p95",
            "s",
            "Against what a step of the engine may take.",
            (
                ("{{instance}}", "antiphon_worker_step_p95_seconds"),
                ("limit {{engine}}", "max by (engine) (antiphon_worker_step_limit_seconds)"),
            ),
        ),
        Chart(
            "Stages, mean",
            "s",
            "One pass through each stage of the worker's loop.",
            (
                (
                    "{{stage}}",
                    "sum by (stage) (rate(antiphon_stage_seconds_sum[1m])) / "
                    "sum by (stage) (rate(antiphon_stage_seconds_count[1m]) > 0)",
                ),
            ),
        ),
        Chart(
            "Takeovers and calls given up",
            "short",
            "In ten minutes: calls from dead workers, and calls at which the model failed.",
            (
                ("takeovers", "sum(increase(antiphon_takeovers_total[10m]))"),
                (
                    "poisoned",
                    'sum(increase(antiphon_sessions_ended_total{reason="poisoned"}[10m]))',
                ),
            ),
        ),
    ),
    "Redis and processes": (
        Chart(
            "Redis errors",
            "reqps",
            "Round trips that failed.",
            (("{{job}}", "antiphon:redis_errors:rate1m"),),
        ),
        Chart(
            "Writes by answer",
            "reqps",
            "What the log's scripts answer. `busy`: the log of a call is full.",
            (
                (
                    "{{script}} {{answer}}",
                    "sum by (script, answer) (rate(antiphon_receipts_total[1m]))",
                ),
            ),
        ),
        Chart(
            "CPU",
            "short",
            "Cores that each process uses.",
            (("{{job}} {{instance}}", "rate(process_cpu_seconds_total[1m])"),),
        ),
        Chart(
            "Memory",
            "bytes",
            "Resident, by process.",
            (("{{job}} {{instance}}", "process_resident_memory_bytes"),),
        ),
    ),
}


def expressions() -> list[str]:
    """Every PromQL expression of the dashboard."""
    charts = [chart for row in ROWS.values() for chart in row]
    return [expr for chart in charts for _, expr in chart.lines]


def text() -> str:
    """The dashboard as Grafana imports it."""
    board = (
        dashboard.Dashboard("Antiphon")
        .uid("antiphon")
        .tags(["antiphon"])
        .refresh("5s")
        .time("now-30m", "now")
        .timezone(TimeZoneUtc)
    )
    for title, charts in ROWS.items():
        board.with_row(dashboard.Row(title))
        for chart in charts:
            board.with_panel(_panel(chart))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _panel(chart: Chart) -> timeseries.Panel:
    panel = timeseries.Panel().title(chart.title).description(chart.meaning).unit(chart.unit)
    panel.datasource(SOURCE).height(HEIGHT).span(SPAN).min(0)
    for letter, (legend, expr) in zip("ABCDEF", chart.lines, strict=False):
        query = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(letter)
        panel.with_target(query.datasource(SOURCE))
    return panel


def main() -> None:
    """Write or check the file."""
    if "--check" not in sys.argv:
        FILE.write_text(text())
    elif not FILE.exists() or FILE.read_text() != text():
        sys.exit("Run `python -m deploy.grafana.dashboard`: the file differs from the code")


if __name__ == "__main__":
    main()
