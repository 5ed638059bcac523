//! Complex arrays made of real ones.

use chunkwise::prelude::*;
use chunkwise::{Complex, Float};
use chunkwise_chunk::Scalar;

use super::{Method, Use, array, array_of_shape};
use crate::PlainArray;
use crate::eager::number::{float, rounded_complex};
use crate::generate::draw::Draw;

pub(super) const METHODS: &[Method] = &[
    Method { name: "to_complex", draw: to_complex },
    Method { name: "from_parts", draw: from_parts },
    Method { name: "from_polar", draw: from_polar },
    Method { name: "cast", draw: cast_to_real },
];

fn to_complex(draw: &mut Draw) -> Use {
    if draw.one_in(2) { to_complex_of::<f32>(draw) } else { to_complex_of::<f64>(draw) }
}

fn to_complex_of<T: Float>(draw: &mut Draw) -> Use
where
    Complex<T>: chunkwise::Element,
    crate::AnyArray: From<LazyArrayD<Complex<T>>>,
{
    let ndim = draw.below(4);
    let (lazy, plain) = array::<T>(draw, ndim);
    Use::exact(lazy.to_complex(), complex(&plain, |x| [x, 0.0]))
}

/// The imaginary parts are an array that broadcasts, a number, or do not fit.
fn from_parts(draw: &mut Draw) -> Use {
    let (re, plain) = array::<f64>(draw, 2);
    match draw.below(3) {
        0 => Use::exact(LazyArray::from_parts(&re, 2.5), complex(&plain, |x| [x, 2.5])),
        1 => {
            let columns = plain.shape()[1];
            let (im, im_plain) = array_of_shape::<f64>(draw, &[columns]);
            let want =
                plain.data().iter().enumerate().map(|(i, &x)| {
                    rounded_complex([float(x), float(im_plain.data()[i % columns])], DType::C128)
                });
            let want = PlainArray::new(DType::C128, plain.shape(), want.collect());
            Use::exact(LazyArray::from_parts(&re, &im), want)
        }
        _ => {
            // Other numbers of rows, and neither of them one.
            let (im, _) = array_of_shape::<f64>(draw, &[plain.shape()[0] + 2, 3]);
            let re = LazyArray::<f64, _>::zeros(ndarray::IxDyn(&[plain.shape()[0] + 4, 3]), 2);
            Use::fails(LazyArray::from_parts(&re, &im))
        }
    }
}

fn from_polar(draw: &mut Draw) -> Use {
    let (r, plain) = array::<f64>(draw, 2);
    let theta = draw.between(-40, 40) as f64 / 8.0;
    let want = complex(&plain, |r| [r * theta.cos(), r * theta.sin()]);
    Use::within(1e-15, LazyArray::from_polar(&r, theta), want)
}

/// Complex numbers have no value in a real type.
fn cast_to_real(draw: &mut Draw) -> Use {
    let (z, _) = array::<Complex<f64>>(draw, 1);
    match draw.below(3) {
        0 => Use::fails(z.cast::<f64>()),
        1 => Use::fails(z.cast::<i8>()),
        _ => Use::fails(z.cast::<f32>().sqrt()),
    }
}

/// The complex numbers that a function makes of floats.
fn complex(plain: &PlainArray, f: impl Fn(f64) -> [f64; 2]) -> PlainArray {
    let dtype = plain.dtype().complex_type().expect("floats are parts of complex numbers");
    let data = plain.data().iter().map(|&x| rounded_complex(f(float(x)), dtype)).collect::<Vec<Scalar>>();
    PlainArray::new(dtype, plain.shape(), data)
}
