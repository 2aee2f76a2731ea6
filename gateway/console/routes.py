"""Every route of the console. They stay out of the OpenAPI document, which describes what programs call.

A program calls `/api`, which can do the same; these pages are for a person, and may change with any version.
"""

from gateway.console import (
    connections,
    deliveries,
    exports,
    oidc_sign_in,
    overview,
    previews,
    records,
    replays,
    sign_in,
    static_files,
    syncs,
)
from gateway.console.access import Endpoint, action, guarded, live, nowhere, page, to_overview

CONSOLE_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/console", guarded(to_overview)),
    ("GET", "/console/", page(overview.overview)),
    ("GET", "/console/live/overview", live(overview.overview_live)),
    ("GET", "/console/exports", page(exports.exports)),
    ("GET", "/console/exports/{id}", page(exports.export)),
    ("GET", "/console/live/exports/{id}", live(exports.export)),
    ("GET", "/console/webhooks", page(deliveries.webhooks)),
    ("GET", "/console/deliveries", page(deliveries.deliveries)),
    ("GET", "/console/deliveries/{id}", page(deliveries.delivery)),
    ("GET", "/console/live/deliveries/{id}", live(deliveries.delivery)),
    ("GET", "/console/dead-letters", page(deliveries.dead_letters)),
    ("GET", "/console/replay", page(replays.confirmation)),
    ("POST", "/console/replay", action(replays.replay)),
    ("GET", "/console/feed", page(previews.feed)),
    ("GET", "/console/mapping", page(previews.mapping)),
    ("POST", "/console/mapping", action(previews.map_export)),
    ("GET", "/console/connections", page(connections.connections)),
    ("GET", "/console/connections/{name}", page(connections.connection)),
    ("GET", "/console/syncs", page(syncs.syncs)),
    ("POST", "/console/syncs", action(syncs.start)),
    ("GET", "/console/syncs/{id}", page(syncs.sync)),
    ("GET", "/console/live/syncs/{id}", live(syncs.sync_live)),
    ("GET", "/console/configuration", page(records.configuration)),
    ("GET", "/console/audit", page(records.audit)),
    ("GET", "/console/static/{version}/{name}", guarded(static_files.static_file)),
    ("GET", "/console/sign-in", guarded(sign_in.form)),
    ("POST", "/console/sign-in", guarded(sign_in.with_token)),
    ("POST", "/console/sign-in/oidc", guarded(oidc_sign_in.begin)),
    ("GET", "/console/sign-in/oidc/return", guarded(oidc_sign_in.come_back)),
    ("POST", "/console/sign-out", action(sign_in.out)),
    ("GET", "/console/{path:path}", page(nowhere)),
)
"""Method, path, endpoint."""
