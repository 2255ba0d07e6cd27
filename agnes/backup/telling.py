"""What a backup holds, for people."""

from django.template.defaultfilters import filesizeformat

from agnes.backup.format import Manifest


def described(manifest: Manifest) -> str:
    what = ", ".join(f"{total} {name}" for name, total in manifest.totals.items() if total)
    return (
        f"made {manifest.made_at:%Y-%m-%d %H:%M} UTC on {manifest.database}, {manifest.rows} rows, "
        f"{manifest.files} files of {filesizeformat(manifest.file_bytes)}; {what}."
    ).replace("\xa0", " ")
