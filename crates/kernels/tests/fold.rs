//! Reductions against plain loops, over grids, layouts, axes and types.
// Helpers of tests are not tests, to the lint.
#![allow(clippy::unwrap_used)]

mod common;

use chunkwise_chunk::{Chunk, ChunkGrid, Complex, DType, Region, Scalar, View};
use chunkwise_expr::{BinaryOp, ElementOp, Program, ProgramBuilder, Reduce, ReduceKind, UnaryOp, eval_cast};
use chunkwise_kernels::{Fold, Kernel, Partial, Stop};
use common::{LAYOUTS, all_same, block, elements, held};
use proptest::prelude::*;

fn reduce(kind: ReduceKind, space: ChunkGrid, axes: &[usize]) -> Reduce {
    Reduce { kind, axes: axes.into(), keepdims: false, ddof: 0.0, space, program: None }
}

/// Folds every block of the grid and puts the results of each result block into one list, in order.
fn run(reduce: &Reduce, x: &Chunk) -> Vec<(Region, Chunk)> {
    let fold = Fold::new(reduce, x.dtype());
    let grid = reduce.result_grid();
    let finish = |index: &[usize]| {
        let parts: Vec<Partial> = reduce
            .blocks_of(index)
            .map(|i| reduce.space.region(&reduce.space.block(i)))
            .map(|region| fold.fold(&[x.part(&region)], &region).unwrap())
            .collect();
        (!parts.is_empty()).then(|| fold.finish(&parts.iter().collect::<Vec<_>>()))
    };
    grid.blocks().filter_map(|index| Some((grid.region(&index), finish(&index)?))).collect()
}

fn whole(reduce: &Reduce, x: &Chunk) -> Chunk {
    let blocks = run(reduce, x);
    let parts = blocks.iter().map(|(region, chunk)| (region.clone(), chunk));
    Chunk::assemble(blocks[0].1.dtype(), reduce.result_grid().shape(), parts).unwrap()
}

fn one(kind: ReduceKind, ddof: f64, chunk: usize, x: Chunk) -> Scalar {
    let space = ChunkGrid::regular(x.shape(), &vec![chunk; x.shape().len()]);
    let axes: Vec<usize> = (0..x.shape().len()).collect();
    whole(&Reduce { ddof, ..reduce(kind, space, &axes) }, &x).scalar().unwrap()
}

fn list<T: chunkwise_chunk::Element>(x: &[T]) -> Chunk {
    Chunk::from_array(ndarray::arr1(x).into_dyn())
}

/// The elements of each result, in C order of the reduced axes.
fn groups(x: &Chunk, axes: &[usize]) -> Vec<Vec<Scalar>> {
    let kept: Vec<usize> = (0..x.shape().len()).filter(|axis| !axes.contains(axis)).collect();
    let order: Vec<usize> = kept.iter().chain(axes).copied().collect();
    let len = axes.iter().map(|&axis| x.shape()[axis]).product::<usize>();
    let count: usize = kept.iter().map(|&axis| x.shape()[axis]).product();
    let all = elements(&x.view(&View::permute(x.shape(), &order).unwrap()));
    (0..count).map(|i| all[i * len..(i + 1) * len].to_vec()).collect()
}

