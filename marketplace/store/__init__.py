"""The flea market: what people upload, who decides about it, and what becomes of it.

receiving.py    the files of a form, streamed to the spool folder
uploading.py    a new item: inspected, then kept or refused as a whole
versions.py     a new version of one: the old one stays served while the new one is held
names.py        names that are taken
packs.py        the stored trees
publishing.py   a version becomes a row of the catalogue and of attribution, or ends being one
deciding.py     what admins do: release, refuse, take down
descriptions.py what owners say in place of the files
ownership.py    what owners do: describe, withdraw, transfer, delete
inspecting_text.py  what the guardrails say of a text that stands in no file
quotas.py       how much a person may upload
differences.py  what a held version would change
seeing.py       items, versions and files, as far as somebody may see them
erasing.py      what there is of a person, for agnes/erasing

Every change begins with `publishing.alone()`, in its transaction: changes of the flea market happen one after
another, so what was checked inside still holds when it is written.
"""
