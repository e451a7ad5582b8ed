"""What DynamoDB takes as the key of a row; it raises for anything else, and so do the fakes."""

_LONGEST_PARTITION, _LONGEST_SORT = 2_048, 1_024  # bytes of UTF-8


def check_row_key(partition: str, sort: str = "-") -> None:
    """Raise ValueError for a key that no row can have."""
    for part, longest in ((partition, _LONGEST_PARTITION), (sort, _LONGEST_SORT)):
        if not 1 <= len(part.encode()) <= longest:
            raise ValueError(f"a key of {len(part.encode())} bytes")
