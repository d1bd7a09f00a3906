"""The compiled form: rules and schema become straight Python that writes the bytes – or declines.

    plan ──▶ places ──sources, values, elements──▶ source ──exec──▶ write(scope) -> bytes ──▶ valid?
         ──records──▶ source ──exec──▶ read(scope) -> Record

The compiled form holds only the straight way. Whatever is not straight makes it decline, and the interpreter
decides and finds the words (ADR 0009). What it writes and the schema takes is what the interpreter would have
written, to the byte (ADR 0024).
"""

from kiezbruecke.mapping.compile.compiler import Compiled, compile_mapping, straight
from kiezbruecke.mapping.compile.plan import Uncompilable
from kiezbruecke.mapping.compile.records import CompiledRecord, compile_record, straight_record
from kiezbruecke.mapping.compile.runtime import Declined

__all__ = [
    "Compiled",
    "CompiledRecord",
    "Declined",
    "Uncompilable",
    "compile_mapping",
    "compile_record",
    "straight",
    "straight_record",
]
