"""Counting: text in, counts out; no files."""

import re
from collections import Counter
from collections.abc import Mapping

WORD = re.compile(r"[^\W_](?:[^\W_]|['\u2019](?=[^\W_]))*")


def count_words(text: str) -> Counter[str]:
    """Count the words of a text.

    A word is a run of letters and digits, of any script, with apostrophes inside; upper and
    lower case count as one, by full case folding.

    Source:
        The Unicode Standard, section 3.13, default caseless matching.
    """
    return Counter(WORD.findall(text.casefold()))


def commonest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Give words with their counts, the commonest first, and by the alphabet where they tie."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
