//! What masked and decoded arrays cost, and where their errors come from.

use chunkwise::prelude::*;
use chunkwise::{MaskedArray, Packing, select};

fn stored() -> LazyArray1<i16> {
    LazyArray::from_fn(64, 4, |i| i as i16)
}

#[test]
fn decoding_is_part_of_the_fold() {
    let packing = Packing::default().scale_factor(0.5).add_offset(1.0).missing_value(3_i16);
    let x = stored().decoded::<f32>(&packing);
    let text = x.sum().data().explain();
    assert_eq!(x.sum().data().plan().unwrap().tasks(), 19, "{text}"); // 16 folds, 2 merges, 1 finish
    assert_eq!(x.sum().compute_option().unwrap(), Some(64.0 * 63.0 / 4.0 - 1.5 + 63.0));
}

#[test]
fn values_without_a_packing_are_the_stored_ones() {
    let (data, mask) = stored().decoded::<f64>(&Packing::default()).compute().unwrap();
    assert_eq!((data[9], mask.iter().any(|&missing| missing)), (9.0, false));
}

/// Which of these elements are missing.
fn gone<T: chunkwise::Element>(stored: &[T], packing: &Packing) -> Vec<bool> {
    LazyArray::from_ndarray(stored, 2)
        .decoded::<f64>(packing)
        .mask()
        .to_vec()
        .expect("the mask can be computed")
}

#[test]
fn bounds_and_missing_values_of_unsigned_bytes_have_no_sign() {
    let (bytes, unsigned) = ([0_i8, 127, -128, -1], Packing::default().unsigned(true));
    assert_eq!(gone(&bytes, &unsigned.clone().valid_range(0, 255)), [false; 4]);
    assert_eq!(gone(&bytes, &unsigned.clone().valid_range(0, -1)), [false; 4]);
    assert_eq!(gone(&bytes, &unsigned.clone().valid_range(100, 200)), [true, false, false, true]);
    for fill in [255, -1] {
        assert_eq!(gone(&bytes, &unsigned.clone().missing_value(fill)), [false, false, false, true]);
    }
}

#[test]
fn bounds_outside_of_the_type_and_between_integers() {
    let bounds = |low: f64, high: f64| Packing::default().valid_range(low, high);
    assert_eq!(gone(&[0_u64, u64::MAX], &Packing::default().valid_range(-1_i64, u64::MAX)), [false; 2]);
    assert_eq!(gone(&[i64::MIN, 5], &Packing::default().valid_range(i64::MIN, u64::MAX)), [false; 2]);
    assert_eq!(gone(&[0_u8, 255], &bounds(256.0, 300.0)), [true; 2]);
    assert_eq!(gone(&[-2_i32, -1, 1, 2], &bounds(-1.5, 1.5)), [true, false, false, true]);
}

#[test]
fn variance_is_exact_far_from_zero() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[1e9, -5.0, 1e9 + 1.0, 1e9 + 2.0]), 1).masked_less(0.0);
    assert_eq!(x.var(0.0).compute_option().unwrap(), Some(2.0 / 3.0));
}

#[test]
fn variance_of_too_few_is_missing() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, -5.0, 3.0]), 1);
    assert_eq!(x.masked_less(2.0).var(1.0).compute_option().unwrap(), None);
    assert_eq!(x.masked_less(0.0).std(1.0).compute_option().unwrap(), Some(2.0_f64.sqrt()));
    assert_eq!(x.masked_less(0.0).std(2.0).compute_option().unwrap(), None);
}

#[test]
fn ddof_is_finite() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, 2.0]), 1);
    for text in
        [x.var(f64::NAN).check(), x.masked_less(0.0).std(f64::INFINITY).check()].map(Result::unwrap_err)
    {
        assert!(text.to_string().contains("it must be a finite number"), "{text}");
    }
}

#[test]
fn first_smallest_is_never_a_missing_one() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[f64::INFINITY, f64::INFINITY]), 1);
    let first = LazyArray::from_ndarray(ndarray::arr1(&[true, false]), 1);
    assert_eq!(x.masked_where(&first).argmin().compute_option().unwrap(), Some(1));
}

#[test]
fn errors_name_the_line_of_the_program() {
    let which = LazyArray::from_ndarray(ndarray::arr1(&[0, 1]), 1);
    let none: [LazyArray1<f64>; 0] = [];
    let text = which.choose(&none).check().unwrap_err().to_string();
    assert!(text.starts_with("choose: there must be at least one array"), "{text}");
    assert!(text.contains(file!()), "{text}");
    let text = select(&[which.gt(0)], &none, 0.0).check().unwrap_err().to_string();
    assert!(text.starts_with("select: 1 conditions for 0 arrays") && text.contains(file!()), "{text}");
    let text = MaskedArray::from_parts(which.clone(), which.slice(s![..1]).gt(0)).check().unwrap_err();
    assert!(
        text.to_string().contains("from_parts: elements of shape [2] under a mask of shape [1]"),
        "{text}"
    );
    let text = which.choose(&[LazyArray::full(2, 0.5, 2)]).compute().unwrap_err().to_string();
    assert!(text.contains("an index is outside the list of choices"), "{text}");
}
