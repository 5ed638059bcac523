//! Which instructions the processor has, and how a loop is compiled for each set of them.
//!
//! A loop is written once, as an `#[inline(always)]` function. [`per_isa!`] wraps it in one function per
//! instruction set and picks one when a program is compiled:
//!
//! ```text
//! per_isa!(name<G>(args) -> R = body)   =>   fn name<G>() -> unsafe fn(args) -> R
//!     baseline(args) = body(args)
//!     avx2(args)     = body(args), compiled with AVX2
//!     avx512(args)   = body(args), compiled with AVX-512
//! ```
//!
//! The results are the same bits everywhere: the compiler never contracts a multiplication and an addition
//! into a fused one, and never reorders floating-point operations. Another instruction set is another arm of
//! this macro and nothing else.

/// A set of instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// The best set this processor has; the detection is cached by the standard library.
    pub(crate) fn best() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                return Isa::Avx512;
            }
            if has!("avx2") && has!("bmi1") && has!("bmi2") {
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
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2")]
            unsafe fn avx2<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
                // SAFETY: the contract of `$body` is passed on to the caller.
                unsafe { $body($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,bmi1,bmi2")]
            unsafe fn avx512<$($g: $($bound)*),*>($($arg: $t),*) $(-> $r)? {
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
