"""The console under `/console/`: server-rendered HTML for operators (CONTRACT section 10).

Pages are Jinja2 templates; htmx, where scripts run, refreshes parts of them, and nothing needs it. A GET changes
nothing but the session's own idle time; whatever changes something is a POST with the form's token, from our origin.
Who is signed in is `sessions`, how is `sign_in` and `oidc`, what every request passes is `access`.
"""
