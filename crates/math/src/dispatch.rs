//! Which instructions the processor has, and how a loop is compiled for each set of them.
//!
//! A loop is written once, as an `#[inline(always)]` function. `per_isa!` wraps it in one function per instruction set
//! and picks one when it is asked for:
//!
//! ```text
//! per_isa!(name<G>(args) -> R = body)   =>   fn name<G>() -> unsafe fn(args) -> R
//!     baseline(args) = body(args)
//!     avx2(args)     = body(args), compiled with AVX2 and FMA
//!     avx512(args)   = body(args), compiled with AVX-512
//! ```
//!
//! A body that is generic over [`Isa`](crate::Isa) names it `Arithmetic`: in each function that is the type of the set
//! it is compiled for.
//!
//! The results of vector sets are the same bits: the compiler never contracts a multiplication and an addition
//! into a fused one, and never reorders floating-point operations. On the baseline the elementary functions, which
//! fuse where they say so, may differ in the last bit, and nothing else does. Another instruction set is another arm of
//! this macro and nothing else.
//!
//! This crate only defines the macro: the functions, and what is unsafe in them, are in the crates that use it.

use std::cell::Cell;

/// A set of instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum InstructionSet {
    /// What every processor of the target has.
    Baseline,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

thread_local! {
    /// The set chosen for this thread.
    static CHOSEN: Cell<Option<InstructionSet>> = const { Cell::new(None) };
}

impl InstructionSet {
    /// The sets this processor has, in the order of their widths.
    pub fn available() -> impl Iterator<Item = InstructionSet> {
        let all = [
            InstructionSet::Baseline,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512,
        ];
        all.into_iter().filter(|&set| set <= InstructionSet::detected())
    }

    /// The set to run: the best one of this processor, unless [`with`](InstructionSet::with) says another.
    #[inline]
    pub fn best() -> InstructionSet {
        CHOSEN.get().unwrap_or_else(InstructionSet::detected)
    }

    /// Runs `f` with this set for what `f` asks for on this thread: for comparing sets.
    ///
    /// # Panics
    /// When the processor does not have it.
    pub fn with<R>(self, f: impl FnOnce() -> R) -> R {
        /// Puts the choice back, also when `f` panics.
        struct Restore(Option<InstructionSet>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CHOSEN.set(self.0);
            }
        }
        assert!(self <= InstructionSet::detected(), "this processor does not have {self:?}");
        let _restore = Restore(CHOSEN.replace(Some(self)));
        f()
    }

    /// The detection is cached by the standard library.
    fn detected() -> InstructionSet {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2");
            if avx2 && has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                return InstructionSet::Avx512;
            }
            if avx2 {
                return InstructionSet::Avx2;
            }
        }
        InstructionSet::Baseline
    }
}

/// Defines a function that returns the version of `$body` for the best instruction set of the processor.
///
/// The returned function has the safety contract of `$body`, and may be called only on the processor that
/// picked it: it must not be written to disk or sent to another machine.
#[doc(hidden)]
#[macro_export]
macro_rules! per_isa {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$($g:ident: [$($bound:tt)*]),*>
        ($($arg:ident: $t:ty),*) $(-> $r:ty)? = $body:path) => {
        $(#[$meta])*
        $vis fn $name<$($g: $($bound)*),*>() -> unsafe fn($($t),*) $(-> $r)? {
            unsafe fn baseline<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = $crate::Plain;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,bmi1,bmi2")]
            unsafe fn avx2<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = $crate::Fma;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,bmi1,bmi2")]
            unsafe fn avx512<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                #[allow(dead_code)]
                type Arithmetic = $crate::Fma;
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            match $crate::dispatch::InstructionSet::best() {
                $crate::dispatch::InstructionSet::Baseline => baseline::<$($g),*>,
                #[cfg(target_arch = "x86_64")]
                $crate::dispatch::InstructionSet::Avx2 => avx2::<$($g),*>,
                #[cfg(target_arch = "x86_64")]
                $crate::dispatch::InstructionSet::Avx512 => avx512::<$($g),*>,
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_ends_with_the_function_even_when_it_panics() {
        let best = InstructionSet::best();
        InstructionSet::Baseline.with(|| assert_eq!(InstructionSet::best(), InstructionSet::Baseline));
        assert_eq!(InstructionSet::best(), best);
        let panicked = std::panic::catch_unwind(|| InstructionSet::Baseline.with(|| panic!("as it should")));
        assert!(panicked.is_err());
        assert_eq!(InstructionSet::best(), best);
        assert_eq!(InstructionSet::available().last(), Some(best));
    }
}
