"""Letters of columns in spreadsheets and of rows on plates: A to Z, then AA, AB, ..."""


def letters_of(index: int) -> str:
    """Return the letters of a place counted from 0.

    >>> letters_of(0), letters_of(26), letters_of(701)
    ('A', 'AA', 'ZZ')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """Return the place, counted from 0, that letters name, in upper or lower case.

    >>> index_of("A"), index_of("aa"), index_of("ZZ")
    (0, 26, 701)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number - 1
