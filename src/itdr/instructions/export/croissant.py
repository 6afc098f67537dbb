"""Croissant 1.1 metadata of an export: its files with checksums, its columns, its sources.

Source: the Croissant format specification 1.1 of MLCommons, and W3C's PROV-O for origins.
"""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from itdr.instructions.export.card import About, DataFile
from itdr.provenance import provenance

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"

_OWN = ("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field",
        "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset",
        "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
        "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
        )  # fmt: skip
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{name: f"cr:{name}" for name in _OWN},
}


def croissant(about: About) -> dict[str, Any]:
    """Return the metadata. Files that do not come along are named with their checksums too.

    A record set per task has the columns whose values are plain; those within lists of items are
    left to the schema of the Parquet files.
    """
    made = provenance()
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": about.description,
        "license": "LICENSE.md",
        "url": "README.md",
        "citeAs": "The paper of ITDR (KDD 2026), and each source as its own page asks.",
        "creator": {"@type": "sc:Organization", "name": "The ITDR-pipeline maintainers"},
        "datePublished": f"{datetime.now(UTC):%Y-%m-%d}",
        "version": made["itdr"] + ".0" * (2 - made["itdr"].count(".")),
        "isLiveDataset": False,
        "prov:wasDerivedFrom": [
            {"@id": source.page, "prov:label": source.title}
            for source in about.sources.values()
            if source is not None and not about.simulated
        ],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": f"ITDR-pipeline {made['itdr']}, commit {made['commit']}",
        },
        "distribution": [_file(file) for file in about.files],
        "recordSet": [_records(file, about.schema) for file in about.files],
    }


def _file(file: DataFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": "application/x-parquet",
        "sha256": file.sha256,
    }


def _records(file: DataFile, schema: pa.Schema) -> dict[str, Any]:
    name = f"{file.task}-{file.split}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{field.name}",
                "name": field.name,
                "dataType": kind,
                "source": {
                    "fileObject": {"@id": file.name},
                    "extract": {"column": field.name},
                },
            }
            for field in schema
            if (kind := _data_type(field.type))
        ],
    }


def _data_type(kind: pa.DataType) -> str | None:
    if pa.types.is_string(kind):
        return "sc:Text"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else None
