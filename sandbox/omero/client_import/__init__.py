"""Import image files into an OMERO without Java: `import_files(client, paths, dataset_id)`.

The client's side of an import; `python -m sandbox.omero.client_import.command` takes the place of the Java importer.
"""

from sandbox.omero.client_import.importing import (
    Imported,
    ImportFailed,
    ImportOptions,
    client_paths,
    fileset_files,
    filesets,
    import_files,
    import_fileset,
    import_with_options,
    managed_repository,
    new_fileset,
    new_settings,
    same_content,
)

__all__ = [
    "ImportFailed",
    "ImportOptions",
    "Imported",
    "client_paths",
    "fileset_files",
    "filesets",
    "import_files",
    "import_fileset",
    "import_with_options",
    "managed_repository",
    "new_fileset",
    "new_settings",
    "same_content",
]
