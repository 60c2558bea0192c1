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
    example: str

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.code}: no such severity: {self.severity}")


REASONS = (
    # Records that could not be taken: kept whole in the table rejected_record.
    Reason(
        "wrong_field_count",
        "rejected",
        "The record has more or fewer fields than the header.",
        "record kept in rejected_record",
        "Look at the raw record: usually a line break or a comma that is not quoted. Mend it in the source.",
        "862,Toy Story",
    ),
    Reason(
        "malformed_quote",
        "rejected",
        "A quoted field is not closed, or text follows its closing quote.",
        "record kept in rejected_record",
        "Mend the quoting in the source; reading went on at the next line.",
        'False,"Toy" Story,862',
    ),
    Reason(
        "truncated_record",
        "rejected",
        "The file ends in the middle of a record.",
        "record kept in rejected_record",
        "The file was cut short. Fetch it again, and compare its size with the publisher's.",
        "862,\"[{'id': 16",
    ),
    Reason(
        "not_utf8",
        "rejected",
        "The record has bytes that are not UTF-8.",
        "record kept in rejected_record",
        "If the whole file is in another encoding, name it with --encoding.",
        "862,Caf\\xE9",
    ),
    Reason(
        "nul_byte",
        "rejected",
        "The record has a NUL byte, which no database keeps in a text.",
        "record kept in rejected_record",
        "Look for a damaged copy of the file.",
        "862,Toy\\x00Story",
    ),
    Reason(
        "missing_key",
        "rejected",
        "A column that identifies the record is empty.",
        "record kept in rejected_record",
        "Fill in the key in the source.",
        ",Toy Story",
    ),
    Reason(
        "invalid_key",
        "rejected",
        "A column that identifies the record is not a positive whole number.",
        "record kept in rejected_record",
        "Look at the raw record: the fields are often shifted by a comma or a line break.",
        "1997-08-20",
    ),
    Reason(
        "unknown_movie",
        "rejected",
        "The credits or keywords are of a movie that movies_metadata.csv lacks.",
        "record kept in rejected_record",
        "Nothing, if the files were cut on purpose; otherwise look for the movie among the rejected records.",
        "862",
    ),
    Reason(
        "invalid_element",
        "rejected",
        "An element of a list lacks its id, or the id is not valid.",
        "element kept in rejected_record, the others of the list loaded",
        "Look at the element; add its id in the source.",
        "{'name': 'Comedy'}",
    ),
    # Records and cells that were put right with certainty.
    Reason(
        "split_record",
        "mended",
        "A line break in an unquoted field split the record in two.",
        "the two halves put together",
        "Nothing; quote the field in the source if you can.",
        "A title\\nof two lines",
    ),
    Reason(
        "damaged_list",
        "mended",
        "A list breaks off or is damaged.",
        "the whole elements before the damage kept",
        "Compare with another copy: elements after the damage are missing.",
        "[{'id': 35, 'name': 'Comedy'} GATO",
    ),
    Reason(
        "rounded",
        "mended",
        "A number has more decimals than its column.",
        "rounded half away from zero to the column's decimals",
        "Nothing, unless such small differences matter.",
        "0.12345678901",
    ),
    # Records and elements that another one with the same key replaces.
    Reason(
        "duplicate_record",
        "merged",
        "A later record of the file has the same key.",
        "the later record kept",
        "Nothing, if the copies are equal or the later one is newer.",
        "862",
    ),
    Reason(
        "duplicate_element",
        "merged",
        "A later element has the same key.",
        "the later element kept",
        "Nothing; the movie's list names the same thing twice.",
        "16",
    ),
    # Taken, but worth knowing.
    Reason(
        "invalid_integer",
        "warning",
        "The cell is not a whole number, or out of the column's range.",
        "cell set to NULL",
        "Correct the cell in the source.",
        "12,5",
    ),
    Reason(
        "invalid_number",
        "warning",
        "The cell is not a number, or out of the column's range.",
        "cell set to NULL",
        "Correct the cell in the source.",
        "n/a",
    ),
    Reason(
        "invalid_date",
        "warning",
        "The cell is not a date written yyyy-mm-dd.",
        "cell set to NULL",
        "Write the date as yyyy-mm-dd: 10/11/1995 could be read in two ways.",
        "10/30/1995",
    ),
    Reason(
        "invalid_boolean",
        "warning",
        "The cell is neither true nor false.",
        "cell set to NULL",
        "Correct the cell in the source.",
        "yes",
    ),
    Reason(
        "invalid_code",
        "warning",
        "The cell does not have the form of its code.",
        "cell set to NULL",
        "Correct the cell in the source.",
        "english",
    ),
    Reason(
        "invalid_text",
        "warning",
        "A text of a list is not a text, or has characters that no text can have.",
        "cell set to NULL",
        "Correct the cell in the source.",
        "'\\\\ud800'",
    ),
    Reason(
        "invalid_list",
        "warning",
        "The cell is no list of elements, and no whole element could be read.",
        "no elements loaded",
        "Correct the cell in the source.",
        "['Comedy'",
    ),
    Reason(
        "suspicious_amount",
        "warning",
        "An amount from 1 to 999 dollars: perhaps thousands or millions.",
        "kept as published",
        "Leave such amounts out if your question cannot bear them.",
        "12",
    ),
    Reason(
        "unknown_status",
        "warning",
        "The status is none of the six known ones, so the movie is no release.",
        "kept as published",
        "If it means released, correct it in the source.",
        "released",
    ),
    Reason(
        "unknown_genre",
        "warning",
        "The genre is none of TMDB's twenty.",
        "kept as published",
        "A new genre, or a company among the genres: look at the movie.",
        "7883",
    ),
    Reason(
        "name_conflict",
        "warning",
        "One id comes with several names.",
        "the last name kept",
        "Nothing; things are identified by id.",
        "Pixar | Pixar Animation Studios",
    ),
    Reason(
        "unknown_movielens_id",
        "warning",
        "Ratings name a MovieLens movie that no links file has.",
        "ratings loaded, the movie added with unknown ids",
        "Nothing, if links.csv is incomplete or absent.",
        "31",
    ),
    Reason(
        "unlinked_movie",
        "warning",
        "The tmdbId is no movie of movies_metadata.csv.",
        "row loaded without a movie",
        "Nothing; ratings of it do not reach a TMDB movie.",
        "862",
    ),
    Reason(
        "links_disagree",
        "warning",
        "links_small.csv has other ids than links.csv.",
        "the ids of links.csv kept",
        "Compare the two rows.",
        "114709, 862",
    ),
    Reason(
        "missing_file",
        "warning",
        "A file of the dataset is not in the source.",
        "its tables are empty",
        "Nothing, if it was left out on purpose.",
        "keywords.csv",
    ),
    Reason(
        "empty_file",
        "warning",
        "The file has not even a header.",
        "its tables are empty",
        "Fetch the file again.",
        "links.csv",
    ),
    Reason(
        "unknown_file",
        "warning",
        "The source has a file that is none of the dataset.",
        "ignored",
        "Rename it if it is one of the seven files.",
        "README.md",
    ),
    Reason(
        "missing_column",
        "warning",
        "An optional column is not in the file.",
        "its values are NULL",
        "Nothing, if it was left out on purpose.",
        "tagline",
    ),
    Reason(
        "unknown_column",
        "warning",
        "The file has a column that the model does not know.",
        "ignored",
        "If it matters, add it to the model (CONTRIBUTING.md says how).",
        "rating_mpaa",
    ),
    # Why a run failed: only in OUT/failed/<run>/errors.jsonl, never in a release's log.
    Reason(
        "source_unusable",
        "failed",
        "The source as a whole could not be used.",
        "nothing published",
        "Do what the message says.",
        "the-movies-dataset.zip",
    ),
    Reason(
        "gate_failed",
        "failed",
        "A check of the finished tables found offending rows.",
        "nothing published",
        "Look at the rows named; if the source is right, report a bug.",
        "balance_of_records",
    ),
    Reason(
        "target_unwritable",
        "failed",
        "The output could not be written: busy, full or not allowed.",
        "nothing published",
        "Make room or get the permission, then run again.",
        "No space left on device",
    ),
    Reason(
        "stopped",
        "failed",
        "The run was stopped by a signal.",
        "nothing published",
        "Run again; what was downloaded is kept.",
        "SIGINT",
    ),
    Reason(
        "bug",
        "failed",
        "Moviehouse itself failed; the value is the traceback.",
        "nothing published",
        "Report it with this line.",
        "Traceback …",
    ),
)

REASON = {reason.code: reason for reason in REASONS}
