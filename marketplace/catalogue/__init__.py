"""The catalogue of the curated marketplaces: from a registered repository to plugins and attribution.

registering.py    add a marketplace, change where it is fetched from
syncing.py        one sync: fetch, read, store; or why not
reading.py        the commit that was fetched, parsed, outside of any transaction
storing.py        what was read replaces the catalogue
components.py     the same for what plugins bring
storable.py       texts and JSON of unknown origin, as both databases take them
exploding.py      the stored catalogue as rows of attribution
attributing.py    telemetry is told, and looks again at what is concerned
removing.py       a marketplace leaves the catalogue; what was used of it stays
"""
