"""Where the engine keeps its own files in its storage."""

from typing import Final

#: Finished parts, kept for any job that needs the same: work/<step's key>/<part>/...
WORK: Final = "work"
#: What steps published: jobs/<job>/<attempt>/<step>/<name>.
OUTPUTS: Final = "jobs"
#: So many names has the key of an artifact; the files of one that is a folder lie below.
ARTIFACT_DEPTH: Final = 5
