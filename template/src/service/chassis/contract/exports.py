"""What leaves as a table: a cell is text, never a formula."""

# What spreadsheets take for the beginning of a formula, some of them in its wide form.
FORMULA = tuple("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")


def csv_safe(value: object) -> str:
    """The value as a cell; an apostrophe in front tells a spreadsheet that it is text."""
    text = "" if value is None else str(value)
    if isinstance(value, int | float) or not text.lstrip(" \u00a0").startswith(FORMULA):
        return text
    return f"'{text}"
