from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Collected files have a hash in their names, so that browsers keep them, and lie there compressed.

    Those that were not collected, as in tests, keep their names.
    """

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        known: str = self.hashed_files.get(self.hash_key(self.clean_name(name)), name)
        return known
