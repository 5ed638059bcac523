//! Indexing: the truth.

use chunkwise_chunk::Scalar;
use chunkwise_expr::Blockwise;
use chunkwise_ops::index::{Assign, Delete, Diagonal, Place, Points, Take, TakeAlong};

use super::{EagerError, PlainArray, Reference, exact};

type Inputs<'a> = &'a [&'a PlainArray];
type Found = Option<Result<PlainArray, EagerError>>;

pub(super) const REFERENCES: &[Reference] = &[
    Reference { rule: "Points", truth: points, slack: exact },
    Reference { rule: "Take", truth: take, slack: exact },
    Reference { rule: "TakeAlong", truth: take_along, slack: exact },
    Reference { rule: "Diagonal", truth: diagonal, slack: exact },
    Reference { rule: "Assign", truth: assign, slack: exact },
    Reference { rule: "Place", truth: place, slack: exact },
    Reference { rule: "Delete", truth: delete, slack: exact },
];

fn points(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let rule = op.downcast::<Points>()?;
    let (x, points) = (inputs[0], rule.points());
    let place = if let [axis] = rule.axes() { *axis } else { 0 };
    let others: Vec<usize> = (0..x.shape().len()).filter(|axis| !rule.axes().contains(axis)).collect();
    let mut shape: Vec<usize> = others.iter().map(|&axis| x.shape()[axis]).collect();
    shape.insert(place, points.len());
    Some(Ok(PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut index = index.to_vec();
        let point = &points[index.remove(place)];
        let mut at = vec![0; x.shape().len()];
        others.iter().zip(index).for_each(|(&axis, i)| at[axis] = i);
        rule.axes().iter().zip(point).for_each(|(&axis, &i)| at[axis] = i);
        x.get(&at)
    })))
}

/// Where an index points; an error when that is outside.
fn position(index: Scalar, len: usize) -> Result<usize, EagerError> {
    let Scalar::I64(i) = index else { unreachable!("rules take indices of type i64") };
    let at = if i < 0 { i + len as i64 } else { i };
    let inside = usize::try_from(at).ok().filter(|&at| at < len);
    inside.ok_or_else(|| EagerError::Fault { op: "take", args: vec![index] })
}

fn take(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let axis = op.downcast::<Take>()?.axis();
    let (x, indices) = (inputs[0], inputs[1]);
    let mut shape = x.shape().to_vec();
    shape[axis] = indices.shape()[0];
    Some(PlainArray::try_from_fn(x.dtype(), &shape, |index| {
        let mut at = index.to_vec();
        at[axis] = position(indices.get(&[index[axis]]), x.shape()[axis])?;
        Ok(x.get(&at))
    }))
}

fn take_along(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let axis = op.downcast::<TakeAlong>()?.axis();
    let (x, indices) = (inputs[0], inputs[1]);
    Some(PlainArray::try_from_fn(x.dtype(), indices.shape(), |index| {
        let mut at = index.to_vec();
        at[axis] = position(indices.get(index), x.shape()[axis])?;
        Ok(x.get(&at))
    }))
}

fn diagonal(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let rule = op.downcast::<Diagonal>()?;
    let (x, [a, b], [i, j]) = (inputs[0], rule.axes(), rule.start());
    let others: Vec<usize> = (0..x.shape().len()).filter(|&axis| axis != a && axis != b).collect();
    let lens = others.iter().map(|&axis| x.shape()[axis]);
    let shape: Vec<usize> = lens.chain([rule.len()]).collect();
    Some(Ok(PlainArray::from_fn(x.dtype(), &shape, |index| {
        let k = index[others.len()];
        let mut at = vec![0; x.shape().len()];
        others.iter().zip(index).for_each(|(&axis, &i)| at[axis] = i);
        (at[a], at[b]) = (i + k, j + k);
        x.get(&at)
    })))
}

fn assign(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let rule = op.downcast::<Assign>()?;
    let (x, new) = (inputs[0], inputs[1]);
    Some(Ok(PlainArray::from_fn(x.dtype(), x.shape(), |index| {
        let walked = index.iter().zip(rule.walks()).map(|(&i, walk)| {
            (0..walk.len).find(|&k| walk.offset as isize + walk.step * k as isize == i as isize)
        });
        walked.collect::<Option<Vec<usize>>>().map_or_else(|| x.get(index), |at| new.get(&at))
    })))
}

fn place(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let rule = op.downcast::<Place>()?;
    let (x, new) = (inputs[0], inputs[1]);
    Some(Ok(PlainArray::from_fn(x.dtype(), x.shape(), |index| {
        let mut at = index.to_vec();
        let Some(k) = rule.positions().iter().position(|&at| at == index[rule.axis()]) else {
            return x.get(index);
        };
        at[rule.axis()] = k;
        new.get(&at)
    })))
}

fn delete(op: &Blockwise, inputs: Inputs<'_>) -> Found {
    let rule = op.downcast::<Delete>()?;
    let (x, axis) = (inputs[0], rule.axis());
    let left: Vec<usize> = (0..x.shape()[axis]).filter(|at| !rule.deleted().contains(at)).collect();
    let mut shape = x.shape().to_vec();
    shape[axis] = left.len();
    Some(Ok(PlainArray::from_fn(x.dtype(), &shape, |index| {
        let mut at = index.to_vec();
        at[axis] = left[index[axis]];
        x.get(&at)
    })))
}
