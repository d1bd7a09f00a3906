"""The mapping engine: what integrators write, checked before anything is sent.

mapping.yaml ──language──▶ Definition ──check──▶ Mapping ──interpret──▶ Draft ──▶ XML | table line | record
"""

from kiezbruecke.mapping.check import check
from kiezbruecke.mapping.findings import Finding, Place
from kiezbruecke.mapping.loading import Mapping, mapping_names
from kiezbruecke.mapping.store import load_mapping
from kiezbruecke.mapping.tables import table_header

__all__ = ["Finding", "Mapping", "Place", "check", "load_mapping", "mapping_names", "table_header"]
