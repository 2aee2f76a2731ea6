"""Who is calling: what a request presents, and whom a connection or the operator's side admits for it."""
