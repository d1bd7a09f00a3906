"""The mapping engine: what integrators write, checked before anything is sent.

mapping.yaml ──language──▶ Definition ──bind──▶ Plan ──check──▶ Mapping ─┬─interpret──▶ draft ──▶ XML | line | record
                                                                        └─compile──▶ straight Python ──▶ XML
"""

from kiezbruecke.mapping.cache import load_mapping
from kiezbruecke.mapping.check.whole import check_mapping
from kiezbruecke.mapping.language.findings import Finding, Place
from kiezbruecke.mapping.loading import Mapping, mapping_names
from kiezbruecke.mapping.schema.tables import table_header

__all__ = ["Finding", "Mapping", "Place", "check_mapping", "load_mapping", "mapping_names", "table_header"]
