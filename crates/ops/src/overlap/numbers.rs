//! Dispatch on the element types that have arithmetic.

/// Runs `$body` with `$t` bound to the Rust type of a [`DType`](chunkwise_chunk::DType) that has arithmetic, after `real`
/// an order as well; `$otherwise` for the others.
macro_rules! numbers {
    (real $dtype:expr, $t:ident => $body:expr, _ => $otherwise:expr) => {
        numbers!(@arms $dtype, $t, $body, $otherwise,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64)
    };
    ($dtype:expr, $t:ident => $body:expr, _ => $otherwise:expr) => {
        numbers!(@arms $dtype, $t, $body, $otherwise,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64,
            C64 chunkwise_chunk::Complex<f32>, C128 chunkwise_chunk::Complex<f64>)
    };
    (@arms $dtype:expr, $t:ident, $body:expr, $otherwise:expr, $($v:ident $rust:ty),*) => {
        match $dtype {
            $(chunkwise_chunk::DType::$v => {
                type $t = $rust;
                $body
            })*
            _ => $otherwise,
        }
    };
}

pub(super) use numbers;
