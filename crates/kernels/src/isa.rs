//! Loops compiled for every instruction set: the macro of [`chunkwise_math`], under the name it has here, and the test
//! that all sets give the same bits.

pub(crate) use chunkwise_math::per_isa;

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use chunkwise_chunk::{Chunk, ChunkGrid, Complex, DType, Element, Region, Scalar, dispatch};
    use chunkwise_expr::{
        BinaryOp, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast,
    };
    use chunkwise_math::dispatch::InstructionSet as Isa;

    use crate::{Fold, Kernel};

    const SHAPE: [usize; 2] = [70, 301];

    fn noise(dtype: DType, seed: u64) -> Chunk {
        let number = |i: usize| {
            let bits = (i as u64 + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
            let (re, im) = ((bits % 20_011) as f64 / 97.0 + 1.0, (bits % 2003) as f64 / 61.0 - 16.0);
            eval_cast(Scalar::C128(Complex::new(re, im)), dtype)
        };
        dispatch!(dtype, T => {
            let array = ndarray::ArrayD::from_shape_fn(ndarray::IxDyn(&SHAPE), |at| {
                T::of_scalar(number(at[0] * SHAPE[1] + at[1])).unwrap()
            });
            Chunk::from_array(array)
        })
    }

    #[allow(clippy::eq_op, reason = "only NaN, and what has such a part, differs from itself")]
    fn bits(chunk: &Chunk) -> Vec<Scalar> {
        dispatch!(chunk.dtype(), T => chunk.typed::<T>().unwrap().iter().map(|&x| {
            // Which NaN it is is not defined; of all others every bit counts.
            if x == x { x.into_scalar() } else { Scalar::Bool(true) }
        }).collect())
    }

    /// Runs `f` with every instruction set the processor has, from `least` on, and compares the bits.
    fn same_bits(what: &str, least: Isa, f: impl Fn() -> Chunk) {
        let sets = Isa::available().filter(|&isa| isa >= least);
        let mut results = sets.map(|isa| isa.with(|| bits(&f())));
        let Some(first) = results.next() else { return };
        assert!(results.all(|other| other == first), "{what}");
    }

    fn program(op: ElementOp, inputs: &[DType]) -> Option<Program> {
        let mut b = ProgramBuilder::new();
        let args: Vec<_> = inputs.iter().map(|&dtype| b.input(dtype)).collect();
        let result = b.push(op, &args)?;
        Some(b.finish(result))
    }

    #[test]
    fn every_instruction_set_gives_the_same_elements() {
        for &dtype in DType::ALL {
            let x = [noise(dtype, 1), noise(dtype, 99)];
            let unary = UnaryOp::ALL.iter().map(|&op| (ElementOp::from(op), 1));
            let binary = BinaryOp::ALL.iter().map(|&op| (ElementOp::from(op), 2));
            let casts = DType::ALL.iter().map(|&to| (ElementOp::Cast(to), 1));
            for (op, arity) in unary.chain(binary).chain(casts) {
                if let Some(program) = program(op.clone(), &[dtype, dtype][..arity]) {
                    // Elementary functions fuse multiplications and additions where the set can.
                    let fuses = matches!(op, ElementOp::Unary(_) | ElementOp::Binary(_)) && dtype.is_float();
                    let least = if fuses { Isa::Avx2 } else { Isa::Baseline };
                    same_bits(&format!("{} of {dtype}", op.name()), least, || {
                        Kernel::new(&program).map(&x[..arity], &SHAPE).unwrap_or(Chunk::zeros(dtype, &[0]))
                    });
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_reductions() {
        for &dtype in DType::ALL {
            let x = [noise(dtype, 7)];
            for kind in ReduceKind::ALL.iter().filter(|kind| kind.takes(dtype)) {
                for axes in [&[0][..], &[1], &[0, 1]] {
                    let (space, axes) = (ChunkGrid::whole(&SHAPE), axes.into());
                    let kind = kind.clone();
                    let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
                    same_bits(
                        &format!("{} of {dtype} over {:?}", reduce.kind, reduce.axes),
                        Isa::Baseline,
                        || {
                            let fold = Fold::new(&reduce, dtype);
                            fold.finish(&[&fold.fold(&x, &Region::whole(&SHAPE)).unwrap()])
                        },
                    );
                }
            }
        }
    }
}