/// The value of a reduction by a plain loop; exact where the elements are small integers.
fn naive(kind: &ReduceKind, x: &[Scalar]) -> f64 {
    let all: Vec<f64> = x.iter().map(|&x| number(x)).collect();
    let present: Vec<f64> = all.iter().copied().filter(|x| !x.is_nan()).collect();
    let skips = kind.clone().without_nan() != *kind;
    let x = if skips { &present } else { &all };
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let moment = |order| x.iter().map(|x| (x - mean).powi(order)).sum::<f64>() / x.len() as f64;
    let nan = x.iter().position(|x| x.is_nan());
    let extreme = |better: fn(&f64, &f64) -> bool| {
        nan.unwrap_or_else(|| (0..x.len()).fold(0, |best, i| if better(&x[i], &x[best]) { i } else { best }))
    };
    let value = |at: usize| x.get(at).copied().unwrap_or(f64::NAN);
    let place = |at: usize| all.iter().position(|&y| y == value(at)).unwrap_or(at) as f64;
    match kind.clone().without_nan() {
        ReduceKind::Sum => x.iter().sum(),
        ReduceKind::Prod => x.iter().product(),
        ReduceKind::Mean => mean,
        ReduceKind::Var => moment(2),
        ReduceKind::Std => moment(2).sqrt(),
        ReduceKind::Moment3 => moment(3),
        ReduceKind::Moment4 => moment(4),
        ReduceKind::Skew if moment(2) < 1e-20 => f64::NAN,
        ReduceKind::Kurtosis if moment(2) < 1e-20 => f64::NAN,
        ReduceKind::Skew => moment(3) / moment(2).powf(1.5),
        ReduceKind::Kurtosis => moment(4) / moment(2).powi(2) - 3.0,
        ReduceKind::Min => value(extreme(f64::lt)),
        ReduceKind::Max => value(extreme(f64::gt)),
        ReduceKind::ArgMin => place(extreme(f64::lt)),
        ReduceKind::ArgMax => place(extreme(f64::gt)),
        ReduceKind::Any => f64::from(x.iter().any(|&x| x != 0.0)),
        ReduceKind::All => f64::from(x.iter().all(|&x| x != 0.0)),
        other => unreachable!("{other} is drawn by nobody"),
    }
}

/// True where a reduction has no value for these elements.
fn fails(kind: &ReduceKind, x: &[Scalar]) -> bool {
    let positions = matches!(kind, ReduceKind::NanArgMin | ReduceKind::NanArgMax);
    positions && x.iter().all(|&x| number(x).is_nan())
}

fn number(x: Scalar) -> f64 {
    match eval_cast(x, DType::F64) {
        Scalar::F64(x) => x,
        _ => unreachable!(),
    }
}

/// `want` comes from plain loops over `n` elements, whose roundings may add up.
fn close(got: f64, want: f64, dtype: DType, n: usize) -> bool {
    let tolerance = if dtype.real_type() == DType::F32 { 1e-6 } else { (n as f64 * f64::EPSILON).max(1e-12) };
    got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= tolerance * want.abs().max(1.0)
}

