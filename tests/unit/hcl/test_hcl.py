"""HCL 1 as Vault's files and policies use it."""

import pytest

from wardgate.hcl import HclError, Limits, Number, Place, Table, Value, read

LIMITS = Limits(100_000)


def plain(value: Value) -> object:
    """A value without its places; a table as a list of pairs, as keys may repeat."""
    if isinstance(value, Table):
        return [(item.key, plain(item.value)) for item in value]
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.value if isinstance(value, Number) else value


def read_plain(text: str) -> object:
    return plain(read(text, LIMITS))


def test_keys_have_texts_numbers_and_truth_values() -> None:
    assert read_plain('a = "x"\nb = -3\nc = true\nd = false') == [
        ("a", "x"),
        ("b", -3),
        ("c", True),
        ("d", False),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0", 0), ("-12", -12), ("0600", 0o600), ("-010", -8), ("0x1f", 31), ("0XF", 15),
        ("-0x10", -16), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("2.5E-1", 0.25),
        ("1e+2", 100.0), ("08.5", 8.5), ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)  # fmt: skip
def test_numbers_have_a_value_and_keep_their_spelling(written: str, meant: int | float) -> None:
    (item,) = read(f"a = {written}", LIMITS)
    assert item.value == Number(written, meant)
    assert isinstance(item.value, Number)
    assert type(item.value.value) is type(meant)


def test_labels_of_a_block_are_tables_around_it() -> None:
    assert read_plain('a "b" c { d = 1 }') == [("a", [("b", [("c", [("d", 1)])])])]


def test_keys_may_be_quoted_everywhere() -> None:
    assert read_plain('"a" { "2xx" = { "X-Y" = ["z"] } }') == [("a", [("2xx", [("X-Y", ["z"])])])]


def test_repeated_keys_are_all_kept() -> None:
    assert read_plain("a { }\na { }\na = 1") == [("a", []), ("a", []), ("a", 1)]


def test_line_breaks_and_commas_between_items_are_optional() -> None:
    assert read_plain('a = 1 b = 2, c = "x" d { e = 1 f = 2 }') == [
        ("a", 1),
        ("b", 2),
        ("c", "x"),
        ("d", [("e", 1), ("f", 2)]),
    ]


def test_a_line_break_or_comment_may_stand_between_any_two_words() -> None:
    lines = 'path\n"a"\n{\n"b"\n=\n[\n1\n,\n]\n,\nc # d\n= /* e */ 2 }'
    assert read_plain(lines) == [("path", [("a", [("b", [1]), ("c", 2)])])]


def test_a_map_is_the_same_with_and_without_an_equals_sign() -> None:
    assert read_plain("a = { b = {} }") == read_plain("a { b {} }") == read_plain("a b {}")


def test_keys_may_hold_dots_and_dashes_and_any_letters() -> None:
    assert read_plain("a.b-c_d = 1 é = 2 _ = 3") == [("a.b-c_d", 1), ("é", 2), ("_", 3)]


@pytest.mark.parametrize("written", ["1, 2", "1, 2,", "\n1,\n2,\n", ",1,, 2,,", "1, # x\n2"])
def test_commas_in_a_list_may_be_too_many_but_not_too_few(written: str) -> None:
    assert read_plain(f"a = [{written}]") == [("a", [1, 2])]


def test_lists_hold_anything() -> None:
    text = 'a = [1, "b", [true], { c = 2 }, <<E\nd\nE\n]'
    assert read_plain(text) == [("a", [1, "b", [True], [("c", 2)], "d\n"])]


def test_comments_of_three_kinds_are_left_out() -> None:
    assert read_plain("# a\n// b\na = 1 /* c\n d = 2 */ b = 3 # e") == [("a", 1), ("b", 3)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\"\\\n\t", '"\\\n\t'),
        (r"\a\b\f\v\r", "\a\b\f\v\r"),
        (r"\x41\101\u00e9\U0001F511", "AAé🔑"),
        (r"\xc3\xa9\303\251", "éé"),
        ("${a} %{b} $${c} $ {", "${a} %{b} $${c} $ {"),
        ('${"a" {"b"} }${\n}', '${"a" {"b"} }${\n}'),
        (r"${a\n\"}\n", '${a\\n\\"}\n'),  # replaced outside of the braces only
        (r"$\n\u0024{a", "$\n${a"),
        ("# // /* <<E", "# // /* <<E"),
    ],
)
def test_texts_know_escapes_but_no_interpolation(written: str, meant: str) -> None:
    assert read_plain(f'a = "{written}"') == [("a", meant)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<<EOF\n  hi\n there\nEOF\n", "  hi\n there\n"),
        ("<<EOF\nhi\n  EOF\n", "hi\n  "),
        ("<<-EOF\n    hi\n   there\n  EOF\n", "  hi\n there\n"),
        ("<<-EOF\n    hi\n   there\n\n   EOF\n", "    hi\n   there\n\n"),  # all lines or none
        ("<<-EOF\n  hi\nEOF\n  EOF\n", "  hi\nEOF\n"),
        ("<<-E\n  \u2028\x0b\n  E\n", "\u2028\x0b\n"),
        ("<<E\nxE\nE x\nE\n", "xE\nE x\n"),
        ("<<1_é\nx\n1_é\n", "x\n"),
        ("<<E\nE\n", ""),
        ('<<E\n"\\n\n\nE', '"\\n\n\n'),
    ],
)
def test_heredocs_are_texts_of_whole_lines(written: str, meant: str) -> None:
    assert read_plain(f"a = {written}\nb = 1") == [("a", meant), ("b", 1)]


