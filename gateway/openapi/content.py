"""What operations are written with: bodies, headers, command lines."""

from gateway.openapi.references import Node, header


def json_body(description: str, of: Node, shown: object, *headers: str) -> Node:
    """An answer in JSON; `shown` is its example, None for none."""
    content: Node = {"schema": of} if shown is None else {"schema": of, "example": shown}
    return {
        "description": description,
        "headers": headers_of(*headers),
        "content": {"application/json": content},
    }


def text_body(media_type: str, description: str) -> Node:
    """An answer that is text."""
    return {
        "description": description,
        "headers": headers_of(),
        "content": {media_type: {"schema": {"type": "string"}}},
    }


def headers_of(*names: str) -> Node:
    """References to the headers that come with an answer; `X-Request-ID` comes with all."""
    return {name: header(name) for name in ("X-Request-ID", *names)}


def sample(label: str, source: str) -> Node:
    """A command line for `x-codeSamples`, with $GATEWAY for the gateway's address."""
    return {"lang": "Shell", "label": label, "source": source}