/// Small integers, sometimes NaN in floats; ones and twos rarely, so that products stay exact.
fn values(dtype: DType, n: usize, seed: u64, with_nan: bool) -> Vec<Scalar> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let value = |r: u64| match r % 97 {
        0 if with_nan && dtype.is_float() => f64::NAN,
        0..30 => 2.0,
        30..34 => 0.0,
        34..70 if !dtype.is_unsigned() && dtype != DType::Bool => -1.0,
        _ => 1.0,
    };
    (0..n).map(|_| eval_cast(Scalar::F64(value(next())), dtype)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn grids_of_any_axes_types_and_layouts(
        mut shape in prop::collection::vec(0usize..9, 1..5),
        long in prop::option::of((0usize..4, 200usize..700)),
        chunk in prop::collection::vec(1usize..300, 5),
        axes in any::<[bool; 5]>(),
        (dtype, kind) in (0..DType::ALL.len(), 0..ReduceKind::ALL.len()),
        (layout, keepdims, seed, with_nan) in (0..LAYOUTS, any::<bool>(), any::<u64>(), any::<bool>()),
    ) {
        if let Some((axis, len)) = long {
            let axis = axis % shape.len();
            shape[axis] = len;
        }
        let (dtype, kind) = (DType::ALL[dtype], &ReduceKind::ALL[kind]);
        let axes: Vec<usize> = (0..shape.len()).filter(|&axis| axes[axis]).collect();
        let reduced: usize = axes.iter().map(|&axis| shape[axis]).product();
        prop_assume!(kind.takes(dtype));
        // Products of hundreds of twos leave 64 bits; NaN in mean and var is tested apart from tolerance.
        prop_assume!(*kind != ReduceKind::Prod || reduced < 60);
        prop_assume!(!kind.needs_elements() || reduced > 0);
        let x = block(dtype, &values(dtype, shape.iter().product(), seed, with_nan), &shape);
        prop_assume!(!groups(&x, &axes).iter().any(|group| fails(kind, group)));
        let space = ChunkGrid::regular(&shape, &chunk[..shape.len()]);
        let reduce = Reduce { keepdims, ..reduce(kind.clone(), space, &axes) };
        let got = run(&reduce, &held(&x, layout));
        prop_assume!(!got.is_empty());
        let parts = got.iter().map(|(region, chunk)| (region.clone(), chunk));
        let got = Chunk::assemble(kind.output(dtype), reduce.result_grid().shape(), parts);
        let got = elements(&got.expect("blocks of the result have its type"));
        let want: Vec<f64> = groups(&x, &axes).iter().map(|group| naive(kind, group)).collect();
        prop_assert_eq!(got.len(), want.len());
        for (got, want) in got.into_iter().zip(want) {
            prop_assert!(close(number(got), want, got.dtype(), reduced), "{} {:?} not {}", kind, got, want);
        }
    }

    /// The bits of a reduction do not depend on strides or on what is fused into it.
    #[test]
    fn fusion_and_layout_do_not_show(
        shape in prop_oneof![
            prop::collection::vec(1usize..12, 1..5),
            prop::collection::vec(30usize..90, 2..3),
            prop::collection::vec(1usize..6000, 1..2),
        ],
        axes in any::<[bool; 4]>(),
        kind in 0..ReduceKind::ALL.len(),
        layout in 0..LAYOUTS,
        f32s in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let dtype = if f32s { DType::F32 } else { DType::F64 };
        let axes: Vec<usize> = (0..shape.len()).filter(|&axis| axes[axis]).collect();
        let n: usize = shape.iter().product();
        let noise = |i: usize| ((i as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / 1e12;
        let x: Vec<Scalar> = (0..n).map(|i| eval_cast(Scalar::F64(noise(i) + 1e-3), dtype)).collect();
        let x = block(dtype, &x, &shape);
        let program = scaled_root(dtype);
        let mapped = Kernel::new(&program).map(std::slice::from_ref(&x), &shape).unwrap();
        let plain = reduce(ReduceKind::ALL[kind].clone(), ChunkGrid::whole(&shape), &axes);
        let fused = Reduce { program: Some(program.into()), ..plain.clone() };
        let want = elements(&whole(&plain, &mapped));
        prop_assert!(all_same(&elements(&whole(&plain, &held(&mapped, layout))), &want));
        prop_assert!(all_same(&elements(&whole(&fused, &held(&x, layout))), &want));
    }

    /// Reductions that are folded together have the bits that each has alone.
    #[test]
    fn siblings_do_not_show(
        shape in prop_oneof![
            prop::collection::vec(0usize..12, 1..5),
            prop::collection::vec(30usize..300, 2..3),
            prop::collection::vec(1usize..6000, 1..2),
        ],
        chunk in prop::collection::vec(1usize..3000, 4),
        axes in any::<[bool; 4]>(),
        members in prop::collection::vec((0..ReduceKind::ALL.len(), 0..5usize, any::<bool>()), 1..6),
        (dtype, layout, seed) in (0..DType::ALL.len(), 0..LAYOUTS, any::<u64>()),
    ) {
        let dtype = DType::ALL[dtype];
        let axes: Vec<usize> = (0..shape.len()).filter(|&axis| axes[axis]).collect();
        let x = block(dtype, &values(dtype, shape.iter().product(), seed, true), &shape);
        let (x, w) = (held(&x, layout), Chunk::filled(eval_cast(Scalar::F64(3.0), dtype), &[]));
        let chunk: Vec<usize> = chunk.iter().zip(&shape).map(|(&c, &n)| c.max(n / 4)).collect();
        let space = ChunkGrid::regular(&shape, &chunk);
        let reduces: Vec<Reduce> = members
            .iter()
            .map(|&(kind, program, keepdims)| Reduce {
                keepdims,
                program: over_two(dtype, program).map(Into::into),
                ..reduce(taken(&ReduceKind::ALL[kind], dtype, program), space.clone(), &axes)
            })
            .collect();
        let together = Fold::siblings(&reduces.iter().collect::<Vec<_>>(), &[dtype, dtype]);
        for index in reduces[0].result_grid().blocks() {
            let kept: Vec<usize> = if reduces[0].keepdims {
                (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| index[axis]).collect()
            } else {
                index.to_vec()
            };
            let plain = Reduce { keepdims: false, ..reduces[0].clone() };
            let regions: Vec<Region> =
                plain.blocks_of(&kept).map(|i| space.region(&space.block(i))).collect();
            prop_assume!(!regions.is_empty());
            let parts: Vec<Partial> =
                regions.iter().map(|r| together.fold(&[x.part(r), w.clone()], r).unwrap()).collect();
            let parts: Vec<&Partial> = parts.iter().collect();
            let merged = together.merge(&parts);
            prop_assert_eq!(merged.nbytes(), together.partial_bytes(&regions[0]));
            for (member, reduce) in reduces.iter().enumerate() {
                let mut operands = vec![x.clone(), w.clone()];
                operands.truncate(if reduce.program.is_some() { 2 } else { 1 });
                let alone = Fold::new(reduce, dtype);
                let own = |r: &Region| {
                    let parts: Vec<Chunk> =
                        operands.iter().map(|c| if c.shape().is_empty() { c.clone() } else { c.part(r) }).collect();
                    alone.fold(&parts, r).unwrap()
                };
                let own: Vec<Partial> = regions.iter().map(own).collect();
                // Positions among nothing but NaN are an error.
                let finish = |fold: &Fold, member, parts: &[&Partial]| {
                    fold.stoppable(Stop::never()).finish_one(member, parts)
                };
                let want = finish(&alone, 0, &own.iter().collect::<Vec<_>>());
                for got in [finish(&together, member, &parts), finish(&together, member, &[&merged])] {
                    let (Ok(got), Ok(want)) = (&got, &want) else {
                        prop_assert_eq!(got.err(), want.as_ref().err().cloned());
                        continue;
                    };
                    prop_assert_eq!((got.shape(), got.dtype()), (want.shape(), want.dtype()));
                    prop_assert!(all_same(&elements(got), &elements(want)), "{:?}", reduce);
                }
            }
        }
    }
}

/// Nothing, or one of some programs over an array and a number.
fn over_two(dtype: DType, choice: usize) -> Option<Program> {
    let mut b = ProgramBuilder::new();
    let (x, w) = (b.input(dtype), b.input(dtype));
    let [join, compare, to_float] = match dtype.is_complex() {
        true => [BinaryOp::Add.into(), BinaryOp::Ne.into(), UnaryOp::NormSqr.into()],
        false => [BinaryOp::Maximum.into(), BinaryOp::Gt.into(), ElementOp::Cast(DType::F64)],
    };
    let sum = b.push(join, &[x, w]).unwrap();
    let above = b.push(compare, &[x, w]).unwrap();
    let as_float = b.push(to_float, &[sum]).unwrap();
    let root = b.push(UnaryOp::Sqrt.into(), &[as_float]).unwrap();
    let two = b.constant(Scalar::I8(2));
    let result = [sum, above, root, two].get(choice.checked_sub(1)?).copied()?;
    Some(b.finish(result))
}

/// The reduction, or a sum where it does not take what the program gives.
fn taken(kind: &ReduceKind, dtype: DType, program: usize) -> ReduceKind {
    let elements = over_two(dtype, program).map_or(dtype, |program| program.output());
    if kind.takes(elements) { kind.clone() } else { ReduceKind::Sum }
}

fn scaled_root(dtype: DType) -> Program {
    let mut b = ProgramBuilder::new();
    let x = b.input(dtype);
    let third = b.constant(eval_cast(Scalar::F64(1.0 / 3.0), dtype));
    let root = b.push(UnaryOp::Sqrt.into(), &[x]).unwrap();
    let scaled = b.push(BinaryOp::Mul.into(), &[root, third]).unwrap();
    b.finish(scaled)
}

/// A huge block is what its pieces are, whoever folds them, and operands that are broadcast are cut with it.
#[test]
fn pieces_merged_by_eights_are_the_block() {
    let shape = [10, 3, 300_000];
    let n: usize = shape.iter().product();
    let x: Vec<f64> = (0..n).map(|i| ((i * 7919) % 100_003) as f64 / 7.0).collect();
    let x = Chunk::from_array(ndarray::ArrayD::from_shape_vec(&shape[..], x).unwrap());
    let w = Chunk::from_array(ndarray::ArrayD::from_shape_fn(vec![3, 1], |at| at[0] as f64 + 1.0));
    let mut b = ProgramBuilder::new();
    let (p, q) = (b.input(DType::F64), b.input(DType::F64));
    let product = b.push(BinaryOp::Mul.into(), &[p, q]).unwrap();
    let program = std::sync::Arc::new(b.finish(product));
    let product = Kernel::new(&program).map(&[x.clone(), w.clone()], &shape).unwrap();
    for kind in [ReduceKind::Sum, ReduceKind::Var, ReduceKind::ArgMax, ReduceKind::Min] {
        let fused = Reduce {
            program: Some(program.clone()),
            ..reduce(kind.clone(), ChunkGrid::whole(&shape), &[0, 1, 2])
        };
        let (fold, all) = (Fold::new(&fused, DType::F64), Region::whole(&shape));
        assert_eq!(fold.pieces(&all), 10);
        let whole = fold.finish(&[&fold.fold(&[x.clone(), w.clone()], &all).unwrap()]);
        let piece = |i| {
            let piece = fold.piece(&all, i);
            fold.fold(&[x.part(&piece), w.clone()], &piece).unwrap()
        };
        let parts: Vec<Partial> = (0..10).map(piece).collect();
        let eights: Vec<Partial> =
            parts.chunks(Reduce::FAN_IN).map(|group| fold.merge(&group.iter().collect::<Vec<_>>())).collect();
        let merged = fold.finish(&[&fold.merge(&eights.iter().collect::<Vec<_>>())]);
        let plain = Fold::new(&Reduce { program: None, ..fused.clone() }, DType::F64);
        let plain = plain.finish(&[&plain.fold(std::slice::from_ref(&product), &all).unwrap()]);
        assert!(all_same(&elements(&whole), &elements(&merged)), "{kind}");
        assert!(all_same(&elements(&whole), &elements(&plain)), "{kind}");
        let want = naive(&kind, &elements(&product));
        assert!(close(number(whole.scalar().unwrap()), want, DType::F64, 1), "{kind}: {whole:?} not {want}");
    }
}

#[test]
fn complex_numbers_are_reduced_part_by_part() {
    let z = || list(&[Complex::new(1.0, -2.0), Complex::new(3.0, 0.5), Complex::new(-1.0, 4.0)]);
    for chunk in 1..4 {
        let of = |kind, ddof| one(kind, ddof, chunk, z());
        assert_eq!(of(ReduceKind::Sum, 0.0), Complex::new(3.0, 2.5).into());
        assert_eq!(of(ReduceKind::Prod, 0.0), Complex::new(18.0, 21.5).into());
        assert_eq!(of(ReduceKind::Mean, 0.0), Complex::new(1.0, 2.5 / 3.0).into());
        assert!((number(of(ReduceKind::Var, 1.0)) - (8.0 + 20.25 - 6.25 / 3.0) / 2.0).abs() < 1e-14);
        assert_eq!(of(ReduceKind::Any, 0.0), Scalar::Bool(true));
    }
    let i = list(&[Complex::<f32>::new(0.0, 1.0), Complex::ZERO]);
    assert_eq!(
        (one(ReduceKind::Any, 0.0, 2, i.clone()), one(ReduceKind::All, 0.0, 2, i)),
        (true.into(), false.into())
    );
    // Summed in f64.
    let sum = one(
        ReduceKind::Sum,
        0.0,
        3,
        list(&[Complex::new(1.0f32, 3e7), Complex::new(3e7, 1.0), Complex::new(-3e7, -3e7)]),
    );
    assert_eq!(sum, Complex::new(1.0f32, 1.0).into());
    // One times an infinity has zero times the infinity in its other part.
    let product = one(ReduceKind::Prod, 0.0, 1, list(&[Complex::new(f64::INFINITY, 1.0)]));
    assert!(matches!(product, Scalar::C128(z) if z.re == f64::INFINITY && z.im.is_nan()));
}

#[test]
fn columns_of_complex_numbers_are_their_rows() {
    let x = ndarray::Array2::from_shape_fn((300, 21), |(i, j)| {
        Complex::new((i * j % 17) as f64, (i % 5 + j) as f64)
    });
    for kind in [ReduceKind::Sum, ReduceKind::Mean, ReduceKind::Var, ReduceKind::Std] {
        let of = |x: &ndarray::Array2<Complex<f64>>, axis| {
            let x = Chunk::from_array(x.clone().into_dyn());
            elements(&whole(&reduce(kind.clone(), ChunkGrid::whole(x.shape()), &[axis]), &x))
        };
        let along = |x: Vec<Scalar>| x.into_iter().map(|x| eval_cast(x, DType::C128)).collect::<Vec<_>>();
        for (down, across) in along(of(&x, 0)).into_iter().zip(along(of(&x.t().to_owned(), 1))) {
            let (Scalar::C128(down), Scalar::C128(across)) = (down, across) else { unreachable!() };
            assert!((down - across).norm() <= 1e-12 * across.norm(), "{kind}: {down} {across}");
        }
    }
}

#[test]
fn no_elements_have_the_value_of_none() {
    let none = || Chunk::zeros(DType::F64, &[0]);
    let fold = |kind| {
        let fold = Fold::new(&reduce(kind, ChunkGrid::whole(&[0]), &[0]), DType::F64);
        let part = fold.fold(&[none()], &Region::whole(&[0])).unwrap();
        fold.finish(&[&fold.merge(&[&part, &part])]).scalar().unwrap()
    };
    assert_eq!(fold(ReduceKind::Sum), Scalar::F64(0.0));
    assert_eq!(fold(ReduceKind::Prod), Scalar::F64(1.0));
    assert_eq!((fold(ReduceKind::Any), fold(ReduceKind::All)), (Scalar::Bool(false), Scalar::Bool(true)));
    for kind in [ReduceKind::Mean, ReduceKind::Var, ReduceKind::Std, ReduceKind::Min, ReduceKind::Max] {
        assert!(number(fold(kind)).is_nan());
    }
}

#[test]
fn zero_length_axes_keep_their_shape() {
    let x = Chunk::zeros(DType::F64, &[0, 3]);
    let shape = |kind, axis: usize| whole_shape(&reduce(kind, ChunkGrid::whole(&[0, 3]), &[axis]), &x);
    assert_eq!(shape(ReduceKind::Min, 1).shape(), [0]);
    assert_eq!(shape(ReduceKind::ArgMin, 1).shape(), [0]);
    assert_eq!(elements(&shape(ReduceKind::Sum, 0)), [Scalar::F64(0.0); 3]);
    assert!(elements(&shape(ReduceKind::Mean, 0)).iter().all(|&x| number(x).is_nan()));
}

fn whole_shape(reduce: &Reduce, x: &Chunk) -> Chunk {
    let fold = Fold::new(reduce, x.dtype());
    fold.finish(&[&fold.fold(std::slice::from_ref(x), &Region::whole(x.shape())).unwrap()])
}

#[test]
fn empty_blocks_change_nothing() {
    let x = list(&[3, 1, 2]);
    for (kind, want) in [(ReduceKind::Min, 1.0), (ReduceKind::ArgMin, 1.0), (ReduceKind::Sum, 6.0)] {
        let fold = Fold::new(&reduce(kind, ChunkGrid::whole(&[3]), &[0]), DType::I32);
        let parts: Vec<Partial> = [(0, 0), (0, 2), (2, 0), (2, 1)]
            .iter()
            .map(|&(start, len)| Region::new(&[start], &[len]))
            .map(|region| fold.fold(&[x.part(&region)], &region).unwrap())
            .collect();
        assert_eq!(fold.finish(&parts.iter().collect::<Vec<_>>()).scalar().map(number), Some(want));
    }
    let rows = Chunk::from_array(ndarray::arr2(&[[1, 2, 3], [4, 5, 6]]).into_dyn());
    let fold = Fold::new(&reduce(ReduceKind::ArgMax, ChunkGrid::whole(&[2, 3]), &[0]), DType::I32);
    let none = fold.fold(&[Chunk::zeros(DType::I32, &[0, 3])], &Region::new(&[0, 0], &[0, 3])).unwrap();
    let all = fold.fold(&[rows], &Region::whole(&[2, 3])).unwrap();
    assert_eq!(elements(&fold.finish(&[&none, &all])), [Scalar::I64(1); 3]);
}

#[test]
fn nan_wins_and_is_found_first() {
    let x = || list(&[1.0, f64::NAN, 3.0, f64::NAN]);
    for chunk in 1..5 {
        assert!(number(one(ReduceKind::Max, 0.0, chunk, x())).is_nan());
        assert!(number(one(ReduceKind::Min, 0.0, chunk, x())).is_nan());
        assert_eq!(one(ReduceKind::ArgMax, 0.0, chunk, x()), Scalar::I64(1));
        assert_eq!(one(ReduceKind::ArgMin, 0.0, chunk, x()), Scalar::I64(1));
        assert_eq!(one(ReduceKind::Any, 0.0, chunk, list(&[f64::NAN])), Scalar::Bool(true));
        assert_eq!(one(ReduceKind::All, 0.0, chunk, list(&[f64::NAN])), Scalar::Bool(true));
    }
}

#[test]
fn ties_go_to_the_first_in_c_order_of_the_whole() {
    let x = Chunk::from_array(ndarray::arr2(&[[1, 0], [0, 1]]).into_dyn());
    let space = ChunkGrid::regular(&[2, 2], &[2, 1]);
    assert_eq!(whole(&reduce(ReduceKind::ArgMin, space, &[0, 1]), &x).scalar(), Some(Scalar::I64(1)));
    assert_eq!(one(ReduceKind::ArgMin, 0.0, 2, list(&[2, 1, 1, 2])), Scalar::I64(1));
    assert_eq!(one(ReduceKind::ArgMax, 0.0, 1, list(&[5; 9])), Scalar::I64(0));
    let x = Chunk::from_array(ndarray::arr2(&[[1, 2], [1, 0]]).into_dyn());
    let rows = reduce(ReduceKind::ArgMin, ChunkGrid::regular(&[2, 2], &[1, 2]), &[0]);
    assert_eq!(elements(&whole(&rows, &x)), [Scalar::I64(0), Scalar::I64(1)]);
}

#[test]
fn merging_in_another_order_finds_the_same_position() {
    let fold = Fold::new(&reduce(ReduceKind::ArgMin, ChunkGrid::regular(&[4], &[2]), &[0]), DType::I32);
    let part = |start: usize| fold.fold(&[list(&[7, 7])], &Region::new(&[start], &[2])).unwrap();
    assert_eq!(fold.finish(&[&part(2), &part(0)]).scalar(), Some(Scalar::I64(0)));
}

#[test]
fn divisors_are_numpys() {
    let var = |x: &[f64], ddof| number(one(ReduceKind::Var, ddof, 1, list(x)));
    assert!(var(&[5.0], 1.0).is_nan());
    assert_eq!((var(&[1.0, 2.0], 2.0), var(&[1.0, 2.0], 3.0)), (f64::INFINITY, f64::INFINITY));
    let std = one(ReduceKind::Std, 1.0, 4, list(&[1.0, 2.0, 3.0, 4.0]));
    assert_eq!(std, Scalar::F64(1.290_994_448_735_805_6));
    assert!((var(&[1e9, 1e9 + 1.0, 1e9 + 2.0], 0.0) - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn sums_have_room() {
    assert_eq!(one(ReduceKind::Mean, 0.0, 2, list(&[1i64 << 62; 3])), Scalar::F64(4.611686018427388e18));
    assert_eq!(one(ReduceKind::Mean, 0.0, 1, list(&[true, false])), Scalar::F64(0.5));
    assert_eq!(one(ReduceKind::Sum, 0.0, 2, list(&[200u8, 100])), Scalar::U64(300));
    assert_eq!(one(ReduceKind::Sum, 0.0, 2, list(&[true; 3])), Scalar::I64(3));
    assert_eq!(one(ReduceKind::Sum, 0.0, 2, list(&[127i8, 1])), Scalar::I64(128));
    assert_eq!(one(ReduceKind::Sum, 0.0, 1, list(&[i64::MAX, 1])), Scalar::I64(i64::MIN));
    let ones = list(&vec![1f32; 20_000_000]);
    assert_eq!(one(ReduceKind::Sum, 0.0, 20_000_000, ones.clone()), Scalar::F32(2e7));
    assert_eq!(one(ReduceKind::Mean, 0.0, 3_000_000, ones), Scalar::F32(1.0));
}

#[test]
fn sums_of_noise_are_accurate() {
    let x: Vec<f64> =
        (0..1_000_000u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64).collect();
    let exact: i128 = x.iter().map(|&x| x as i128).sum();
    let Scalar::F64(got) = one(ReduceKind::Sum, 0.0, 300_000, list(&x)) else {
        panic!("a sum of f64 is f64")
    };
    assert!((got - exact as f64).abs() <= 1e-15 * exact as f64);
}
