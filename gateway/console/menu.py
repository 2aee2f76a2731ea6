"""The console's menu: every page that is no detail of another."""

MENU: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("", (("/", "Overview"),)),
    (
        "Traffic",
        (
            ("/exports", "Exports"),
            ("/webhooks", "Webhooks"),
            ("/deliveries", "Deliveries"),
            ("/dead-letters", "Dead letters"),
        ),
    ),
    ("Try", (("/feed", "Feed preview"), ("/mapping", "Mapping preview"))),
    ("Operate", (("/connections", "Connections"), ("/syncs", "Sync runs"))),
    ("Gateway", (("/configuration", "Configuration"), ("/audit", "Audit log"))),
)
"""Group → the path of each page, below the console's own, and its name."""
