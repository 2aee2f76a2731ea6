"""Recorded series for every alert rule, and what an operator is told of them.

Series are in promtool's notation, a sample a minute unless `every` says otherwise: `0+6x20` is 0, 6, 12 … 120; `1x20`
is 1 and twenty times more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

EXPORTS, FEED = "/vainu/{connection}/exports", "/vainu/{connection}/activities/{unique_id}"
_REQUESTS = "gateway_http_request_duration_seconds"
_CALLS = "gateway_upstream_calls_total"
_COMMITS = "gateway_inbox_commit_duration_seconds"
_LAST = "gateway_connection_last_traffic_timestamp_seconds"


@dataclass(frozen=True)
class Case:
    """Series, the minute at which they are looked at, and the alerts that fire then: labels and summary."""

    alert: str
    series: Mapping[str, str]
    at: str
    fires: tuple[tuple[dict[str, str], str], ...] = ()
    every: str = "1m"
    """How far the samples are apart, and the looks at the rule; the same in all cases of one alert."""


CASES = (
    Case(
        "GatewayDown",
        {'up{job="gateway",instance="a"}': "1 1 0x10", 'up{job="node",instance="b"}': "0x20"},
        "6m",
        (({"job": "gateway", "instance": "a"}, "a does not answer scrapes"),),
    ),
    Case("GatewayDown", {'up{job="gateway",instance="a"}': "1 0 1x10"}, "6m"),
    Case(
        "GatewayNotReady",
        {'gateway_ready{instance="a"}': "1 0x10", 'gateway_ready{instance="b"}': "1x10"},
        "6m",
        (({"instance": "a"}, "a is not ready"),),
    ),
    Case("GatewayNotReady", {'gateway_ready{instance="a"}': "1 0 1x10"}, "6m"),
    Case(
        "GatewayStoreDown",
        {'gateway_store_up{instance="a"}': "1 0x10"},
        "4m",
        (({"instance": "a"}, "a cannot read its store"),),
    ),
    Case("GatewayStoreDown", {'gateway_store_up{instance="a"}': "1x10"}, "4m"),
    Case(
        "GatewayDiskFilling",
        {'gateway_disk_free_bytes{instance="a"}': "536870912x10", 'gateway_disk_free_bytes{instance="b"}': "5e10x10"},
        "8m",
        (({"instance": "a"}, "The store's disk on a has 512MiB, now or in four hours"),),
    ),
    Case(
        # 100 MB a minute: 24 GB in four hours
        "GatewayDiskFilling",
        {'gateway_disk_free_bytes{instance="a"}': "20e9-1e8x90"},
        "80m",
        (({"instance": "a"}, "The store's disk on a has -11.18GiB, now or in four hours"),),
    ),
    Case("GatewayDiskFilling", {'gateway_disk_free_bytes{instance="a"}': "40e9-1e8x90"}, "80m"),
    Case(
        "GatewayBacklogOld",
        {
            'gateway_oldest_due_delivery_age_seconds{instance="a",connection="acme"}': "0 60+60x20",
            'gateway_oldest_due_delivery_age_seconds{instance="b",connection="acme"}': "0 60+60x20",
            'gateway_oldest_due_delivery_age_seconds{instance="a",connection="globex"}': "100x20",
        },
        "10m",
        (({"connection": "acme"}, "Work of acme is overdue by 10m 0s"),),
    ),
    Case("GatewayBacklogOld", {'gateway_oldest_due_delivery_age_seconds{connection="acme"}': "0 300 0x20"}, "10m"),
    Case(
        "GatewayDeadLetters",
        {
            'gateway_deliveries{instance="a",connection="acme",state="dead"}': "2x30 5x60",
            'gateway_deliveries{instance="b",connection="acme",state="dead"}': "2x30 5x60",
            'gateway_deliveries{instance="a",connection="globex",state="dead"}': "7x90",
        },
        "40m",
        (({"connection": "acme"}, "3 new dead letters of acme within the last hour"),),
    ),
    Case("GatewayDeadLetters", {'gateway_deliveries{connection="acme",state="dead"}': "2x5 5x120"}, "90m"),
    Case(
        "GatewayCircuitOpen",
        {
            'gateway_circuit_open{instance="a",connection="acme",kind="export"}': "0 1x20",
            'gateway_circuit_open{instance="b",connection="acme",kind="export"}': "0x20",
        },
        "10m",
        (
            (
                {"connection": "acme", "kind": "export"},
                "Deliveries of acme (export) wait: the remote system keeps failing",
            ),
        ),
    ),
    Case("GatewayCircuitOpen", {'gateway_circuit_open{connection="acme",kind="export"}': "1 1 1 0x20"}, "10m"),
    Case(
        "GatewayUpstreamFailing",
        {
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="ok"}}': "0+30x30",
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="timeout"}}': "0+20x30",
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="throttled"}}': "0+10x30",
            f'{_CALLS}{{connection="acme",system="vainu",outcome="ok"}}': "0+30x30",
        },
        "20m",
        (({"connection": "acme", "system": "apptivo"}, "50% of the calls to apptivo for acme fail"),),
    ),
    Case(
        # that it has no such record, or refuses one, is an answer
        "GatewayUpstreamFailing",
        {
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="ok"}}': "0+30x30",
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="not_found"}}': "0+30x30",
            f'{_CALLS}{{connection="acme",system="apptivo",outcome="refused"}}': "0+30x30",
        },
        "20m",
    ),
    Case(
        "GatewayCredentialsRefused",
        {f'{_CALLS}{{connection="acme",system="apptivo",outcome="credentials"}}': "0+1x30"},
        "12m",
        (({"connection": "acme", "system": "apptivo"}, "apptivo refuses our credentials for acme"),),
    ),
    Case(
        "GatewayCredentialsRefused", {f'{_CALLS}{{connection="acme",system="apptivo",outcome="ok"}}': "0+1x30"}, "12m"
    ),
    Case(
        "GatewaySlowAnswers",
        {
            f'{_REQUESTS}_bucket{{route="{FEED}",le="3.0"}}': "0+45x30",
            f'{_REQUESTS}_count{{route="{FEED}"}}': "0+60x30",
            f'{_REQUESTS}_bucket{{route="{EXPORTS}",le="3.0"}}': "0+60x30",
            f'{_REQUESTS}_count{{route="{EXPORTS}"}}': "0+60x30",
            f'{_REQUESTS}_bucket{{route="/metrics",le="3.0"}}': "0+0x30",
            f'{_REQUESTS}_count{{route="/metrics"}}': "0+60x30",
        },
        "20m",
        (({"route": FEED}, f"25% of the answers of {FEED} come after Vainu's 3 s"),),
    ),
    Case(
        "GatewaySlowAnswers",
        {
            f'{_REQUESTS}_bucket{{route="{FEED}",le="3.0"}}': "0+58x30",
            f'{_REQUESTS}_count{{route="{FEED}"}}': "0+60x30",
        },
        "20m",
    ),
    Case(
        "GatewayErrors",
        {
            f'{_REQUESTS}_count{{route="{EXPORTS}",status="201"}}': "0+90x30",
            f'{_REQUESTS}_count{{route="{EXPORTS}",status="502"}}': "0+10x30",
            f'{_REQUESTS}_count{{route="/health/live",status="200"}}': "0+900x30",
        },
        "20m",
        (({}, "10% of all answers are 5xx"),),
    ),
    Case(
        "GatewayErrors",
        {
            f'{_REQUESTS}_count{{route="{EXPORTS}",status="201"}}': "0+90x30",
            f'{_REQUESTS}_count{{route="/health/ready",status="503"}}': "0+90x30",
        },
        "20m",
    ),
    Case(
        "GatewayRefusingWork",
        {
            f'gateway_http_refusals_total{{route="{EXPORTS}",reason="not_kept"}}': "0+6x30",
            f'gateway_http_refusals_total{{route="{FEED}",reason="crm_failed"}}': "0+6x30",
        },
        "8m",
        (({"route": EXPORTS}, f"{EXPORTS} is answered 503: work cannot be kept"),),
    ),
    Case("GatewayRefusingWork", {f'gateway_http_refusals_total{{route="{EXPORTS}",reason="not_kept"}}': "3x30"}, "8m"),
    Case(
        "GatewaySignInsFail",
        {
            f'{_REQUESTS}_count{{route="{EXPORTS}",status="401"}}': "0+90x30",
            f'gateway_http_refusals_total{{route="{EXPORTS}",reason="signin_limited"}}': "0+30x30",
        },
        "20m",
        (({}, "2 sign-ins a second fail"),),
    ),
    Case("GatewaySignInsFail", {f'{_REQUESTS}_count{{route="{EXPORTS}",status="401"}}': "0+30x30"}, "20m"),
    Case(
        "GatewayRateLimited",
        {f'gateway_http_refusals_total{{route="{EXPORTS}",reason="rate_limited"}}': "0+6x30"},
        "20m",
        (({"route": EXPORTS}, f"Callers of {EXPORTS} are over their rate"),),
    ),
    Case("GatewayRateLimited", {f'gateway_http_refusals_total{{route="{EXPORTS}",reason="invalid"}}': "0+6x30"}, "20m"),
    Case(
        "GatewayFeedsPartial",
        {
            'gateway_feeds_total{connection="acme",outcome="complete"}': "0+30x40",
            'gateway_feeds_total{connection="acme",outcome="partial"}': "0+30x40",
            'gateway_feeds_total{connection="globex",outcome="complete"}': "0+30x40",
        },
        "30m",
        (({"connection": "acme"}, "50% of the feeds of acme lack a source"),),
    ),
    Case(
        "GatewayFeedsPartial",
        {
            'gateway_feeds_total{connection="acme",outcome="complete"}': "0+80x40",
            'gateway_feeds_total{connection="acme",outcome="partial"}': "0+20x40",
        },
        "30m",
    ),
    Case(
        "GatewayFeedsStale",
        {'gateway_feeds_total{connection="acme",outcome="stale"}': "0+3x40"},
        "20m",
        (({"connection": "acme"}, "No source of acme's CRM answers: feeds are old, or fail"),),
    ),
    Case("GatewayFeedsStale", {'gateway_feeds_total{connection="acme",outcome="partial"}': "0+3x40"}, "20m"),
    Case(
        "GatewayEventsRejected",
        {'gateway_feed_events_rejected_total{connection="acme",reason="no_date"}': "0+2x60"},
        "50m",
        (({"connection": "acme", "reason": "no_date"}, "Events of acme are left out of feeds (no_date)"),),
    ),
    Case(
        "GatewayEventsRejected",
        {'gateway_feed_events_rejected_total{connection="acme",reason="no_date"}': "4x60"},
        "50m",
    ),
    Case(
        # four days: acme called at the start only, globex an hour ago, initech never
        "GatewayConnectionSilent",
        {
            f'{_LAST}{{connection="acme",traffic="feed"}}': "60x576",
            f'{_LAST}{{connection="acme",traffic="export"}}': "0x576",
            f'{_LAST}{{connection="globex",traffic="feed"}}': "0+600x570 342000x6",
            f'{_LAST}{{connection="initech",traffic="feed"}}': "0x576",
            "gateway_start_time_seconds": "0x576",
        },
        "5760m",
        (
            ({"connection": "acme"}, "Nobody has called acme for 3d 23h 59m 0s"),
            ({"connection": "initech"}, "Nobody has called initech for 4d 0h 0m 0s"),
        ),
        every="10m",
    ),
    Case(
        # restarted a day ago: nobody knows what was before
        "GatewayConnectionSilent",
        {f'{_LAST}{{connection="acme",traffic="feed"}}': "0x576", "gateway_start_time_seconds": "259200x576"},
        "5760m",
        every="10m",
    ),
    Case(
        "GatewayConnectionRemoved",
        {
            'gateway_deliveries{connection="gone",state="pending"}': "4x30",
            'gateway_deliveries{connection="acme",state="pending"}': "9x30",
            f'{_LAST}{{connection="acme",traffic="feed"}}': "0x30",
        },
        "20m",
        (({"connection": "gone"}, "4 deliveries wait for gone, which the configuration does not have"),),
    ),
    Case("GatewayConnectionRemoved", {'gateway_deliveries{connection="gone",state="dead"}': "4x30"}, "20m"),
    Case(
        "GatewayWorkersDying",
        {
            'gateway_worker_restarts_total{instance="a"}': "0x10 0+1x10",
            'gateway_worker_restarts_total{instance="b"}': "0x30",
        },
        "20m",
        (({"instance": "a"}, "Worker processes of a keep dying"),),
    ),
    Case("GatewayWorkersDying", {'gateway_worker_restarts_total{instance="a"}': "0x10 1x20"}, "20m"),
    Case(
        "GatewayCommitsSlow",
        {
            f'{_COMMITS}_bucket{{instance="a",outcome="ok",le="0.5"}}': "0+90x30",
            f'{_COMMITS}_count{{instance="a",outcome="ok"}}': "0+100x30",
        },
        "20m",
        (({"instance": "a"}, "10% of the commits on a take longer than 0.5 s"),),
    ),
    Case(
        "GatewayCommitsSlow",
        {
            f'{_COMMITS}_bucket{{instance="a",outcome="ok",le="0.5"}}': "0+100x30",
            f'{_COMMITS}_count{{instance="a",outcome="ok"}}': "0+100x30",
        },
        "20m",
    ),
)
