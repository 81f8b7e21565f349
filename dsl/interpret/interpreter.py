"""The interpreter of one evaluation: its modules, units, schemas, budget and diagnostics."""

from __future__ import annotations

from accelscope.dsl.interpret.component_base import ComponentBase
from accelscope.dsl.interpret.context import EvaluationContext, Probe
from accelscope.dsl.interpret.expressions import ExpressionEvaluator
from accelscope.dsl.interpret.modules import ModuleTable, SourceReader
from accelscope.dsl.schema.schema import Schemas
from accelscope.dsl.schema.schema_index import SchemaIndex
from accelscope.dsl.values.operations import Operations
from accelscope.dsl.values.units import UnitTable

NO_PROBE = Probe()


class Interpreter(EvaluationContext):
    """Evaluates components within a budget and collects the diagnostics.

    Attributes:
        modules: the files of the evaluation.
    """

    def __init__(
        self,
        reader: SourceReader,
        units: UnitTable,
        schemas: Schemas,
        operations: Operations,
        probe: Probe = NO_PROBE,
    ) -> None:
        """Start an evaluation without values.

        Args:
            reader: where files and library modules are read from.
            units: the known units.
            schemas: the known kinds of block.
            operations: arithmetic on magnitudes.
            probe: hooks that observe or replace values.
        """
        super().__init__()
        self.units, self.operations, self.probe = units, operations, probe
        self.fields = SchemaIndex(schemas)
        self.modules = ModuleTable(self, reader)
        evaluator = ExpressionEvaluator(self)
        self.evaluate = evaluator.evaluate
        self.evaluate_arguments = evaluator.arguments
        self.evaluate_quantity = evaluator.quantity
        self.evaluate_condition = evaluator.condition

    def fork(self, operations: Operations | None = None, probe: Probe = NO_PROBE) -> Interpreter:
        """Return an interpreter without values that shares the parsed texts.

        Args:
            operations: arithmetic on magnitudes; the same if None.
            probe: hooks that observe or replace values.
        """
        reader, schemas = self.modules.reader, self.fields.schemas
        other = Interpreter(reader, self.units, schemas, operations or self.operations, probe)
        other.modules.parsed = self.modules.parsed
        return other


def interpreter_of(component: ComponentBase) -> Interpreter:
    """Return the interpreter that evaluates a component."""
    interpreter = component.interpreter
    assert isinstance(interpreter, Interpreter)  # nothing else makes components
    return interpreter
