//! Which instructions the processor has, and how a loop is compiled for each set of them.
//!
//! A loop is written once, as an `#[inline(always)]` function. [`per_isa!`] wraps it in one function per
//! instruction set and picks one when a program is compiled:
//!
//! ```text
//! per_isa!(name<G>(args) -> R = body)   =>   fn name<G>() -> unsafe fn(args) -> R
//!     baseline(args) = body(args)
//!     avx2(args)     = body(args), compiled with AVX2 and FMA
//!     avx512(args)   = body(args), compiled with AVX-512
//! ```
//!
//! A body that is generic over [`chunkwise_math::Isa`] names it `Arithmetic`: in each function that is the type of the
//! set it is compiled for.
//!
//! The results of vector sets are the same bits: the compiler never contracts a multiplication and an addition
//! into a fused one, and never reorders floating-point operations. On the baseline the elementary functions, which
//! fuse where they say so, may differ in the last bit, and nothing else does. Another instruction set is another arm of
//! this macro and nothing else.

/// A set of instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum Isa {
    /// What every processor of the target has.
    Baseline,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The set to compile for: the best one of this processor.
    pub(crate) fn best() -> Isa {
        #[cfg(test)]
        #[cfg(target_arch = "x86_64")]
        if let Some(isa) = tests::CHOSEN.get() {
            return isa;
        }
        Isa::detected()
    }

    /// The detection is cached by the standard library.
    fn detected() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2");
            if avx2 && has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                return Isa::Avx512;
            }
            if avx2 {
                return Isa::Avx2;
            }
        }
        Isa::Baseline
    }
}

/// Defines a function that returns the version of `$body` for the best instruction set of the processor.
///
/// The returned function has the safety contract of `$body`, and may be called only on the processor that
/// picked it: it must not be written to disk or sent to another machine.
macro_rules! per_isa {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$($g:ident: [$($bound:tt)*]),*>
        ($($arg:ident: $t:ty),*) $(-> $r:ty)? = $body:path) => {
        $(#[$meta])*
        $vis fn $name<$($g: $($bound)*),*>() -> unsafe fn($($t),*) $(-> $r)? {
            unsafe fn baseline<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = chunkwise_math::Plain;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,bmi1,bmi2")]
            unsafe fn avx2<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = chunkwise_math::Fma;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,bmi1,bmi2")]
            unsafe fn avx512<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = chunkwise_math::Fma;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            match $crate::isa::Isa::best() {
                $crate::isa::Isa::Baseline => baseline::<$($g),*>,
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx2 => avx2::<$($g),*>,
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx512 => avx512::<$($g),*>,
            }
        }
    };
}
pub(crate) use per_isa;

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use std::cell::Cell;

    use chunkwise_chunk::{Chunk, ChunkGrid, DType, Element, Region, Scalar, dispatch};
    use chunkwise_expr::{
        BinaryOp, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast,
    };

    use super::Isa;
    use crate::{Fold, Kernel};

    thread_local! {
        /// Instruction set of the kernels made by this thread.
        pub(super) static CHOSEN: Cell<Option<Isa>> = const { Cell::new(None) };
    }

    const SHAPE: [usize; 2] = [70, 301];

    fn noise(dtype: DType, seed: u64) -> Chunk {
        let number = |i: usize| {
            let bits = (i as u64 + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
            eval_cast(Scalar::F64((bits % 20_011) as f64 / 97.0 + 1.0), dtype)
        };
        dispatch!(dtype, T => {
            let array = ndarray::ArrayD::from_shape_fn(ndarray::IxDyn(&SHAPE), |at| {
                T::of_scalar(number(at[0] * SHAPE[1] + at[1])).unwrap()
            });
            Chunk::from_array(array)
        })
    }

    fn bits(chunk: &Chunk) -> Vec<Scalar> {
        dispatch!(chunk.dtype(), T => chunk.typed::<T>().unwrap().iter().map(|&x| {
            // Which NaN it is is not defined; of all others every bit counts.
            if x.partial_cmp(&x).is_some() { x.into_scalar() } else { Scalar::Bool(true) }
        }).collect())
    }

    /// Runs `f` with every instruction set the processor has, from `least` on, and compares the bits.
    fn same_bits(what: &str, least: Isa, f: impl Fn() -> Chunk) {
        let sets = [Isa::Baseline, Isa::Avx2, Isa::Avx512];
        let sets: Vec<Isa> = sets.into_iter().filter(|&isa| isa >= least).collect();
        let mut results = sets.iter().filter(|&&isa| isa <= Isa::detected()).map(|&isa| {
            CHOSEN.set(Some(isa));
            let result = bits(&f());
            CHOSEN.set(None);
            result
        });
        let first = results.next().unwrap();
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
            for &kind in ReduceKind::ALL {
                for axes in [&[0][..], &[1], &[0, 1]] {
                    let (space, axes) = (ChunkGrid::whole(&SHAPE), axes.into());
                    let reduce = Reduce { kind, axes, keepdims: false, ddof: 0.0, space, program: None };
                    same_bits(&format!("{kind} of {dtype} over {:?}", reduce.axes), Isa::Baseline, || {
                        let fold = Fold::new(&reduce, dtype);
                        fold.finish(&[&fold.fold(&x, &Region::whole(&SHAPE)).unwrap()])
                    });
                }
            }
        }
    }
}
