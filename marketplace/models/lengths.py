"""How long the texts of a marketplace may be; what is longer is cut."""

NAME_LENGTH = 255
URL_LENGTH = 1000
SLUG_LENGTH = 64
# As wide as the columns of telemetry that hold it.
REF_ID_LENGTH = 255
HASH_LENGTH = 64
