"""Eight float64 at once in loops that numba compiles. Import only inside functions: it takes a second.

LLVM gives up on vectors where it cannot prove that two places of one array are apart, as in a Fourier transform in place. So
these are values that hold `LANES` numbers each, with the operators + - * /, one instruction a machine has for as many as it
can. Every lane is rounded like a number of its own and nothing is fused: the bits depend on neither machine nor width.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from audiosynth.compiled import loop

LANES: Final = 8
_VECTOR: Final = ir.VectorType(ir.DoubleType(), LANES)
_INDEX: Final = ir.IntType(32)


class LanesType(types.Type):  # type: ignore[misc] # numba has no types of its own to check by
    """The type of such a value."""

    def __init__(self) -> None:
        super().__init__(name=f"float64x{LANES}")


LANES_TYPE: Final = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    """Held as a vector of LLVM."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _shuffled(builder: Any, first: Any, second: Any, places: list[int]) -> Any:
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INDEX, LANES), places))


def _place(context: Any, builder: Any, kind: Any, args: Any) -> Any:
    array = context.make_array(kind)(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Return the `LANES` numbers of a flat array from `index` on; nothing checks that they are there."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = builder.load(_place(context, builder, sig.args[0], args))
        value.align = 8
        return value

    return LANES_TYPE(array, types.intp), made


@intrinsic  # type: ignore[untyped-decorator]
def store(_: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Write `LANES` numbers to a flat array from `index` on."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, sig.args[0], args)).align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), made


@intrinsic  # type: ignore[untyped-decorator]
def splat(_: Any, number: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Return one number in all lanes."""

    def made(_: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001 - numba's signature
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        return _shuffled(builder, builder.insert_element(nothing, args[0], _INDEX(0)), nothing, [0] * LANES)

    return LANES_TYPE(types.float64), made


@intrinsic  # type: ignore[untyped-decorator]
def crossed(_: Any, values: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Return `LANES` values with rows and lanes exchanged: lane i of value k becomes lane k of value i.

    By bits of the indices, from the least: two values exchange the lanes in which the bit is not theirs.
    """

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows, lanes = cgutils.unpack_tuple(builder, args[0], LANES), range(LANES)
        for bit in (1, 2, 4):
            for k in (k for k in lanes if not k & bit):
                low, high = rows[k], rows[k + bit]
                rows[k] = _shuffled(builder, low, high, [i + LANES - bit if i & bit else i for i in lanes])
                rows[k + bit] = _shuffled(builder, low, high, [i + LANES if i & bit else i + bit for i in lanes])
        return context.make_tuple(builder, sig.return_type, rows)

    eight = types.UniTuple(LANES_TYPE, LANES)
    return eight(eight), made


@intrinsic  # type: ignore[untyped-decorator]
def bits_of(_: Any, number: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Return the bits of a float64 as an integer."""

    def made(_: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001 - numba's signature
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), made


@intrinsic  # type: ignore[untyped-decorator]
def of_bits(_: Any, bits: Any) -> Any:  # noqa: ARG001 - types, as numba calls it
    """Return the float64 of some bits."""

    def made(_: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001 - numba's signature
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), made


@loop
def line_of(x: Any) -> int:
    """Return the first place of an array where a line of a processor's cache begins: from there on, eight numbers are one, not parts of two."""
    return int(-(x.ctypes.data // 8) % LANES)


def _offer(operation: Callable[..., Any], instruction: str) -> None:
    """Let numba compile an operator between such values."""

    class Template(AbstractTemplate):  # type: ignore[misc]
        key = operation

        def generic(self, args: Any, kws: Any) -> Any:  # noqa: ARG002 - numba's signature
            return signature(LANES_TYPE, *args) if args == (LANES_TYPE, LANES_TYPE) else None

    def made(_: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001 - numba's signature
        return getattr(builder, instruction)(*args)

    infer_global(operation)(Template)
    lower_builtin(operation, LanesType, LanesType)(made)


_offer(operator.add, "fadd")
_offer(operator.sub, "fsub")
_offer(operator.mul, "fmul")
_offer(operator.truediv, "fdiv")