def test_windows_line_ends_are_fine() -> None:
    text = 'a = 1\r\nb { c = "x\r" }\r\nd = <<E\r\ny\r\nE\r\n'
    assert read_plain(text) == [("a", 1), ("b", [("c", "x\r")]), ("d", "y\n")]


def test_every_key_knows_its_line() -> None:
    table = read('a = 1\n\n/* x\n*/ b "c" {\n  d = <<E\nx\nE\n  e = 1\n}', LIMITS)
    a, b = table
    assert (a.place.line, b.place.line) == (1, 4)
    assert isinstance(b.value, Table)
    (c,) = b.value
    assert isinstance(c.value, Table)
    assert [item.place.line for item in c.value] == [5, 8]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = ", 2),
        ("a = 1\nb = 900h", 2),
        ("a = 1\nb = yes", 2),
        ('\na "b" = 1', 2),
        ('\n\nstorage "x" {\n a = 1\n', 5),
        ("a }", 1),
        ("a = 1 }", 1),
        ("a = [1 2]", 1),
        ("a = [{} {}]", 1),
        ("a = {,}", 1),
        ("a = 1,, b = 2", 1),
        (", a = 1", 1),
        ("true = 1", 1),
        ("a true {}", 1),
        ("a = null", 1),
        ("a = TRUE", 1),
        ("a = +1", 1),
        ("a = - 1", 1),
        ("a = 1 + 1", 1),
        ("a = 1b = 2", 1),
        ("a = 08", 1),
        ("a = 0x", 1),
        ("a = 9223372036854775808", 1),
        ("a = 1e400", 1),
        ("a = 1" + "0" * 5000, 1),
        ("a = f(x)", 1),
        ("a", 1),
        ("a = 'x'", 1),
        ("a\v= 1", 1),
        ("\ufeffa = 1", 1),
        ("a = 1\n# \0", 2),
        ("a = 1\n# \ud800", 2),
        ("a : 1", 1),
        ('a = "x', 1),
        ('a = "x\n"', 1),
        (r'a = "\q"', 1),
        (r'a = "\ud800"', 1),
        (r'a = "\U00110000"', 1),
        (r'a = "\xe9"', 1),
        (r'a = "\400"', 1),
        ('a = "${"', 1),
        ('a = "${a\n{}"', 1),
        (r'a = "${\q}"', 1),
        ("a = <<E\nx\n", 1),
        ("a = <<E\nx\nE", 1),
        ("a = <<E\nx\nE \n", 1),
        ("a = <<-E\nx\nE\n", 1),
        ("a = <<E F\nx\nE F\n", 1),
        ("\n/* x", 2),
        ("a = ${b}", 1),
        ("= 1", 1),
    ],
)
def test_what_is_no_hcl_is_an_error_that_names_the_line(text: str, line: int) -> None:
    with pytest.raises(HclError) as error:
        read(text, LIMITS, "w.hcl")
    assert error.value.place == Place("w.hcl", line)
    assert str(error.value) == f"w.hcl:{line}: {error.value.problem}"


def test_a_text_with_a_stray_quotation_mark_is_not_repeated() -> None:
    with pytest.raises(HclError) as error:
        read('token = "hunter"two"', LIMITS)
    assert "two" not in str(error.value)


@pytest.mark.parametrize("text", ["a = " + "[" * 500, "a = {" * 500, "a {" * 500, "a " * 500 + "{"])
def test_nesting_is_bounded(text: str) -> None:
    with pytest.raises(HclError, match="nested deeper than 32 levels"):
        read_plain(text)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("text", ["a = [[[]]]", "a = {b = {c = {}}}", "a {b {c {}}}", "a b c {}"])
def test_labels_blocks_maps_and_lists_all_nest(text: str, depth: int) -> None:
    if depth == 3:
        read(text, Limits(100, depth))
    else:
        with pytest.raises(HclError, match="nested deeper than 1 levels"):
            read(text, Limits(100, depth))


def test_brackets_in_texts_and_comments_do_not_nest() -> None:
    signs = "{[" * 500
    assert read_plain(f'# {signs}\n// {signs}\n/* {signs} */ a = "{signs}"') == [("a", signs)]


@pytest.mark.parametrize("start", ["#", "{}"])
def test_a_text_is_as_long_as_its_bytes_and_refused_beyond_the_limit(start: str) -> None:
    assert read(start.ljust(100), Limits(100)).items == ()
    for long in (start.ljust(101), start + "\u00e9" * 50):
        with pytest.raises(HclError, match=r"^longer than 100 bytes$"):
            read(long, Limits(100))


def test_a_place_names_the_file_where_there_is_one() -> None:
    for file, place in (("w.hcl", "w.hcl:2"), ("", "line 2")):
        with pytest.raises(HclError, match=f"^{place}: expected a key$"):
            read("a = 1\n=", LIMITS, file)
