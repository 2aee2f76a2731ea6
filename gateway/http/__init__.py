"""The HTTP side: thin handlers that read a request, call a use case, and write its answer."""
