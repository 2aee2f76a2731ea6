"""Files that hold no configuration, and where the file is looked for."""

from pathlib import Path

import pytest

from gateway.settings import InvalidSettings, config_path, load


def _fault(path: Path) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load(path, {})
    (fault,) = caught.value.faults
    return str(fault)


def test_where_the_file_is_looked_for() -> None:
    """`--config`, else `$GATEWAY_CONFIG`, else `./gateway.toml`."""
    assert Path("a.toml") == config_path("a.toml", {"GATEWAY_CONFIG": "b.toml"})
    assert Path("b.toml") == config_path(None, {"GATEWAY_CONFIG": "b.toml"})
    assert Path("gateway.toml") == config_path(None, {"GATEWAY_CONFIG": ""})
    assert Path("gateway.toml") == config_path(None, {})


def test_a_missing_file(tmp_path: Path) -> None:
    """The fault says how to name another."""
    path = tmp_path / "none.toml"
    assert f"{path} does not exist; name a file with --config or GATEWAY_CONFIG" == _fault(path)


def test_a_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    assert f"{tmp_path} cannot be read: Is a directory" == _fault(tmp_path)


def test_a_file_below_a_file(tmp_path: Path) -> None:
    """A path that leads through a file."""
    (tmp_path / "file").write_text("")
    assert f"{tmp_path / 'file' / 'x'} cannot be read: Not a directory" == _fault(tmp_path / "file" / "x")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"[server", "(at end of document)"),
        (b"port = \n", "(at line 1, column 8)"),
        (b"[a]\n[a]\n", "(at line 2, column 3)"),
        (b"a = 1\nb = 2020-02-30", "(at "),
        (b'a = "one line', "(at "),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, where: str) -> None:
    """The fault says where in the file."""
    path = tmp_path / "gateway.toml"
    path.write_bytes(content)
    fault = _fault(path)
    assert fault.startswith(f"{path} is not TOML: ")
    assert where in fault


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """TOML is UTF-8."""
    path = tmp_path / "gateway.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert f"{path} is not UTF-8 text" == _fault(path)


def test_a_file_of_endless_brackets(tmp_path: Path) -> None:
    """What no parser can follow is a fault, and no crash."""
    path = tmp_path / "gateway.toml"
    path.write_bytes(b"a = " + b"[" * 5000)
    assert f"{path} is nested too deep" == _fault(path)


def test_a_number_beyond_python(tmp_path: Path) -> None:
    """A number of thousands of digits is a fault like any other."""
    path = tmp_path / "gateway.toml"
    path.write_text("a = " + "9" * 5000)
    assert _fault(path).startswith(f"{path} is not TOML: ")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Some editors begin a file with one."""
    path = tmp_path / "gateway.toml"
    path.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 81\r\n")
    assert load(path, {}).server.port == 81
