//! What masked and decoded arrays cost, and where their errors come from.

use chunkwise::prelude::*;
use chunkwise::{Packing, select};

fn stored() -> LazyArray1<i16> {
    LazyArray::from_fn(64, 4, |i| i as i16)
}

#[test]
fn decoding_is_part_of_the_fold() {
    let packing = Packing::default().scale_factor(0.5).add_offset(1.0).missing_value(3_i16);
    let x = stored().decoded_with::<f32>(&packing);
    let text = x.sum().data().explain();
    assert_eq!(x.sum().data().plan().unwrap().tasks(), 19, "{text}"); // 16 folds, 2 merges, 1 finish
    assert_eq!(x.sum().compute_option().unwrap(), Some(64.0 * 63.0 / 4.0 - 1.5 + 63.0));
}

#[test]
fn mean_and_variance_of_what_is_not_missing_read_it_once_each() {
    let x = LazyArray::from_fn(64, 4, |i| i as f64);
    let masked = x.masked_less(3.0);
    let text = masked.mean().explain();
    assert_eq!(text.matches("folded with").count(), 2, "{text}");
    // 16 folds and 2 merges for sum, count and mask, a finish each, and the quotient.
    assert_eq!(masked.mean().plan().unwrap().tasks(), 22, "{text}");
    assert_eq!(masked.mean().compute_option().unwrap(), Some(33.0));
    // The mask is an array of its own: both are read by one fold.
    let apart = MaskedArray::from_parts(x, LazyArray::from_fn(64, 4, |i| i < 3));
    assert_eq!(apart.mean().plan().unwrap().tasks(), 22, "{}", apart.mean().explain());
    assert_eq!(apart.mean_axis(Axis(0)).compute_option().unwrap(), Some(33.0));
    let text = masked.var(0.0).explain();
    // The mean is one fold and the squares another; counts, and the mask of the result, are folded with them.
    assert_eq!(text.matches("folded with").count(), 3, "{text}");
}

#[test]
fn what_is_divided_by_zero_is_missing() {
    let x = LazyArray::from_ndarray(ndarray::arr1(&[1.0, -1.0, f64::NAN, 0.0]), 2).masked_equal(-1.0);
    let (_, mask) = (1.0 / &x).compute().unwrap();
    assert_eq!(mask.to_vec(), [false, true, false, true]);
    assert_eq!((&x / 2.0).mask().to_vec().unwrap(), [false, true, false, false]);
    assert_eq!((&x / 0.0).mask().to_vec().unwrap(), [true; 4]);
    let all = LazyArray::<f64, _>::zeros(4, 2);
    assert_eq!((&x % all).mask().to_vec().unwrap(), [true; 4]);
}

#[test]
fn values_without_a_packing_are_the_stored_ones() {
    let (data, mask) = stored().decoded_with::<f64>(&Packing::default()).compute().unwrap();
    assert_eq!((data[9], mask.iter().any(|&missing| missing)), (9.0, false));
}

/// Which of these elements are missing.
fn gone<T: chunkwise::Element>(stored: &[T], packing: &Packing) -> Vec<bool> {
    LazyArray::from_ndarray(stored, 2)
        .decoded_with::<f64>(packing)
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
    for ddof in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let checks = [
            x.var(ddof).check(),
            x.nan_std(ddof).check(),
            x.moving_var(2, ddof, Axis(0)).check(),
            x.insert_axis(Axis(0)).cov(ddof).check(),
        ];
        assert!(
            checks.iter().all(|check| check.as_ref().is_err_and(|err| err.to_string().contains("finite")))
        );
    }
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

#[cfg(feature = "zarr")]
mod opened {
    use super::*;
    use chunkwise::{ZarrOptions, open_zarr};

    /// A file of the bytes 0 to 63 in 16 chunks, 3 of which stand for no value; others for half of themselves plus 1.
    fn file(folder: &tempfile::TempDir, attributes: &str) -> std::path::PathBuf {
        let path = folder.path().join("x.zarr");
        let bytes = LazyArray::from_fn(64, 4, |i| i as u8);
        bytes
            .store_zarr_with(&path, ZarrOptions::default().attributes(attributes))
            .expect("the array can be written");
        path
    }

    const ATTRIBUTES: &str = r#"{"scale_factor": 0.5, "add_offset": 1.0, "_FillValue": 3}"#;

    #[test]
    fn what_is_opened_is_decoded_inside_the_fold() {
        let folder = tempfile::tempdir().unwrap();
        let x = open_zarr::<u8, Ix1>(file(&folder, ATTRIBUTES)).unwrap().decoded();
        let sum: MaskedArray<f64, Ix0> = x.sum();
        let plan = sum.data().plan().unwrap();
        assert_eq!((plan.tasks(), plan.bytes_read()), (19, 64)); // 16 folds, 2 merges, 1 finish
        assert_eq!(sum.compute_option().unwrap(), Some(64.0 * 63.0 / 4.0 - 1.5 + 63.0));
    }

    #[test]
    fn parts_of_what_is_opened_are_decoded_alone() {
        let folder = tempfile::tempdir().unwrap();
        let x = open_zarr::<u8, Ix1>(file(&folder, ATTRIBUTES)).unwrap();
        let part = x.slice(s![..8]).reshape((2, 4)).t().rechunk(1).decoded();
        assert_eq!(part.data().plan().unwrap().bytes_read(), 8);
        let want = ndarray::arr2(&[[1.0, 3.0], [1.5, 3.5], [2.0, 4.0], [-1.0, 4.5]]);
        assert_eq!(part.filled(-1.0).compute().unwrap(), want);
    }

    #[test]
    fn what_cannot_be_decoded_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let text = |x: MaskedArray<f64, Ix1>| x.check().unwrap_err().to_string();
        let error = text((open_zarr::<u8, Ix1>(file(&folder, ATTRIBUTES)).unwrap() + 1).decoded());
        assert!(error.starts_with("decoded: add gives elements that are not stored"), "{error}");
        assert!(error.contains(file!()), "{error}");
        let error = text(LazyArray::from_ndarray(ndarray::arr1(&[1_u8]), 1).decoded());
        assert!(error.contains("memory has no attributes; use decoded_with()"), "{error}");
        let error = text(open_zarr::<u8, Ix1>(file(&folder, r#"{"add_offset": "red"}"#)).unwrap().decoded());
        assert!(error.contains("add_offset"), "{error}");
        let error = text(stored().index_axis(Axis(3), 0).broadcast(4).decoded());
        assert!(error.starts_with("index_axis"), "{error}");
    }
}
