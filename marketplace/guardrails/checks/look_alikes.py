"""Letters of other scripts that look like Latin ones."""

# Of Cyrillic and Greek, in lower case.
LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһοαεικνρτυ", "aeopcyxijsdhoaeiknptu")
