"""What a request presents."""

from base64 import b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.auth.credentials import MAX_PROOF_BYTES, Presented, digest, read_credentials
from gateway.auth.errors import AmbiguousProof

Headers = list[tuple[bytes, bytes]]


def basic(pair: bytes) -> bytes:
    return b"Basic " + b64encode(pair)


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ([], b"", Presented(is_empty=True)),
        ([(b"host", b"x"), (b"accept", b"*/*")], b"limit=5", Presented(is_empty=True)),
        ([(b"api-key", b"k1")], b"", Presented(api_key=digest(b"k1"))),
        ([(b"API-Key", b" k1\t")], b"", Presented(api_key=digest(b"k1"))),
        ([(b"api-key", "kävely".encode())], b"", Presented(api_key=digest("kävely".encode()))),
        ([(b"authorization", basic(b"u:p"))], b"", Presented(basic=(digest(b"u"), digest(b"p")))),
        ([(b"authorization", basic(b"u:p:q"))], b"", Presented(basic=(digest(b"u"), digest(b"p:q")))),
        ([(b"authorization", basic(b"u:"))], b"", Presented(basic=(digest(b"u"), digest(b"")))),
        ([(b"authorization", basic(b"u:\xff\x00"))], b"", Presented(basic=(digest(b"u"), digest(b"\xff\x00")))),
        ([(b"authorization", b"bASIC  " + b64encode(b"u:p"))], b"", Presented(basic=(digest(b"u"), digest(b"p")))),
        ([(b"authorization", b"Bearer a.b.c")], b"", Presented(bearer=b"a.b.c")),
        ([(b"authorization", b"bearer   a.b.c ")], b"", Presented(bearer=b"a.b.c")),
        ([], b"token=t1", Presented(url_token=digest(b"t1"))),
        ([], b"limit=5&token=t%2B1+2&since=x", Presented(url_token=digest(b"t+1 2"))),
        ([], b"%74oken=t1", Presented(url_token=digest(b"t1"))),
        ([(b"api-key", b"k"), (b"authorization", b"Bearer t")], b"", Presented(api_key=digest(b"k"), bearer=b"t")),
    ],
)
def test_a_proof_is_read(headers: Headers, query: bytes, expected: Presented) -> None:
    """Each kind of proof is read in all its legitimate spellings."""
    assert expected == read_credentials(headers, query)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([(b"api-key", b"")], b""),
        ([(b"api-key", b"   ")], b""),
        ([(b"api-key", b"k" * 100_000)], b""),
        ([(b"authorization", b"")], b""),
        ([(b"authorization", b"Basic")], b""),
        ([(b"authorization", b"Basic ")], b""),
        ([(b"authorization", b"Basic !!!")], b""),
        ([(b"authorization", b"Basic \xff\xfe")], b""),
        ([(b"authorization", b"Basic dTpw\x00")], b""),
        ([(b"authorization", b"Basic dTp3b3Jk=")], b""),
        ([(b"authorization", b"Basic dTp3bw")], b""),
        ([(b"authorization", b"Basic dTp3bx==")], b""),
        ([(b"authorization", b"Basic dTp3 bw==")], b""),
        ([(b"authorization", b"Basic dTp_-w==")], b""),
        ([(b"authorization", basic(b"no-colon"))], b""),
        ([(b"authorization", b"Basic\t" + b64encode(b"u:p"))], b""),
        ([(b"authorization", basic(b"u:" + b"p" * 100_000))], b""),
        ([(b"authorization", b"Bearer")], b""),
        ([(b"authorization", b"Bearer " + b"t" * 100_000)], b""),
        ([(b"authorization", b"Digest username=u")], b""),
        ([(b"authorization", b"k1")], b""),
        ([], b"token="),
        ([], b"token"),
        ([], b"token=a&token=a"),
        ([], b"token=" + b"t" * 100_000),
    ],
)
def test_an_unreadable_proof_is_a_wrong_one(headers: Headers, query: bytes) -> None:
    """A proof that cannot be read presents nothing, but counts as an attempt."""
    assert Presented() == read_credentials(headers, query)


@pytest.mark.parametrize("name", [b"api_key", b"x-api-key", b"apikey", b"proxy-authorization"])
def test_only_the_named_headers_are_proofs(name: bytes) -> None:
    """The `api_key` of S001's generated part is no proof, nor is any other header."""
    assert Presented(is_empty=True) == read_credentials([(name, b"k1"), (name, b"k1")])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"api-key", b"k1"), (b"api-key", b"k2")],
        [(b"api-key", b"k1"), (b"API-KEY", b"k1")],
        [(b"api-key", b""), (b"x", b"y"), (b"api-key", b"")],
        [(b"authorization", b"Bearer a.b.c"), (b"authorization", b"Basic dTpw")],
    ],
)
def test_a_proof_header_that_comes_twice_is_ambiguous(headers: Headers) -> None:
    """Two headers of one proof are refused even when they are equal, and the refusal repeats neither."""
    with pytest.raises(AmbiguousProof) as caught:
        read_credentials(headers)
    assert caught.value.detail.startswith(("expected one API-Key header", "expected one Authorization header"))
    assert "k1" not in caught.value.detail


def test_a_presented_secret_shows_in_no_repr() -> None:
    """Neither tokens nor digests show when what was presented is logged by mistake."""
    presented = read_credentials([(b"api-key", b"key"), (b"authorization", b"Bearer a.b.c")], b"token=t")
    assert repr(presented) == "Presented(is_empty=False)"


names = st.sampled_from([b"api-key", b"API-Key", b"authorization", b"x-other"]) | st.binary(max_size=12)
schemes = st.sampled_from([b"", b"Basic ", b"basic", b"Bearer ", b"BEARER\t", b"Digest "])
values = st.builds(bytes.__add__, schemes, st.binary(max_size=60) | st.binary(max_size=40).map(b64encode))


@given(st.lists(st.tuples(names, values), max_size=5), st.binary(max_size=80))
@example([(b"authorization", b"Basic " + b"=" * (MAX_PROOF_BYTES - 6))], b"")
@example([(b"authorization", b"Basic \x00")], b"token=%&token&=&%ff=%zz")
def test_hostile_headers_raise_nothing_else(headers: Headers, query: bytes) -> None:
    """Whatever bytes come, the answer is what is presented, or that it is ambiguous."""
    seen = [name.lower() for name, _ in headers]
    doubled = any(seen.count(name) > 1 for name in (b"api-key", b"authorization"))
    try:
        read_credentials(headers, query)
    except AmbiguousProof:
        assert doubled
    else:
        assert not doubled
