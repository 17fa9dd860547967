"""What leaves as a table: a cell is text, never a formula."""

import re

# What spreadsheets take for the beginning of a formula, some of them in its wide form. One that
# separates cells by another sign than ours sees no quotes: to it a cell begins, or a row, inside.
SIGNS = r"=+\-@|%\uff1d\uff0b\uff0d\uff20"
BEGINNING = re.compile(rf"^(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[;\t\r\n])(?=[ \u00a0\"]*[{SIGNS}])")


def csv_safe(value: object) -> str:
    """The value as a cell; apostrophes tell a spreadsheet where text begins."""
    text = "" if value is None else str(value)
    return text if isinstance(value, int | float) else BEGINNING.sub("'", text)
