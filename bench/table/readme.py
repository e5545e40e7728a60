# SPDX-License-Identifier: BSD-3-Clause
"""What a script has measured, put into its place in a text."""


def write(path, text):
    if path and text:
        with open(path, "w") as file:
            file.write(text)


def put(path, script, text):
    """Between the script's two marks."""
    marks = f"<!-- from here on by {script} --readme -->", "<!-- up to here -->"
    with open(path) as file:
        before, begin, rest = file.read().partition(marks[0])
    _, end, behind = rest.partition(marks[1])
    if not begin or not end:
        raise SystemExit(f"there are no marks of {script} in {path}")
    write(path, f"{before}{begin}\n\n{text}\n{end}{behind}")
