"""The error log: its closed list of reasons, its row, and what each reason asks of a person."""

from __future__ import annotations

from dataclasses import dataclass

VALUE_LIMIT = 1024
SEVERITIES = ("rejected", "mended", "merged", "warning", "failed")


@dataclass(frozen=True)
class Reason:
    """One reason code: what happened, what was done about it, and what a person should do."""

    code: str
    severity: str
    meaning: str
    action: str
    advice: str

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.code}: no such severity: {self.severity}")


REASONS = (
    # Records that could not be loaded: kept whole in the table rejected_record.
    Reason(
        "wrong_field_count",
        "rejected",
        "The record has more or fewer fields than the header.",
        "record kept in rejected_record",
        "Look at the raw record: usually a line break or a comma is not quoted. Correct it in the source.",
    ),
    Reason(
        "malformed_quote",
        "rejected",
        "A quoted field is not closed, or text follows its closing quote.",
        "record kept in rejected_record",
        "Correct the quoting in the source. Reading resumed at the next line.",
    ),
    Reason(
        "truncated_record",
        "rejected",
        "The file ends in the middle of a record.",
        "record kept in rejected_record",
        "The file was cut short. Fetch it again and compare its size with the publisher's.",
    ),
    Reason(
        "not_utf8",
        "rejected",
        "The record contains bytes that are not UTF-8.",
        "record kept in rejected_record",
        "If the whole file is in another encoding, name it with --encoding.",
    ),
    Reason(
        "nul_byte",
        "rejected",
        "The record contains a NUL byte, which databases cannot store in text.",
        "record kept in rejected_record",
        "The copy is probably damaged. Fetch the file again.",
    ),
    Reason(
        "missing_key",
        "rejected",
        "A column that identifies the record is empty.",
        "record kept in rejected_record",
        "Fill in the key in the source.",
    ),
    Reason(
        "invalid_key",
        "rejected",
        "A column that identifies the record is not a positive whole number.",
        "record kept in rejected_record",
        "Look at the raw record: a comma or a line break has often shifted the fields.",
    ),
    Reason(
        "unknown_movie",
        "rejected",
        "The credits or keywords belong to a movie that is not in movies_metadata.csv.",
        "record kept in rejected_record",
        "Nothing, if the files were shortened on purpose. Otherwise look for the movie among the rejected records.",
    ),
    Reason(
        "invalid_element",
        "rejected",
        "An element of a list has no id, or its id is not valid.",
        "element kept in rejected_record, the rest of the list loaded",
        "Look at the element and correct its id in the source.",
    ),
    # Records and cells that could be repaired with certainty.
    Reason(
        "split_record",
        "mended",
        "A line break in an unquoted field split the record in two.",
        "the two halves joined",
        "Nothing. Quote the field in the source if you can.",
    ),
    Reason(
        "damaged_list",
        "mended",
        "A list is cut short or damaged.",
        "the complete elements before the damage kept",
        "Compare with another copy: the elements after the damage are missing.",
    ),
    Reason(
        "rounded",
        "mended",
        "A number has more decimal places than its column.",
        "rounded half away from zero to the column's decimal places",
        "Nothing, unless such small differences matter to you.",
    ),
    # Records and elements that another one with the same key replaces.
    Reason(
        "duplicate_record",
        "merged",
        "A later record in the file has the same key.",
        "the later record kept",
        "Nothing, if the copies are identical or the later one is newer.",
    ),
    Reason(
        "duplicate_element",
        "merged",
        "A later element has the same key.",
        "the later element kept",
        "Nothing. The same thing is listed twice.",
    ),
    # Loaded, but worth knowing.
    Reason(
        "invalid_integer",
        "warning",
        "The cell is not a whole number, or is out of the column's range.",
        "cell set to NULL",
        "Correct the cell in the source.",
    ),
    Reason(
        "invalid_number",
        "warning",
        "The cell is not a number, or is out of the column's range.",
        "cell set to NULL",
        "Correct the cell in the source.",
    ),
    Reason(
        "invalid_date",
        "warning",
        "The cell is not a date in the form yyyy-mm-dd.",
        "cell set to NULL",
        "Write the date as yyyy-mm-dd. A date like 10/11/1995 can be read in two ways.",
    ),
    Reason(
        "invalid_boolean",
        "warning",
        "The cell is neither true nor false.",
        "cell set to NULL",
        "Correct the cell in the source.",
    ),
    Reason(
        "invalid_code",
        "warning",
        "The cell does not have the form that its code requires.",
        "cell set to NULL",
        "Correct the cell in the source.",
    ),
    Reason(
        "invalid_text",
        "warning",
        "A text value in a list is not text, or has characters that text cannot hold.",
        "cell set to NULL",
        "Correct the cell in the source.",
    ),
    Reason(
        "invalid_list",
        "warning",
        "The cell is not a list of elements, and no complete element could be read from it.",
        "no elements loaded",
        "Correct the cell in the source.",
    ),
    Reason(
        "suspicious_amount",
        "warning",
        "The amount is from 1 to 999 dollars; it may be in thousands or millions.",
        "kept as published",
        "Leave such amounts out if they would distort your answer.",
    ),
    Reason(
        "unknown_status",
        "warning",
        "The status is not one of the six known ones, so the movie does not count as a release.",
        "kept as published",
        "If the movie was released, correct the status in the source.",
    ),
    Reason(
        "unknown_genre",
        "warning",
        "The genre is not one of TMDB's twenty.",
        "kept as published",
        "Look at the movie: this is a new genre, or a company that was listed as one.",
    ),
    Reason(
        "name_conflict",
        "warning",
        "One id has several names.",
        "the last name seen kept",
        "Nothing. Things are identified by id, not by name.",
    ),
    Reason(
        "unknown_movielens_id",
        "warning",
        "Ratings refer to a MovieLens movie that is in neither links file.",
        "ratings loaded, the movie added without IMDb and TMDB ids",
        "Nothing, if links.csv is known to be incomplete or missing.",
    ),
    Reason(
        "unlinked_movie",
        "warning",
        "The tmdbId matches no movie in movies_metadata.csv.",
        "row loaded, with no movie",
        "Nothing. Its ratings are loaded, but cannot be joined to a TMDB movie. links_small.csv repeats links.csv: "
        "a row of it has a line of its own only where links.csv lacks its movieId.",
    ),
    Reason(
        "links_disagree",
        "warning",
        "links_small.csv and links.csv give different ids for the same movie.",
        "the ids of links.csv kept",
        "Compare the two rows, and correct the wrong one.",
    ),
    Reason(
        "missing_file",
        "warning",
        "An optional file of the dataset is not in the source.",
        "its tables are empty",
        "Nothing, if it was left out on purpose.",
    ),
    Reason(
        "empty_file",
        "warning",
        "An optional file is empty: it does not even have a header.",
        "its tables are empty",
        "Fetch the file again.",
    ),
    Reason(
        "unknown_file",
        "warning",
        "The source has a file that is not part of the dataset.",
        "ignored",
        "Rename it if it is one of the seven files.",
    ),
    Reason(
        "missing_column",
        "warning",
        "An optional column is missing from the file.",
        "its values are NULL",
        "Nothing, if it was left out on purpose.",
    ),
    Reason(
        "unknown_column",
        "warning",
        "The file has a column that the model does not know.",
        "ignored",
        "If it matters, add it to the model. CONTRIBUTING.md says how.",
    ),
    # Why a run failed: only in OUT/failed/<run>/errors.jsonl, never in the log of a release.
    Reason(
        "source_unusable",
        "failed",
        "The source as a whole could not be used: missing, forbidden, or not in the expected format.",
        "nothing published",
        "Follow the message.",
    ),
    Reason(
        "gate_failed",
        "failed",
        "A check of the finished tables found rows that break its rule.",
        "nothing published",
        "Look at the rows it names. If the source is right, report a bug.",
    ),
    Reason(
        "target_unwritable",
        "failed",
        "The output could not be written: another run holds it, the disk is full, or access was denied.",
        "nothing published",
        "Wait for the other run, make room, or get write access; then run again.",
    ),
    Reason(
        "stopped",
        "failed",
        "The run was stopped by a signal.",
        "nothing published",
        "Run again. What was downloaded is kept.",
    ),
    Reason(
        "bug",
        "failed",
        "Moviehouse itself failed. The value is the traceback.",
        "nothing published",
        "Report it, with this line.",
    ),
)


def cut(text: str, size: int | None = None) -> str:
    """A value as the log shows it: at most 1 KiB of UTF-8, a cut marked with the full size in bytes."""
    raw = text.encode()
    if len(raw) <= VALUE_LIMIT and size is None:
        return text
    size = len(raw) if size is None else size
    return raw[: VALUE_LIMIT - 32].decode("utf-8", "ignore") + f" … [{size} bytes]"


REASON = {reason.code: reason for reason in REASONS}
