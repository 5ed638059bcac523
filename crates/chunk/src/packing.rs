//! How numbers are packed into smaller ones, and which of them stand for none: the CF conventions as data.
//!
//! Nothing is decoded here, and nothing is read: sources that have attributes make a [`Packing`] of them.

use crate::Scalar;

/// How stored elements stand for values, as the attributes of climate data say it.
///
/// A value is `stored * scale_factor + add_offset`; it is missing where the stored element is one of the missing values,
/// or outside the valid range. Names and meaning are those of the CF conventions (1.11, sections 2.5.1 "Missing data, valid
/// and actual range of data" and 8.1 "Packed data").
///
/// ```
/// use chunkwise_chunk::Packing;
/// let packing = Packing::default().scale_factor(0.01).add_offset(273.15).missing_value(-32768);
/// assert_eq!((packing.scale, packing.offset), (Some(0.01), Some(273.15)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Packing {
    /// `scale_factor`; 1 when there is none.
    pub scale: Option<f64>,
    /// `add_offset`; 0 when there is none.
    pub offset: Option<f64>,
    /// `_FillValue` and `missing_value`: stored elements that stand for no value. Those that the stored type does not
    /// hold are never met.
    pub missing: Vec<Scalar>,
    /// `valid_min`: the smallest stored element that stands for a value.
    pub valid_min: Option<Scalar>,
    /// `valid_max`: the largest stored element that stands for a value.
    pub valid_max: Option<Scalar>,
    /// `_Unsigned`: signed integers are stored, and their bits are those of unsigned ones. Missing values and bounds are
    /// compared with the unsigned ones; those that are negative stand for the same bits.
    pub unsigned: bool,
}

impl Packing {
    /// What stored elements are multiplied by.
    #[must_use]
    pub fn scale_factor(self, factor: f64) -> Packing {
        Packing { scale: Some(factor), ..self }
    }

    /// What is added then.
    #[must_use]
    pub fn add_offset(self, offset: f64) -> Packing {
        Packing { offset: Some(offset), ..self }
    }

    /// Another stored element that stands for no value.
    #[must_use]
    pub fn missing_value(mut self, value: impl Into<Scalar>) -> Packing {
        let value = value.into();
        if !self.missing.contains(&value) {
            self.missing.push(value);
        }
        self
    }

    /// The stored elements that stand for values, both ends included.
    #[must_use]
    pub fn valid_range(self, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Packing {
        Packing { valid_min: Some(min.into()), valid_max: Some(max.into()), ..self }
    }

    /// Whether signed integers are stored for unsigned ones.
    #[must_use]
    pub fn unsigned(self, unsigned: bool) -> Packing {
        Packing { unsigned, ..self }
    }
}
