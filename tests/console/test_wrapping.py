"""Long lines of a log: they go on in the next row, begin briefly where there is little room, and keep their hits."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from neo_console.panels.logline import brief, brief_length
from neo_console.panels.wrapping import Rows, parts

STAMPED = "[2025-11-21T13:51:10.113Z] [PID:4218] [INFO] dream: a session"
LINES = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab é漢\u0301"), max_size=60),
        st.text(st.sampled_from("ab "), max_size=60).map(lambda text: f"[2025-11-21T13:51:10Z] {text}"),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab 漢é\u0301"), max_size=80), st.integers(2, 20))
def test_every_character_but_a_blank_at_a_break_is_in_exactly_one_row_that_fits(text, width):
    rows = parts(text, width)
    assert rows[0][0] == 0
    assert rows[-1][1] == len(text)
    for (begin, end), (after, _) in pairwise(rows):
        assert begin < end <= after <= end + 1
        assert text[end:after] in ("", " ")
    assert all(cell_len(text[begin:end]) <= width for begin, end in rows)


@settings(max_examples=100, deadline=None)
@given(LINES, LINES, LINES, st.integers(8, 120), st.data())
def test_rows_that_change_by_part_are_as_if_placed_anew(lines, above, below, width, data):
    rows, anew = Rows(), Rows()
    rows.anew(lines, width)
    total = [*above, *lines]
    rows.put_above(above, len(total))
    first = len(total)
    total += below
    rows.put(total, first)
    gone = data.draw(st.integers(0, len(total)))
    rows.drop(gone)
    anew.anew(total[gone:], width)
    assert rows._tops == anew._tops
    for row in range(len(anew)):
        index, part = rows.at(row)
        assert rows.top_of(index) + part == row
        text = total[gone:][index]
        assert part < len(parts(brief(text).text if rows.brief else text, width))


def test_a_line_is_brief_with_its_local_time_and_keeps_what_is_not_plain_information():
    assert brief(STAMPED).text == "13:51:10 dream: a session"
    assert brief(STAMPED.replace("INFO", "WARN")).text == "13:51:10 [WARN] dream: a session"
    assert brief("2025-11-21 13:51:10,113 it began").text == "13:51:10 it began"
    assert brief("2025-11-21T15:51:10+02:00 it began").text == "13:51:10 it began"
    assert brief("[2025-13-45T13:51:10Z] no day").text == "13:51:10 no day"
    for line in ("no time", "", "[PID:1] x", "x 2025-11-21T13:51:10Z"):
        assert brief(line).text == line
    for line in (STAMPED, "2025-11-21 13:51:10,113 it began", "[2025-13-45T13:51:10Z] no day", "no time"):
        assert brief_length(line) == len(brief(line).text)


def test_a_hit_is_where_it_is_read_also_in_what_became_the_time():
    line = brief(STAMPED)
    begin = STAMPED.index("session")
    assert line.text[slice(*line.place(begin, begin + 7))] == "session"
    assert line.place(1, 11) == (0, 8)
    assert line.text[slice(*line.place(STAMPED.index("INFO"), STAMPED.index("dream") + 5))] == "13:51:10 dream"
    assert brief("plain").place(1, 3) == (1, 3)
